/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_KERNEL_NAMES_H
#define KVMPERF_SYMBOLS_KERNEL_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Tells the subsystem of a function of the kernel from the function's name. */

/* The names known of one subsystem, separated by blanks; "tcp_" is a prefix. */
struct kernel_name_set {
	const char *subsystem;
	const char *names;
};

extern const struct kernel_name_set kernel_name_sets[];
extern const size_t kernel_name_set_count;

enum kernel_name_match {
	KERNEL_NAME_UNKNOWN,
	KERNEL_NAME_PREFIX, /* a hint: header functions are compiled into other subsystems too
			     */
	KERNEL_NAME_WHOLE,  /* the function is defined in one file only */
};

/* An index over kernel_name_sets. */
struct kernel_names;

/* NULL without memory. */
struct kernel_names *kernel_names_new(void);

/*
 * Looks a symbol of the given length up; *set is the index in kernel_name_sets when it is
 * known. What the compiler adds (".cold", ".isra.0", ".part.0", ".constprop.0", ".llvm.123") is
 * left out; system call entries count as sys_NAME whatever their architecture; the functions
 * made for a trace event or a static call are looked up by the event's or call's name. The
 * longest prefix wins.
 */
enum kernel_name_match kernel_names_lookup(const struct kernel_names *names, const char *symbol,
					   size_t length, uint16_t *set);

void kernel_names_free(struct kernel_names *names);

#endif
