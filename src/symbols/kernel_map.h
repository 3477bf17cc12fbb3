/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_KERNEL_MAP_H
#define KVMPERF_SYMBOLS_KERNEL_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Which module or subsystem a kernel address belongs to. */
struct kernel_map;

/* How a range got its name; best first. */
enum kernel_map_method {
	KERNEL_MAP_MODULE,   /* module memory: a module, a BPF program, a trampoline */
	KERNEL_MAP_RANGES,   /* modules.builtin.ranges (6.12 and later) */
	KERNEL_MAP_INTERVAL, /* from one known function to another of its subsystem in link
				order */
	KERNEL_MAP_PREFIX,   /* a single function's own name or its prefix */
	KERNEL_MAP_CORE,     /* none of these: the kernel's core */
};
#define KERNEL_MAP_METHOD_COUNT (KERNEL_MAP_CORE + 1)

const char *kernel_map_method_name(enum kernel_map_method method);

/* Addresses from start up to the next range's start belong to one subsystem. */
struct kernel_range {
	uint64_t start;
	uint16_t subsystem; /* for kernel_map_name() */
	uint16_t method;    /* enum kernel_map_method */
};

struct kernel_map_options {
	const char *kallsyms; /* NULL: /proc/kallsyms */
	const char *modules;  /* NULL: /proc/modules; a file that isn't there: no modules */
	const char *builtin_ranges; /* NULL: /lib/modules/<release>/modules.builtin.ranges */
};

/*
 * Reads the map of the running kernel (or of the files named). *out is owned by the caller
 * (kernel_map_free). Errors: -EPERM when the addresses are hidden (all zero: kptr_restrict, no
 * CAP_SYSLOG), -EBADMSG for a malformed file, -ENOENT.
 */
int kernel_map_load(struct kernel_map **out, const struct kernel_map_options *options,
		    struct error *error);

/* Addresses from start up to end are of the module of this name. */
struct named_range {
	uint64_t start;
	uint64_t end;
	const char *name;
};

/*
 * Makes a map of what is known of modules alone, in any order; all else is "core". *out is
 * owned by the caller. -ENOMEM.
 */
int kernel_map_from_ranges(struct kernel_map **out, const struct named_range *ranges,
			   size_t count);

/*
 * The ranges in rising order of start, without overlap; neighbours differ in subsystem or
 * method. The first starts at 0 (what lies below the kernel's text is "core"); the last covers
 * everything above. *count is their number. Owned by the map.
 */
const struct kernel_range *kernel_map_ranges(const struct kernel_map *map, size_t *count);

/* The subsystem of an address; never fails ("core" at worst). */
uint16_t kernel_map_lookup(const struct kernel_map *map, uint64_t address,
			   enum kernel_map_method *method);

/*
 * The subsystem's name: "kvm", "kvm_amd", "tun", "bridge", "net", "sched", "core", ... A module
 * has one name whether it is loaded or built in. Identifiers hold for this map only: another
 * map numbers the names anew, except 0, which is always "core".
 */
const char *kernel_map_name(const struct kernel_map *map, uint16_t subsystem);

/* The number of subsystems: valid identifiers are 0 to count - 1. */
size_t kernel_map_count(const struct kernel_map *map);

/*
 * Does the subsystem move network packets? By its name, or since the driver of a network
 * interface present when the map was read is a module of that name (/sys/class/net).
 */
int kernel_map_is_network(const struct kernel_map *map, uint16_t subsystem);

/*
 * The address of a symbol (code or data), or 0. Symbols listed in kernel_symbols.c were kept
 * when the map was read; any other is looked for in kallsyms anew, which takes some 30 ms.
 */
uint64_t kernel_map_symbol(const struct kernel_map *map, const char *name);

/*
 * Other than 0 when modules were loaded or unloaded since the map was read, so that the caller
 * loads it anew. Reads /proc/modules, some microseconds a module; 0 where there is none.
 */
int kernel_map_stale(const struct kernel_map *map);

/* NULL is allowed. */
void kernel_map_free(struct kernel_map *map);

#endif
