/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/vmm_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The argument after this one (which ends within the line), or NULL. */
static const char *next_argument(const struct command_line *line, const char *argument)
{
	const char *end = line->text + line->length;
	const char *next;

	if (!argument)
		return line->length ? line->text : NULL;
	next = memchr(argument, '\0', (size_t)(end - argument));
	return next && next + 1 < end ? next + 1 : NULL;
}

/*
 * The value of an option, given as 'option value' or 'option=value'; the search goes on behind
 * *at (NULL: from the start), where the match is left. NULL when there is none.
 */
static const char *next_option(const struct command_line *line, const char *option,
			       const char **at)
{
	size_t length = strlen(option);
	const char *argument = *at;

	while ((argument = next_argument(line, argument))) {
		if (strncmp(argument, option, length))
			continue;
		*at = argument;
		if (argument[length] == '=')
			return argument + length + 1;
		if (!argument[length])
			return next_argument(line, argument);
	}
	return NULL;
}

static const char *find_option(const struct command_line *line, const char *option)
{
	const char *at = NULL;

	return next_option(line, option, &at);
}

/*
 * Copies the value of key in a list of QEMU's form 'a=b,c=d' into a new string. With implied, a
 * first value without a key counts as key's. *value stays NULL when the key isn't there.
 */
static int list_value(const char *list, const char *key, bool implied, char **value)
{
	size_t length = strlen(key);
	bool first = true;
	char *copy = NULL;

	while (*list) {
		const char *item = list;
		bool wanted = !strncmp(item, key, length) && item[length] == '=';
		size_t used = 0;

		if (wanted)
			list += length + 1;
		else if (first && implied && item[strcspn(item, "=,")] != '=')
			wanted = true;
		first = false;
		if (wanted) {
			free(copy); /* as in QEMU, the last one counts */
			copy = malloc(strlen(list) + 1);
			if (!copy)
				return -ENOMEM;
		}
		for (; *list && (*list != ',' || list[1] == ','); list++) {
			if (*list == ',')
				list++;
			if (wanted)
				copy[used++] = *list;
		}
		if (wanted)
			copy[used] = '\0';
		if (*list == ',')
			list++;
	}
	if (copy && !*copy) {
		free(copy);
		copy = NULL;
	}
	if (copy) {
		free(*value);
		*value = copy;
	}
	return 0;
}

static int copy_string(char **out, const char *text, size_t length)
{
	if (!length)
		return 0;
	*out = strndup(text, length);
	return *out ? 0 : -ENOMEM;
}

static int copy_option(const struct command_line *line, const char *option, char **out)
{
	const char *value = find_option(line, option);

	return value ? copy_string(out, value, strlen(value)) : 0;
}

static int parse_qemu(const struct command_line *line, struct vmm_options_found *out)
{
	const char *at = NULL, *value;
	int error = 0;

	while (!error && (value = next_option(line, "-name", &at)))
		error = list_value(value, "guest", true, &out->name);
	if (!out->name)
		for (at = NULL; !error && (value = next_option(line, "--name", &at));)
			error = list_value(value, "guest", true, &out->name);
	if (!error)
		error = copy_option(line, "-uuid", &out->uuid);
	for (at = NULL; !error && !out->uuid && (value = next_option(line, "-smbios", &at));)
		if (!strncmp(value, "type=1,", 7))
			error = list_value(value, "uuid", false, &out->uuid);
	return error;
}

/* The basename of a socket's path without its suffix; Kata's sandbox for Kata's sockets. */
static int name_from_socket(const char *path, char **name)
{
	static const char kata[] = "/run/vc/vm/";
	const char *base = strrchr(path, '/'), *dot;

	if (!strncmp(path, kata, sizeof(kata) - 1)) {
		const char *sandbox = path + sizeof(kata) - 1;
		size_t length = strcspn(sandbox, "/");

		*name = malloc(sizeof("sandbox-") + length);
		if (!*name)
			return -ENOMEM;
		memcpy(*name, "sandbox-", sizeof("sandbox-") - 1);
		memcpy(*name + sizeof("sandbox-") - 1, sandbox, length);
		(*name)[sizeof("sandbox-") - 1 + length] = '\0';
		return 0;
	}
	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	return copy_string(name, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

static int parse_cloud_hypervisor(const struct command_line *line,
				  struct vmm_options_found *out)
{
	const char *socket = find_option(line, "--api-socket");
	const char *platform = find_option(line, "--platform");
	char *path = NULL;
	int error = 0;

	if (socket)
		error = list_value(socket, "path", true, &path);
	if (!error && path)
		error = name_from_socket(path, &out->name);
	if (!error && platform)
		error = list_value(platform, "uuid", false, &out->uuid);
	free(path);
	return error;
}

static int parse_firecracker(const struct command_line *line, struct vmm_options_found *out)
{
	return copy_option(line, "--id", &out->name);
}

static int parse_crosvm(const struct command_line *line, struct vmm_options_found *out)
{
	const char *socket = find_option(line, "--socket");
	int error = copy_option(line, "--name", &out->name);

	if (!socket)
		socket = find_option(line, "-s");
	if (!error && !out->name && socket)
		error = name_from_socket(socket, &out->name);
	return error;
}

/* Dragonball, the VMM inside Kata's shim: the container's id is the VM's. */
static int parse_kata_shim(const struct command_line *line, struct vmm_options_found *out)
{
	const char *id = find_option(line, "-id");
	size_t length = id ? strlen(id) : 0;

	if (!length)
		return 0;
	out->name = malloc(sizeof("sandbox-") + length);
	if (!out->name)
		return -ENOMEM;
	memcpy(out->name, "sandbox-", sizeof("sandbox-") - 1);
	memcpy(out->name + sizeof("sandbox-") - 1, id, length + 1);
	return 0;
}

/* A QEMU whose program has another name: no other VMM has single-dash long options. */
static bool has_qemu_options(const struct command_line *line)
{
	return find_option(line, "-name") &&
	       (find_option(line, "-machine") || find_option(line, "-accel") ||
		find_option(line, "-cpu"));
}

static int parse_other(const struct command_line *line, struct vmm_options_found *out)
{
	return copy_option(line, "--name", &out->name);
}

/* By the program's file name; a prefix ends in '*'. */
static const struct vmm_kind {
	const char *program;
	const char *vmm;
	int (*parse)(const struct command_line *line, struct vmm_options_found *out);
} kinds[] = {
	{"qemu-system-*", "qemu", parse_qemu},
	{"qemu-kvm*", "qemu", parse_qemu}, /* Red Hat */
	{"qemu*", "qemu", parse_qemu},	   /* Kata's qemu-cc, ... */
	{"kvm", "qemu", parse_qemu},	   /* Debian's and Proxmox's link */
	{"firecracker*", "firecracker", parse_firecracker},
	{"cloud-hypervisor*", "cloud-hypervisor", parse_cloud_hypervisor},
	{"crosvm*", "crosvm", parse_crosvm},
	{"lkvm*", "kvmtool", parse_other},
	{"kvmtool*", "kvmtool", parse_other},
	{"containerd-shim-kata*", "dragonball", parse_kata_shim},
};
static const struct vmm_kind qemu_of_other_name = {"*", "qemu", parse_qemu};

static const struct vmm_kind *find_kind(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *program = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t length = strlen(kinds[i].program);

		if (kinds[i].program[length - 1] == '*'
			    ? !strncmp(program, kinds[i].program, length - 1)
			    : !strcmp(program, kinds[i].program))
			return &kinds[i];
	}
	return NULL;
}

const char *vmm_of_executable(const char *path)
{
	const struct vmm_kind *kind = find_kind(path);

	return kind ? kind->vmm : NULL;
}

int vmm_options_parse(const struct command_line *line, const char *executable,
		      struct vmm_options_found *out)
{
	const struct vmm_kind *kind = NULL;
	int error;

	*out = (struct vmm_options_found){0};
	if (executable)
		kind = find_kind(executable);
	if (!kind && line->length)
		kind = find_kind(line->text);
	if (!kind && has_qemu_options(line))
		kind = &qemu_of_other_name;
	error = kind ? kind->parse(line, out) : parse_other(line, out);
	if (kind)
		strcpy(out->vmm, kind->vmm);
	if (error) {
		free(out->name);
		free(out->uuid);
		*out = (struct vmm_options_found){0};
	}
	return error;
}
