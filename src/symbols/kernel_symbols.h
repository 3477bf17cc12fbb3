/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_KERNEL_SYMBOLS_H
#define KVMPERF_SYMBOLS_KERNEL_SYMBOLS_H

#include "base/error.h"
#include "symbols/builtin_ranges.h"
#include "symbols/kernel_map_data.h"
#include "symbols/module_text.h"
#include "symbols/text_intervals.h"

/* The functions that kallsyms lists, in its order; zero-initialized it is empty. */
struct kernel_symbols {
	struct text_symbol *text; /* the kernel's own; subsystem: index of the name set + 1 */
	size_t text_count;
	size_t text_room;
	struct module_symbol *module_symbols; /* with the map's subsystems */
	size_t module_symbol_count;
	size_t module_symbol_room;
};

/*
 * Reads map->kallsyms into out, which is owned by the caller (kernel_symbols_clear, on failure
 * too). Names of modules become subsystems of the map; kept symbols and the anchors of builtin
 * get their addresses. Errors: those of kernel_map_load().
 */
int kernel_symbols_read(struct kernel_symbols *out, struct kernel_map *map,
			struct builtin_ranges *builtin, struct error *error);

void kernel_symbols_clear(struct kernel_symbols *symbols);

#endif
