/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_SYMBOL_VIEW_H
#define KVMPERF_VIEW_SYMBOL_VIEW_H

#include <stdio.h>

#include "measure/interval.h"

/* A function and what an account has of it. */
struct symbol_row {
	const char *account; /* "vm", "processes", "kernel", "shared_unattributed", "self",
				"idle" */
	const struct interval_vm *vm; /* NULL: no VM's */
	const char *mode;   /* "guest_user", "guest_kernel", "vmm", "kernel", "shared" */
	const char *module; /* NULL: not told apart */
	const char *symbol; /* NULL: not told apart */
	uint64_t ns;
	uint64_t samples;
};

struct symbol_rows {
	struct symbol_row *rows; /* the largest first; they sum to the capacity */
	size_t count, room;
};

/*
 * Write the rows of selected VMs and of the host; what the VMs that were not selected have is
 * one row of the processes'. -ENOMEM; -EIO when the stream fails.
 */
int symbol_view_table(FILE *stream, const struct interval *interval,
		      const struct symbol_rows *rows);
int symbol_view_csv(FILE *stream, const struct interval *interval,
		    const struct symbol_rows *rows);
int symbol_view_json(FILE *stream, const struct interval *interval,
		     const struct symbol_rows *rows);

#endif
