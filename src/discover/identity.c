/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "discover/proc_file.h"
#include "discover/vmm_options.h"

/* Command lines of QEMU reach some 20 kB, run-time XML some 100 kB. */
#define COMMAND_LINE_LIMIT ((size_t)256 << 10)
#define CGROUP_LIMIT	   ((size_t)64 << 10)
#define XML_LIMIT	   ((size_t)4 << 20)

/* Does the comma-separated list of controllers have "cpu"? */
static bool has_cpu_controller(const char *list, const char *end)
{
	while (list < end) {
		size_t length = strcspn(list, ",:");

		if (length == 3 && !strncmp(list, "cpu", 3))
			return true;
		list += length + 1;
	}
	return false;
}

/* Cuts what libvirt puts below the cgroup of a VM (src/hypervisor/virhypervisor, virCgroup). */
static void cut_thread_leaf(char *path)
{
	static const char *const leaves[] = {"/emulator", "/libvirt"};
	char *vcpu = strstr(path, "/libvirt/vcpu");

	if (vcpu)
		*vcpu = '\0';
	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
		size_t length = strlen(path), leaf = strlen(leaves[i]);

		if (length > leaf && !strcmp(path + length - leaf, leaves[i]))
			path[length - leaf] = '\0';
	}
}

int identity_cgroup_path(const char *text, char **path)
{
	const char *chosen = NULL;
	size_t length;

	*path = NULL;
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *controllers, *end;

		line += *line == '\n';
		controllers = strchr(line, ':');
		end = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!end || memchr(line, '\n', (size_t)(end - line)))
			continue;
		controllers++;
		if (has_cpu_controller(controllers, end)) {
			chosen = end + 1;
			break;
		}
		if (controllers == end)
			chosen = end + 1;
	}
	length = chosen ? strcspn(chosen, "\n") : 0;
	if (!length)
		return 0;
	*path = strndup(chosen, length);
	if (!*path)
		return -ENOMEM;
	cut_thread_leaf(*path);
	printable(*path);
	return 0;
}

/* Decodes the five entities of XML in place. */
static void decode_entities(char *text)
{
	static const struct {
		const char *entity;
		char character;
	} entities[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''},
	};
	char *to = text;

	while (*text) {
		size_t length = 1;
		char character = *text;

		for (size_t i = 0; *text == '&' && i < sizeof(entities) / sizeof(*entities);
		     i++) {
			if (strncmp(text, entities[i].entity, strlen(entities[i].entity)))
				continue;
			length = strlen(entities[i].entity);
			character = entities[i].character;
			break;
		}
		*to++ = character;
		text += length;
	}
	*to = '\0';
}

int identity_nova_name(const char *xml, char **name)
{
	static const char start[] = "<nova:name>", stop[] = "</nova:name>";
	const char *from = strstr(xml, start);
	const char *to = from ? strstr(from, stop) : NULL;

	*name = NULL;
	if (!to || to == from + sizeof(start) - 1)
		return 0;
	from += sizeof(start) - 1;
	*name = strndup(from, (size_t)(to - from));
	if (!*name)
		return -ENOMEM;
	decode_entities(*name);
	printable(*name);
	return 0;
}

/* libvirt's own file, seen through the root of pid 1 so that a container may look, too. */
static int read_display_name(const char *proc_root, struct vm *vm)
{
	static const char *const folders[] = {"run", "var/run"};

	if (strcmp(vm->vmm, "qemu") || strchr(vm->name, '/'))
		return 0;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t length;
		char *xml = proc_read(XML_LIMIT, &length, "%s/1/root/%s/libvirt/qemu/%s.xml",
				      proc_root, folders[i], vm->name);
		int error;

		if (!xml)
			continue;
		error = identity_nova_name(xml, &vm->display_name);
		free(xml);
		return error;
	}
	return 0;
}

static int read_cgroup(const char *proc_root, struct vm *vm)
{
	size_t length;
	char *text = proc_read(CGROUP_LIMIT, &length, "%s/%d/cgroup", proc_root, vm->pid);
	int error = 0;

	if (text)
		error = identity_cgroup_path(text, &vm->cgroup);
	free(text);
	return error;
}

/* The comm as the VMM's kind, for a VMM that is not known. */
static void vmm_from_comm(const char *proc_root, struct vm *vm)
{
	size_t length;
	char *comm = proc_read(sizeof(vm->vmm) - 1, &length, "%s/%d/comm", proc_root, vm->pid);

	if (comm)
		comm[strcspn(comm, "\n")] = '\0';
	snprintf(vm->vmm, sizeof(vm->vmm), "%s", comm && *comm ? comm : "unknown");
	printable(vm->vmm);
	free(comm);
}

static int read_options(const char *proc_root, struct vm *vm)
{
	char executable[PATH_MAX];
	ssize_t known =
		proc_link(executable, sizeof(executable), "%s/%d/exe", proc_root, vm->pid);
	struct vmm_options_found found;
	size_t length = 0;
	char *text =
		proc_read(COMMAND_LINE_LIMIT, &length, "%s/%d/cmdline", proc_root, vm->pid);
	int error;

	/* proc_read's 0 behind the text ends the last argument where the file was cut */
	error = vmm_options_parse(&(struct command_line){text, text ? length : 0},
				  known > 0 ? executable : NULL, &found);
	free(text);
	if (error)
		return error;
	vm->name = found.name;
	vm->uuid = found.uuid;
	memcpy(vm->vmm, found.vmm, sizeof(vm->vmm));
	if (vm->name)
		printable(vm->name);
	if (vm->uuid)
		printable(vm->uuid);
	return 0;
}

static int choose_id(struct vm *vm)
{
	char pid[24];
	const char *id = vm->uuid ? vm->uuid : vm->name;

	snprintf(pid, sizeof(pid), "%d", vm->pid);
	vm->id = strdup(id ? id : pid);
	if (!vm->id)
		return -ENOMEM;
	if (!vm->name && asprintf(&vm->name, "vm-%d", vm->pid) < 0) {
		vm->name = NULL;
		return -ENOMEM;
	}
	return 0;
}

int identity_read(const char *proc_root, struct vm *vm, struct error *error)
{
	int result = read_options(proc_root, vm);

	if (!result && !*vm->vmm)
		vmm_from_comm(proc_root, vm);
	if (!result)
		result = choose_id(vm);
	if (!result)
		result = read_cgroup(proc_root, vm);
	if (!result)
		result = read_display_name(proc_root, vm);
	if (result)
		return error_set(error, result, "no memory for the names of VM %d", vm->pid);
	return 0;
}
