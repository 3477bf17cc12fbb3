/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_RESOLVER_H
#define KVMPERF_REPORT_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "report/names.h"
#include "report/places.h"
#include "symbols/build_id.h"
#include "symbols/kernel_map.h"

struct recorded_process;
struct file_symbols;
struct symbol_table;

/* How far a place is told apart. */
enum place_detail {
	PLACE_BY_MODULE,
	PLACE_BY_SYMBOL,
	PLACE_BY_STACK,
};

/* A module of a recorded kernel, from a MMAP record; or the kernel itself. */
struct recorded_module {
	uint64_t start, end;
	char name[64];
};

/* The symbols of the guests' kernels: of one VM, or of all. */
struct guest_kernel {
	const char *vm; /* pid, name or id; NULL: all others; borrowed */
	struct kernel_map *map;
	struct symbol_table *symbols;
};

/* Tells the place of an address. */
struct resolver {
	struct names *names;
	struct places *places;
	enum place_detail detail;
	uint32_t version; /* grows when what was told may have become wrong */
	/* The host's kernel: read from kallsyms, or made of the recorded modules. */
	struct kernel_map *map;
	bool from_kallsyms;
	struct recorded_module *modules;
	size_t module_count, module_room;
	bool modules_changed;
	uint32_t *subsystem_names;	     /* of the map's subsystems */
	struct symbol_table *kernel_symbols; /* NULL: none */
	struct guest_kernel *guests;
	size_t guest_count, guest_room;
	/* Which guest kernel a process has, as the report knows it by names; may be NULL. */
	bool (*is_vm)(void *context, uint32_t pid, const char *selector);
	void *is_vm_context;
	struct file_symbols *files; /* of programs and libraries; NULL: not looked for */
	/* The recorded build id of a file; may be NULL. */
	void (*build_id)(void *context, const char *path, struct build_id *id);
	void *build_id_context;
	uint32_t *file_modules; /* by name of a file: what it is called, + 1; 0: not known */
	size_t file_room;
	uint32_t unknown, anonymous, guest_user, guest_kernel; /* names */
};

struct resolver_query {
	int mode; /* enum sample_mode */
	uint64_t address;
	const uint64_t *callchain;
	size_t callchain_length;
	const struct recorded_process *process;
};

/* names and places are not owned. -ENOMEM. */
int resolver_init(struct resolver *resolver, struct names *names, struct places *places);

/*
 * Uses the addresses of a file as /proc/kallsyms, with the modules of one as /proc/modules
 * (NULL: the recorded ones). symbols: functions shall be told apart. Errors: those of
 * kernel_map_load().
 */
int resolver_use_kallsyms(struct resolver *resolver, const char *kallsyms, const char *modules,
			  struct error *error);

/* The same for a guest's kernel; vm NULL: of all VMs that have none of their own. */
int resolver_use_guest(struct resolver *resolver, const char *vm, const char *kallsyms,
		       const char *modules, struct error *error);

/*
 * Takes a mapping of the host's kernel, as PERF_RECORD_MMAP names it: "[kernel.kallsyms]_text",
 * "/lib/modules/.../kvm.ko", "[kvm]". -ENOMEM.
 */
int resolver_add_module(struct resolver *resolver, const char *name, uint64_t start,
			uint64_t end);

/* The number of a place; PLACE_NONE without memory. */
uint32_t resolver_place(struct resolver *resolver, const struct resolver_query *query);

/* The same without giving a new number: PLACE_NONE also for a place that is new, or may be. */
uint32_t resolver_known_place(const struct resolver *resolver,
			      const struct resolver_query *query);

/* The map of the host's kernel that was used; made if need be. NULL without memory. */
struct kernel_map *resolver_kernel_map(struct resolver *resolver);

void resolver_clear(struct resolver *resolver);

#endif
