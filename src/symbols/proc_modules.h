/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_PROC_MODULES_H
#define KVMPERF_SYMBOLS_PROC_MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A loaded module, as /proc/modules shows it (kernel/module/procfs.c, m_show). */
struct proc_module {
	char name[64]; /* MODULE_NAME_LEN */
	uint64_t base; /* of its text; 0 when hidden */
	uint64_t size; /* of all its memory, bytes */
};

struct proc_modules {
	struct proc_module *items; /* in the order of the file */
	size_t count;
	size_t room;
};

/*
 * Reads the list; out is owned by the caller (proc_modules_clear). A file that is not there
 * (CONFIG_MODULES is off) is an empty list. Errors: -EBADMSG for a malformed file, -ENOMEM.
 */
int proc_modules_read(struct proc_modules *out, const char *path, struct error *error);

/* Differs when modules were loaded, unloaded or loaded again elsewhere. */
uint64_t proc_modules_fingerprint(const struct proc_modules *modules);

void proc_modules_clear(struct proc_modules *modules);

#endif
