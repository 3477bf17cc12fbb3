/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a copy of /proc/kallsyms, and as one of /proc/modules. */
#include <stdlib.h>

#include "fuzz_file.h"
#include "symbols/kernel_map.h"
#include "symbols/proc_modules.h"
#include "symbols/symbol_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *path = fuzz_file(bytes, size);
	struct kernel_map_options options = {.kallsyms = path, .modules = path};
	struct error error = {0};
	struct symbol_table *table;
	struct kernel_map *map;
	struct proc_modules modules = {0};

	if (symbol_table_read(&table, path, &error) == 0) {
		symbol_table_find(table, 0);
		symbol_table_find(table, UINT64_MAX);
		symbol_table_find(table, 0xffffffff81000000ULL);
		symbol_table_free(table);
	} else if (!error.message[0]) {
		abort();
	}
	proc_modules_read(&modules, path, &error);
	proc_modules_clear(&modules);
	options.modules = "/dev/null";
	if (kernel_map_load(&map, &options, &error) == 0) {
		enum kernel_map_method method;
		kernel_map_lookup(map, 0xffffffff81000000ULL, &method);
		kernel_map_lookup(map, 0, &method);
		kernel_map_free(map);
	}
	return 0;
}
