/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/kernel_mappings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "symbols/kallsyms.h"
#include "symbols/proc_modules.h"

/* The body of PERF_RECORD_MMAP, include/uapi/linux/perf_event.h. */
struct mmap_body {
	uint32_t pid, tid;
	uint64_t address, length, offset;
	char filename[PATH_MAX];
};

static int record_mapping(struct perf_data_writer *writer, struct mmap_body *body,
			  struct error *error)
{
	size_t length = offsetof(struct mmap_body, filename) + strlen(body->filename) + 1;

	body->pid = (uint32_t)-1; /* the kernel's, to perf */
	return perf_data_write_record(writer, PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL, body,
				      length, true, error);
}

struct text_bounds {
	uint64_t text, stext, etext; /* the symbols' addresses; 0: not there */
};

static int find_bounds(void *data, const struct kallsyms_symbol *symbol)
{
	struct text_bounds *bounds = data;
	const struct {
		const char *name;
		uint64_t *address;
	} wanted[] = {
		{"_text", &bounds->text},
		{"_stext", &bounds->stext},
		{"_etext", &bounds->etext},
	};

	for (size_t i = 0; i < 3; i++)
		if (strlen(wanted[i].name) == symbol->name_length &&
		    memcmp(symbol->name, wanted[i].name, symbol->name_length) == 0)
			*wanted[i].address = symbol->address;
	/* Other than 0 ends the reading; modules come after the kernel. */
	return bounds->etext || symbol->module_length;
}

static int record_kernel(struct perf_data_writer *writer, struct mapped_files *files,
			 struct error *error)
{
	struct text_bounds bounds = {0};
	struct mmap_body body = {0};
	struct build_id build_id;
	int code = kallsyms_read("/proc/kallsyms", find_bounds, &bounds, error);

	if (code < 0)
		return code;
	/* Perf takes the file's offset for the address of the symbol in its name. */
	body.offset = body.address = bounds.text ? bounds.text : bounds.stext;
	body.length = (bounds.etext ? bounds.etext : UINT64_MAX) - body.address;
	snprintf(body.filename, sizeof(body.filename), "[kernel.kallsyms]%s",
		 bounds.text ? "_text" : "_stext");
	if (body.address == 0)
		return error_set(error, -EPERM,
				 "the kernel's addresses are hidden: run as root or with "
				 "CAP_SYSLOG");
	build_id_of_kernel(NULL, &build_id);
	if (mapped_files_add_kernel(files, "[kernel.kallsyms]", &build_id))
		return error_set(error, -ENOMEM, "no memory for the kernel's files");
	return record_mapping(writer, &body, error);
}

/* Does a path of modules.dep, "kernel/net/tun.ko.xz", name the module? - and _ are the same. */
static bool names_module(const char *path, size_t length, const char *module)
{
	const char *start = path + length;

	while (start > path && start[-1] != '/')
		start--;
	for (; *module; module++, start++)
		if (start >= path + length ||
		    (*start != *module && !(*start == '-' && *module == '_')))
			return false;
	return (size_t)(path + length - start) >= 3 && memcmp(start, ".ko", 3) == 0;
}

struct modules_dep {
	char directory[128]; /* /lib/modules/RELEASE */
	char *text;	     /* of modules.dep; NULL where it isn't there */
};

static void read_modules_dep(struct modules_dep *dep)
{
	struct utsname system;
	char path[192];
	size_t size = 0;

	*dep = (struct modules_dep){0};
	if (uname(&system))
		return;
	snprintf(dep->directory, sizeof(dep->directory), "/lib/modules/%s", system.release);
	snprintf(path, sizeof(path), "%s/modules.dep", dep->directory);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	if (getdelim(&dep->text, &size, '\0', file) < 0) {
		free(dep->text);
		dep->text = NULL;
	}
	fclose(file);
}

/* The module's file, or "[name]" as perf has it where that isn't known. */
static void module_file(const struct modules_dep *dep, const char *module, char *path,
			size_t size)
{
	for (const char *line = dep->text; line && *line;) {
		size_t length = strcspn(line, ":\n");
		if (names_module(line, length, module)) {
			snprintf(path, size, "%s/%.*s", dep->directory, (int)length, line);
			return;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	snprintf(path, size, "[%s]", module);
}

static int record_modules(struct perf_data_writer *writer, struct mapped_files *files,
			  struct error *error)
{
	struct proc_modules modules;
	struct modules_dep dep;
	int code = proc_modules_read(&modules, "/proc/modules", error);

	if (code)
		return code;
	read_modules_dep(&dep);
	for (size_t i = 0; !code && i < modules.count; i++) {
		const struct proc_module *module = &modules.items[i];
		struct mmap_body body = {.address = module->base, .length = module->size};
		struct build_id build_id;
		if (module->base == 0)
			continue;
		module_file(&dep, module->name, body.filename, sizeof(body.filename));
		build_id_of_module(NULL, module->name, &build_id);
		if (mapped_files_add_kernel(files, body.filename, &build_id))
			code = error_set(error, -ENOMEM, "no memory for the kernel's files");
		if (!code)
			code = record_mapping(writer, &body, error);
	}
	free(dep.text);
	proc_modules_clear(&modules);
	return code;
}

int kernel_mappings_record(struct perf_data_writer *writer, struct mapped_files *files,
			   struct error *error)
{
	int code = record_kernel(writer, files, error);

	return code ? code : record_modules(writer, files, error);
}
