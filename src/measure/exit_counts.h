/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_EXIT_COUNTS_H
#define KVMPERF_MEASURE_EXIT_COUNTS_H

#include "account/correction.h"
#include "discover/vm.h"

/* The last reading of every vCPU's exit counters, so that each interval gets what came since.
 */
struct exit_counts;

struct exit_counts *exit_counts_new(void); /* NULL without memory */

/*
 * What the vCPU's counters rose since the last call, by class; all of them when it is the
 * first. Zero while the counters are not known. -ENOMEM.
 */
int exit_counts_take(struct exit_counts *counts, const struct vm_vcpu *vcpu,
		     uint64_t by_class[VM_EXIT_CLASSES]);

/* Forgets the vCPUs that were not asked for since the last call. */
void exit_counts_forget(struct exit_counts *counts);

void exit_counts_free(struct exit_counts *counts);

#endif
