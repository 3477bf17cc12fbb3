/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/resolver.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/profile.h"
#include "symbols/file_symbols.h"
#include "symbols/symbol_table.h"

/* More than any kernel has modules and BPF programs. */
#define MODULES_MAX 20000

/* No stack is deeper (kernel.perf_event_max_stack is 127 by default). */
#define STACK_MAX 1024

int resolver_init(struct resolver *resolver, struct names *names, struct places *places)
{
	resolver->names = names;
	resolver->places = places;
	resolver->modules_changed = true;
	resolver->unknown = names_intern(names, "[unknown]", 9);
	resolver->anonymous = names_intern(names, "[anon]", 6);
	resolver->guest_user = names_intern(names, "[guest user]", 12);
	resolver->guest_kernel = names_intern(names, "[guest kernel]", 14);
	return resolver->guest_kernel == NAME_NONE || resolver->unknown == NAME_NONE ||
			       resolver->anonymous == NAME_NONE ||
			       resolver->guest_user == NAME_NONE
		       ? -ENOMEM
		       : 0;
}

/* Names of the map's subsystems become names of the profile. */
static int name_subsystems(struct resolver *resolver)
{
	size_t count = kernel_map_count(resolver->map);
	uint32_t *names = calloc(count, sizeof(*names));

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *name = kernel_map_name(resolver->map, (uint16_t)i);
		names[i] = names_intern(resolver->names, name, strlen(name));
		if (names[i] == NAME_NONE) {
			free(names);
			return -ENOMEM;
		}
	}
	free(resolver->subsystem_names);
	resolver->subsystem_names = names;
	resolver->version++;
	return 0;
}

/* A file that isn't there means no list of modules. */
static const char *modules_or_none(const char *modules)
{
	return modules ? modules : "/dev/null";
}

int resolver_use_kallsyms(struct resolver *resolver, const char *kallsyms, const char *modules,
			  struct error *error)
{
	struct kernel_map_options options = {.kallsyms = kallsyms,
					     .modules = modules_or_none(modules)};
	int code = kernel_map_load(&resolver->map, &options, error);

	if (!code && resolver->detail != PLACE_BY_MODULE)
		code = symbol_table_read(&resolver->kernel_symbols, kallsyms, error);
	if (code)
		return code;
	resolver->from_kallsyms = true;
	resolver->modules_changed = false;
	return name_subsystems(resolver)
		       ? error_set(error, -ENOMEM, "no memory for %s", kallsyms)
		       : 0;
}

int resolver_use_guest(struct resolver *resolver, const char *vm, const char *kallsyms,
		       const char *modules, struct error *error)
{
	if (array_reserve(&resolver->guests, &resolver->guest_room, resolver->guest_count + 1,
			  sizeof(*resolver->guests)))
		return error_set(error, -ENOMEM, "no memory for the guests' symbols");
	struct guest_kernel *guest = &resolver->guests[resolver->guest_count];
	struct kernel_map_options options = {.kallsyms = kallsyms,
					     .modules = modules_or_none(modules)};
	*guest = (struct guest_kernel){.vm = vm};
	int code = kernel_map_load(&guest->map, &options, error);
	if (!code)
		code = symbol_table_read(&guest->symbols, kallsyms, error);
	if (code) {
		kernel_map_free(guest->map);
		return code;
	}
	resolver->guest_count++;
	return 0;
}

/* "/lib/modules/.../kvm-amd.ko.xz" is kvm_amd; "[kvm]" is kvm; "[kernel.kallsyms]_text" core */
static void module_name(const char *recorded, char *name, size_t room)
{
	const char *slash = strrchr(recorded, '/');
	const char *start = slash ? slash + 1 : recorded + (*recorded == '[');
	size_t length = slash ? strcspn(start, ".") : strcspn(start, "]");

	if (strncmp(recorded, "[kernel", 7) == 0) {
		start = "core";
		length = 4;
	}
	if (length >= room)
		length = room - 1;
	memcpy(name, start, length);
	name[length] = '\0';
	for (char *at = name; *at; at++)
		if (*at == '-')
			*at = '_';
}

int resolver_add_module(struct resolver *resolver, const char *name, uint64_t start,
			uint64_t end)
{
	if (resolver->from_kallsyms || end <= start || resolver->module_count >= MODULES_MAX)
		return 0;
	if (array_reserve(&resolver->modules, &resolver->module_room,
			  resolver->module_count + 1, sizeof(*resolver->modules)))
		return -ENOMEM;
	struct recorded_module *module = &resolver->modules[resolver->module_count++];
	module->start = start;
	module->end = end;
	module_name(name, module->name, sizeof(module->name));
	resolver->modules_changed = true;
	resolver->version++;
	return 0;
}

struct kernel_map *resolver_kernel_map(struct resolver *resolver)
{
	struct named_range *ranges;
	struct kernel_map *map;

	if (!resolver->modules_changed)
		return resolver->map;
	ranges = calloc(resolver->module_count + 1, sizeof(*ranges));
	if (!ranges)
		return NULL;
	for (size_t i = 0; i < resolver->module_count; i++)
		ranges[i] = (struct named_range){resolver->modules[i].start,
						 resolver->modules[i].end,
						 resolver->modules[i].name};
	int code = kernel_map_from_ranges(&map, ranges, resolver->module_count);
	free(ranges);
	if (code)
		return NULL;
	kernel_map_free(resolver->map);
	resolver->map = map;
	resolver->modules_changed = false;
	return name_subsystems(resolver) ? NULL : map;
}

static uint32_t name_or(struct resolver *resolver, const char *name, uint32_t otherwise)
{
	return name ? names_intern(resolver->names, name, strlen(name)) : otherwise;
}

static bool place_in_kernel(struct resolver *resolver, uint64_t address, uint32_t *module,
			    uint32_t *symbol)
{
	enum kernel_map_method method;

	if (!resolver_kernel_map(resolver))
		return false;
	*module = resolver->subsystem_names[kernel_map_lookup(resolver->map, address, &method)];
	*symbol = NAME_NONE;
	if (resolver->detail != PLACE_BY_MODULE)
		*symbol = name_or(resolver,
				  resolver->kernel_symbols
					  ? symbol_table_find(resolver->kernel_symbols, address)
					  : NULL,
				  resolver->unknown);
	return true;
}

static const struct guest_kernel *guest_of(const struct resolver *resolver, uint32_t pid)
{
	const struct guest_kernel *any = NULL;

	for (size_t i = 0; i < resolver->guest_count; i++) {
		const struct guest_kernel *guest = &resolver->guests[i];
		if (!guest->vm)
			any = guest;
		else if (resolver->is_vm &&
			 resolver->is_vm(resolver->is_vm_context, pid, guest->vm))
			return guest;
	}
	return any;
}

static bool place_in_guest(struct resolver *resolver, const struct resolver_query *query,
			   uint64_t address, uint32_t *module, uint32_t *symbol)
{
	enum kernel_map_method method;
	const struct guest_kernel *guest = NULL;

	*module = query->mode == SAMPLE_GUEST_KERNEL ? resolver->guest_kernel
						     : resolver->guest_user;
	*symbol = NAME_NONE;
	if (resolver->detail == PLACE_BY_MODULE || query->mode != SAMPLE_GUEST_KERNEL)
		return true;
	*symbol = resolver->unknown;
	guest = guest_of(resolver, query->process->pid);
	if (!guest)
		return true;
	const char *name =
		kernel_map_name(guest->map, kernel_map_lookup(guest->map, address, &method));
	*module = names_intern(resolver->names, name, strlen(name));
	*symbol = name_or(resolver, symbol_table_find(guest->symbols, address),
			  resolver->unknown);
	return true;
}

/* What a mapped file is called: "/usr/lib/libc.so.6 (deleted)" is libc.so.6. */
static uint32_t name_of_path(struct resolver *resolver, const char *path)
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(path);

	if (length >= sizeof(deleted) &&
	    strcmp(path + length + 1 - sizeof(deleted), deleted) == 0)
		length -= sizeof(deleted) - 1;
	if (path[0] == '[')
		return names_intern(resolver->names, path, length);
	if (path[0] != '/' || strncmp(path, "//", 2) == 0 || length < 2)
		return resolver->anonymous;
	size_t start = length;
	while (path[start - 1] != '/')
		start--;
	return names_intern(resolver->names, path + start, length - start);
}

/* The same of a file's name, remembered. NAME_NONE without memory. */
static uint32_t module_of_file(struct resolver *resolver, uint32_t file)
{
	if (file >= resolver->file_room || !resolver->file_modules[file]) {
		uint32_t module = name_of_path(resolver, resolver->names->texts[file]);
		if (module == NAME_NONE ||
		    array_reserve(&resolver->file_modules, &resolver->file_room,
				  (size_t)file + 1, sizeof(*resolver->file_modules)))
			return NAME_NONE;
		resolver->file_modules[file] = module + 1;
	}
	return resolver->file_modules[file] - 1;
}

static const char *function_of(struct resolver *resolver, const char *path, uint64_t offset)
{
	struct build_id id = {0};

	if (!resolver->files)
		return NULL;
	if (resolver->build_id)
		resolver->build_id(resolver->build_id_context, path, &id);
	return file_symbols_find(resolver->files, path, &id, offset);
}

static bool place_in_user(struct resolver *resolver, const struct resolver_query *query,
			  uint64_t address, uint32_t *module, uint32_t *symbol)
{
	const struct mapping *mapping = address_space_find(query->process->space, address);

	*module = resolver->unknown;
	*symbol = resolver->detail == PLACE_BY_MODULE ? NAME_NONE : resolver->unknown;
	if (!mapping)
		return true;
	*module = module_of_file(resolver, mapping->file);
	if (resolver->detail != PLACE_BY_MODULE)
		*symbol = name_or(resolver,
				  function_of(resolver, resolver->names->texts[mapping->file],
					      address - mapping->start + mapping->offset),
				  resolver->unknown);
	return true;
}

/* The place of one frame; PLACE_NONE without memory. */
static uint32_t place_frame(struct resolver *resolver, const struct resolver_query *query,
			    int mode, uint64_t address, uint32_t parent)
{
	uint32_t module = NAME_NONE, symbol = NAME_NONE;
	bool good;

	if (mode <= SAMPLE_GUEST)
		good = place_in_guest(resolver, query, address, &module, &symbol);
	else if (mode == SAMPLE_USER)
		good = place_in_user(resolver, query, address, &module, &symbol);
	else
		good = place_in_kernel(resolver, address, &module, &symbol);
	if (!good || module == NAME_NONE)
		return PLACE_NONE;
	return places_intern(resolver->places, parent, module, symbol);
}

uint32_t resolver_place(struct resolver *resolver, const struct resolver_query *query)
{
	uint32_t parent = PLACE_NONE;
	int modes[STACK_MAX];
	uint64_t addresses[STACK_MAX];
	size_t depth = 0;
	int mode = query->mode;

	if (resolver->detail != PLACE_BY_STACK)
		return place_frame(resolver, query, mode, query->address, PLACE_NONE);
	/* Callers come innermost first, with marks where the mode changes. */
	for (size_t i = 0; i < query->callchain_length && depth < STACK_MAX; i++) {
		uint64_t address = query->callchain[i];
		switch (address) {
		case PERF_CONTEXT_KERNEL: mode = SAMPLE_KERNEL; continue;
		case PERF_CONTEXT_USER: mode = SAMPLE_USER; continue;
		case PERF_CONTEXT_GUEST_KERNEL: mode = SAMPLE_GUEST_KERNEL; continue;
		case PERF_CONTEXT_GUEST_USER: mode = SAMPLE_GUEST_USER; continue;
		case PERF_CONTEXT_HV:
		case PERF_CONTEXT_GUEST: mode = query->mode; continue;
		default: break;
		}
		if (address >= PERF_CONTEXT_MAX)
			continue;
		/* The first is the sample's own address. */
		if (depth == 0 && address == query->address)
			continue;
		modes[depth] = mode;
		/* A return address stands behind its call. */
		addresses[depth++] = address ? address - 1 : 0;
	}
	while (depth--) {
		parent = place_frame(resolver, query, modes[depth], addresses[depth], parent);
		if (parent == PLACE_NONE)
			return PLACE_NONE;
	}
	return place_frame(resolver, query, query->mode, query->address, parent);
}

uint32_t resolver_known_place(const struct resolver *resolver,
			      const struct resolver_query *query)
{
	const struct mapping *mapping;
	enum kernel_map_method method;
	uint32_t module = resolver->guest_user;

	if (resolver->detail != PLACE_BY_MODULE)
		return PLACE_NONE;
	if (query->mode == SAMPLE_GUEST_KERNEL) {
		module = resolver->guest_kernel;
	} else if (query->mode == SAMPLE_USER) {
		mapping = address_space_find(query->process->space, query->address);
		module = resolver->unknown;
		if (mapping && mapping->file < resolver->file_room)
			module = resolver->file_modules[mapping->file] - 1;
		else if (mapping)
			return PLACE_NONE;
	} else if (query->mode >= SAMPLE_KERNEL) {
		if (resolver->modules_changed)
			return PLACE_NONE;
		module = resolver->subsystem_names[kernel_map_lookup(resolver->map,
								     query->address, &method)];
	}
	return places_find(resolver->places, PLACE_NONE, module, NAME_NONE);
}

void resolver_clear(struct resolver *resolver)
{
	for (size_t i = 0; i < resolver->guest_count; i++) {
		symbol_table_free(resolver->guests[i].symbols);
		kernel_map_free(resolver->guests[i].map);
	}
	free(resolver->guests);
	free(resolver->modules);
	free(resolver->subsystem_names);
	free(resolver->file_modules);
	symbol_table_free(resolver->kernel_symbols);
	file_symbols_free(resolver->files);
	kernel_map_free(resolver->map);
	*resolver = (struct resolver){0};
}
