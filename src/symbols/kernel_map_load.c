/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/array.h"
#include "symbols/builtin_ranges.h"
#include "symbols/kernel_map_data.h"
#include "symbols/kernel_symbols.h"
#include "symbols/module_text.h"
#include "symbols/network.h"
#include "symbols/proc_modules.h"
#include "symbols/text_intervals.h"

/* Where x86-64 puts modules and JIT programs: above the kernel, below the fixmap. */
#define X86_KERNEL_START 0xffffffff80000000ULL
#define X86_MODULES_END	 0xffffffffff000000ULL

/* What is gathered while the files are read; freed when the ranges are made. */
struct loader {
	struct kernel_map *map;
	struct proc_modules modules;
	struct builtin_ranges builtin;
	struct kernel_symbols symbols;
};

int kernel_map_intern(struct kernel_map *map, const char *name, size_t length)
{
	for (size_t i = 0; i < map->subsystem_count; i++) {
		if (strncmp(map->subsystems[i].name, name, length) == 0 &&
		    map->subsystems[i].name[length] == '\0')
			return (int)i;
	}
	if (map->subsystem_count > UINT16_MAX ||
	    array_reserve(&map->subsystems, &map->subsystem_room, map->subsystem_count + 1,
			  sizeof(*map->subsystems)))
		return -ENOMEM;
	struct kernel_subsystem *subsystem = &map->subsystems[map->subsystem_count];
	subsystem->name = strndup(name, length);
	if (!subsystem->name)
		return -ENOMEM;
	subsystem->network = network_is_known(subsystem->name);
	return (int)map->subsystem_count++;
}

/* For structs whose first member is an address. */
static int compare_addresses(const void *left, const void *right)
{
	uint64_t a, b;

	memcpy(&a, left, sizeof(a));
	memcpy(&b, right, sizeof(b));
	return (a > b) - (a < b);
}

/* Sorts by address, unless it is sorted, as the kernel's own symbols always are. */
static void sort(void *items, size_t count, size_t size)
{
	const char *at = items;

	for (size_t i = 1; i < count; i++, at += size) {
		if (compare_addresses(at, at + size) > 0) {
			qsort(items, count, size, compare_addresses);
			return;
		}
	}
}

/* The kernel's own text, and what the rest of the address space is taken for. */
static int make_base_ranges(struct loader *loader, struct range_list *list)
{
	int code = range_list_add(list, 0, SUBSYSTEM_CORE, KERNEL_MAP_CORE);

	sort(loader->symbols.text, loader->symbols.text_count, sizeof(*loader->symbols.text));
	if (!code)
		code = text_intervals(list, loader->symbols.text, loader->symbols.text_count,
				      SUBSYSTEM_CORE);
	for (size_t i = 0; !code && i < list->count; i++) {
		if (list->ranges[i].subsystem == SUBSYSTEM_CORE)
			continue;
		const char *name = kernel_name_sets[list->ranges[i].subsystem - 1].subsystem;
		int subsystem = kernel_map_intern(loader->map, name, strlen(name));
		if (subsystem < 0)
			return subsystem;
		list->ranges[i].subsystem = (uint16_t)subsystem;
	}
	if (code)
		return code;
	uint64_t last = loader->symbols.text[loader->symbols.text_count - 1].address;
	uint64_t end = last < UINT64_MAX ? last + 1 : last;
	if (end < X86_KERNEL_START || end > X86_MODULES_END)
		return range_list_add(list, end, SUBSYSTEM_CORE, KERNEL_MAP_CORE);
	/* Code there that is no module's is a BPF program, loaded later or without a symbol. */
	int bpf = kernel_map_intern(loader->map, "bpf", 3);
	if (bpf < 0)
		return bpf;
	code = range_list_add(list, end, (uint16_t)bpf, KERNEL_MAP_MODULE);
	return code ? code
		    : range_list_add(list, X86_MODULES_END, SUBSYSTEM_CORE, KERNEL_MAP_CORE);
}

/* modules.builtin.ranges over what the names told. */
static int patch_builtin(struct loader *loader, struct range_list *list)
{
	const struct builtin_ranges *builtin = &loader->builtin;
	struct range_patch *patches = calloc(builtin->range_count + 1, sizeof(*patches));
	struct range_list patched = {0};
	size_t count = 0, kept = 0;
	int code = patches ? 0 : -ENOMEM;

	for (size_t i = 0; !code && i < builtin->range_count; i++) {
		const struct builtin_range *range = &builtin->ranges[i];
		const struct builtin_anchor *anchor = &builtin->anchors[range->anchor];
		if (!anchor->address)
			continue;
		uint64_t base = anchor->address - anchor->offset;
		int subsystem =
			kernel_map_intern(loader->map, range->module, strlen(range->module));
		if (subsystem < 0)
			code = subsystem;
		patches[count++] = (struct range_patch){base + range->start, base + range->end,
							(uint16_t)subsystem};
	}
	if (!code && count) {
		sort(patches, count, sizeof(*patches));
		uint64_t done = 0;
		for (size_t i = 0; i < count; i++) {
			if (patches[i].start < done)
				patches[i].start = done;
			if (patches[i].start >= patches[i].end)
				continue;
			done = patches[i].end;
			patches[kept++] = patches[i];
		}
		code = range_list_patch(&patched, list, patches, kept, KERNEL_MAP_RANGES);
		range_list_clear(list);
		*list = patched;
	}
	free(patches);
	return code;
}

/* Loaded modules over everything; out is the map's own list. */
static int patch_modules(struct loader *loader, struct range_list *list, struct range_list *out)
{
	struct module_base *bases = calloc(loader->modules.count + 1, sizeof(*bases));
	struct range_patch *patches = NULL;
	size_t count = 0;
	int code = bases ? 0 : -ENOMEM;

	for (size_t i = 0; !code && i < loader->modules.count; i++) {
		const struct proc_module *module = &loader->modules.items[i];
		int subsystem =
			kernel_map_intern(loader->map, module->name, strlen(module->name));
		if (subsystem < 0)
			code = subsystem;
		bases[i] = (struct module_base){module->base, (uint16_t)subsystem};
	}
	sort(loader->symbols.module_symbols, loader->symbols.module_symbol_count,
	     sizeof(*loader->symbols.module_symbols));
	if (!code)
		code = module_text(&patches, &count, loader->symbols.module_symbols,
				   loader->symbols.module_symbol_count, bases,
				   loader->modules.count);
	if (!code)
		code = range_list_patch(out, list, patches, count, KERNEL_MAP_MODULE);
	free(patches);
	free(bases);
	return code;
}

static int make_ranges(struct loader *loader, struct error *error)
{
	struct range_list list = {0};
	int code = make_base_ranges(loader, &list);

	if (!code)
		code = patch_builtin(loader, &list);
	if (!code)
		code = patch_modules(loader, &list, &loader->map->ranges);
	range_list_clear(&list);
	return code ? error_set(error, code, "no memory for the kernel map") : 0;
}

static void mark_driver(void *data, const char *module)
{
	struct kernel_map *map = data;

	for (size_t i = 0; i < map->subsystem_count; i++) {
		if (strcmp(map->subsystems[i].name, module) == 0)
			map->subsystems[i].network = true;
	}
}

static int read_builtin_ranges(struct loader *loader, const char *path, struct error *error)
{
	char installed[128 + sizeof(struct utsname)];
	struct utsname name;

	if (path)
		return builtin_ranges_read(&loader->builtin, path, false, error);
	if (uname(&name))
		return error_set(error, -errno, "cannot tell the kernel's release: %m");
	snprintf(installed, sizeof(installed), "/lib/modules/%s/modules.builtin.ranges",
		 name.release);
	return builtin_ranges_read(&loader->builtin, installed, true, error);
}

static int load(struct loader *loader, const struct kernel_map_options *options,
		struct error *error)
{
	struct kernel_map *map = loader->map;
	int code = proc_modules_read(&loader->modules, map->modules, error);

	if (!code)
		code = read_builtin_ranges(loader, options ? options->builtin_ranges : NULL,
					   error);
	if (!code)
		code = kernel_symbols_read(&loader->symbols, map, &loader->builtin, error);
	if (!code)
		code = make_ranges(loader, error);
	if (code)
		return code;
	map->modules_fingerprint = proc_modules_fingerprint(&loader->modules);
	if (!options || !options->kallsyms)
		network_each_driver("/sys/class/net", mark_driver, map);
	return 0;
}

int kernel_map_load(struct kernel_map **out, const struct kernel_map_options *options,
		    struct error *error)
{
	struct loader loader = {.map = calloc(1, sizeof(struct kernel_map))};
	struct kernel_map *map = loader.map;
	int code;

	if (!map)
		return error_set(error, -ENOMEM, "no memory for the kernel map");
	map->kept = calloc(kernel_map_kept_count, sizeof(*map->kept));
	map->kallsyms =
		strdup(options && options->kallsyms ? options->kallsyms : "/proc/kallsyms");
	map->modules = strdup(options && options->modules ? options->modules : "/proc/modules");
	if (!map->kept || !map->kallsyms || !map->modules ||
	    kernel_map_intern(map, "core", 4) < 0)
		code = error_set(error, -ENOMEM, "no memory for the kernel map");
	else
		code = load(&loader, options, error);
	proc_modules_clear(&loader.modules);
	builtin_ranges_clear(&loader.builtin);
	kernel_symbols_clear(&loader.symbols);
	if (code)
		kernel_map_free(map);
	else
		*out = map;
	return code;
}
