/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/proc_modules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* "kvm 1146880 1 kvm_amd, Live 0xffffffffc0206000", then perhaps taints */
static int parse_line(const char *line, struct proc_module *module)
{
	int end = 0;

	*module = (struct proc_module){0};
	if (sscanf(line, "%63[^ ] %" SCNu64 " %*s %*s %*s 0x%" SCNx64 "%n", module->name,
		   &module->size, &module->base, &end) != 3 ||
	    (line[end] != '\n' && line[end] != ' '))
		return -EBADMSG;
	return 0;
}

static int read_file(struct proc_modules *out, FILE *file, const char *path,
		     struct error *error)
{
	char *line = NULL;
	size_t size = 0;
	int code = 0;

	while (!code && getline(&line, &size, file) >= 0) {
		if (array_reserve(&out->items, &out->room, out->count + 1, sizeof(*out->items)))
			code = error_set(error, -ENOMEM, "no memory for %s", path);
		else if (parse_line(line, &out->items[out->count]))
			code = error_set(error, -EBADMSG, "%s: line %zu is not a module", path,
					 out->count + 1);
		else
			out->count++;
	}
	if (!code && !feof(file))
		code = error_set(error, -EIO, "cannot read %s", path);
	free(line);
	return code;
}

int proc_modules_read(struct proc_modules *out, const char *path, struct error *error)
{
	FILE *file = fopen(path, "re");

	*out = (struct proc_modules){0};
	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return error_set(error, -errno, "cannot open %s: %m", path);
	int code = read_file(out, file, path, error);
	fclose(file);
	if (code)
		proc_modules_clear(out);
	return code;
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 1099511628211ULL;
	return hash;
}

uint64_t proc_modules_fingerprint(const struct proc_modules *modules)
{
	uint64_t hash = 14695981039346656037ULL;

	for (size_t i = 0; i < modules->count; i++) {
		const struct proc_module *module = &modules->items[i];
		hash = mix(hash, module->name, strlen(module->name) + 1);
		hash = mix(hash, &module->base, sizeof(module->base));
	}
	return hash;
}

void proc_modules_clear(struct proc_modules *modules)
{
	free(modules->items);
	*modules = (struct proc_modules){0};
}
