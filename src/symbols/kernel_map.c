/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel_map.h"

#include <stdlib.h>
#include <string.h>

#include "symbols/kallsyms.h"
#include "symbols/kernel_map_data.h"
#include "symbols/proc_modules.h"

const char *kernel_map_method_name(enum kernel_map_method method)
{
	static const char *const names[KERNEL_MAP_METHOD_COUNT] = {
		[KERNEL_MAP_MODULE] = "module",	    [KERNEL_MAP_RANGES] = "ranges",
		[KERNEL_MAP_INTERVAL] = "interval", [KERNEL_MAP_PREFIX] = "prefix",
		[KERNEL_MAP_CORE] = "core",
	};

	return names[method];
}

const struct kernel_range *kernel_map_ranges(const struct kernel_map *map, size_t *count)
{
	*count = map->ranges.count;
	return map->ranges.ranges;
}

uint16_t kernel_map_lookup(const struct kernel_map *map, uint64_t address,
			   enum kernel_map_method *method)
{
	const struct kernel_range *range =
		range_list_find(map->ranges.ranges, map->ranges.count, address);

	if (method)
		*method = (enum kernel_map_method)range->method;
	return range->subsystem;
}

const char *kernel_map_name(const struct kernel_map *map, uint16_t subsystem)
{
	return map->subsystems[subsystem].name;
}

size_t kernel_map_count(const struct kernel_map *map)
{
	return map->subsystem_count;
}

int kernel_map_is_network(const struct kernel_map *map, uint16_t subsystem)
{
	return map->subsystems[subsystem].network;
}

struct wanted {
	const char *name;
	size_t length;
	uint64_t address;
};

static int find_wanted(void *data, const struct kallsyms_symbol *symbol)
{
	struct wanted *wanted = data;

	if (symbol->name_length != wanted->length ||
	    memcmp(symbol->name, wanted->name, wanted->length) != 0)
		return 0;
	wanted->address = symbol->address;
	return 1;
}

uint64_t kernel_map_symbol(const struct kernel_map *map, const char *name)
{
	for (size_t i = 0; i < kernel_map_kept_count; i++) {
		if (strcmp(kernel_map_kept_names[i], name) == 0)
			return map->kept[i];
	}
	struct wanted wanted = {name, strlen(name), 0};
	kallsyms_read(map->kallsyms, find_wanted, &wanted, NULL);
	return wanted.address;
}

int kernel_map_stale(const struct kernel_map *map)
{
	struct proc_modules modules;

	if (proc_modules_read(&modules, map->modules, NULL))
		return 0;
	uint64_t fingerprint = proc_modules_fingerprint(&modules);
	proc_modules_clear(&modules);
	return fingerprint != map->modules_fingerprint;
}

void kernel_map_free(struct kernel_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->subsystem_count; i++)
		free(map->subsystems[i].name);
	range_list_clear(&map->ranges);
	free(map->subsystems);
	free(map->kept);
	free(map->kallsyms);
	free(map->modules);
	free(map);
}
