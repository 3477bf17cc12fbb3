/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/kernel_map.h"
#include "symbols/kernel_map_data.h"

static int compare_ranges(const void *left, const void *right)
{
	const struct named_range *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

int kernel_map_from_ranges(struct kernel_map **out, const struct named_range *ranges,
			   size_t count)
{
	struct kernel_map *map = calloc(1, sizeof(*map));
	struct named_range *sorted = calloc(count + 1, sizeof(*sorted));
	uint64_t end = 0;
	int code = 0;

	if (!map || !sorted || kernel_map_intern(map, "core", 4) < 0)
		code = -ENOMEM;
	if (!code)
		map->kept = calloc(kernel_map_kept_count, sizeof(*map->kept));
	if (!code && !map->kept)
		code = -ENOMEM;
	if (!code) {
		memcpy(sorted, ranges, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare_ranges);
		code = range_list_add(&map->ranges, 0, SUBSYSTEM_CORE, KERNEL_MAP_CORE);
	}
	for (size_t i = 0; !code && i < count; i++) {
		uint64_t start = sorted[i].start > end ? sorted[i].start : end;
		if (sorted[i].end <= start)
			continue;
		int subsystem = kernel_map_intern(map, sorted[i].name, strlen(sorted[i].name));
		if (subsystem < 0)
			code = subsystem;
		if (!code && start > end && end)
			code = range_list_add(&map->ranges, end, SUBSYSTEM_CORE,
					      KERNEL_MAP_CORE);
		if (!code)
			code = range_list_add(&map->ranges, start, (uint16_t)subsystem,
					      KERNEL_MAP_MODULE);
		end = sorted[i].end;
	}
	if (!code && end)
		code = range_list_add(&map->ranges, end, SUBSYSTEM_CORE, KERNEL_MAP_CORE);
	free(sorted);
	if (code)
		kernel_map_free(map);
	else
		*out = map;
	return code;
}
