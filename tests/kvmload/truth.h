/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_TRUTH_H
#define KVMLOAD_TRUTH_H

#include <jansson.h>

#include "state.h"

/* What else is known of a VM that has ended. */
struct vm_end {
	double lifetime_cpu_s; /* of the process, from its first to its last instruction */
	int killed;	       /* signal that ended it, or 0 */
};

/*
 * The JSON object of one VM; the caller owns the reference. end is NULL for a VM that runs.
 * NULL without memory.
 */
json_t *truth_vm(const struct vm_state *state, const struct vm_truth *truth,
		 const struct vm_end *end);

/* Prints value and a newline; indent 0 for a single line. 0, or -EIO. */
int truth_print(const json_t *value, FILE *file, size_t indent);

#endif
