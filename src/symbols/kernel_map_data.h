/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_KERNEL_MAP_DATA_H
#define KVMPERF_SYMBOLS_KERNEL_MAP_DATA_H

#include <stdbool.h>

#include "symbols/range_list.h"

/* What a kernel map is made of: for the files that make and read one. */

#define SUBSYSTEM_CORE 0

struct kernel_subsystem {
	char *name;
	bool network;
};

struct kernel_map {
	struct range_list ranges;
	struct kernel_subsystem *subsystems; /* the first is "core" */
	size_t subsystem_count;
	size_t subsystem_room;
	uint64_t *kept; /* addresses of kernel_map_kept_names, 0 where there is none */
	char *kallsyms; /* the files it was read from */
	char *modules;
	uint64_t modules_fingerprint;
};

/* Symbols that callers ask for: their addresses are kept. */
extern const char *const kernel_map_kept_names[];
extern const size_t kernel_map_kept_count;

/* The subsystem of this name, a new one if need be; or -ENOMEM. */
int kernel_map_intern(struct kernel_map *map, const char *name, size_t length);

#endif
