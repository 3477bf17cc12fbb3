/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_KALLSYMS_H
#define KVMPERF_SYMBOLS_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One line of /proc/kallsyms. The strings are not 0-ended and valid for the call only. */
struct kallsyms_symbol {
	uint64_t address;
	char type; /* as nm prints it: t and T are text, w and W weak */
	const char *name;
	size_t name_length;
	const char *
		module; /* without brackets; "bpf" and "__builtin__ftrace" are pseudo-modules */
	size_t module_length; /* 0 for the kernel itself */
};

/* Looks at a symbol. Other than 0 ends the reading and is returned. */
typedef int kallsyms_visitor(void *data, const struct kallsyms_symbol *symbol);

/*
 * Calls visit for each symbol in the order of the file (format: kernel/kallsyms.c, s_show).
 * The file is streamed, never held as a whole. Errors: -ENOENT and other failures to read,
 * -EBADMSG for a malformed or cut line, or what visit returned; error is filled for the file's
 * own failures only.
 */
int kallsyms_read(const char *path, kallsyms_visitor *visit, void *data, struct error *error);

#endif
