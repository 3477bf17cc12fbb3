/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_INTERVAL_BUILDER_H
#define KVMPERF_MEASURE_INTERVAL_BUILDER_H

#include "collect/collector.h"
#include "measure/interval.h"

/*
 * Brings what was collected and the VMs together: which thread belongs to whom, and what the
 * ledger is made from. Keeps what goes from one interval to the next.
 */
struct interval_builder;

/* labels is not owned. NULL without memory. */
struct interval_builder *interval_builder_new(struct labels *labels);

/*
 * From now on guest times are corrected by what VM exits cost with interrupts off (costs: taken
 * for guest by samples; exact: by exact mode, NULL when it isn't known; both copied), and the
 * difference stands under the label "kvm/world-switch". -ENOMEM.
 */
int interval_builder_correct(struct interval_builder *builder, const struct exit_costs *costs,
			     const struct exit_costs *exact);

/* The VM's exits so far are not part of the first interval. -ENOMEM. */
int interval_builder_skip_exits(struct interval_builder *builder, const struct vm *vm);

/* The process that is kvmperf: by default this one; -1: none. */
void interval_builder_set_self(struct interval_builder *builder, pid_t self);

/* One VM of the interval. */
struct builder_vm {
	struct vm *vm; /* gets the threads that are seen for the first time */
};

/*
 * Fills out->ledger and out->threads (with the ready times, which are also added to
 * out->vms[].ready_ns, an array that the caller has made). weights: for each
 * kind of shared work vm_count weights and that of nobody (struct account_input); period_ns:
 * the nominal time between two samples of a CPU. -ENOMEM.
 */
int interval_build(struct interval_builder *builder, const struct collection *collection,
		   const struct builder_vm *vms, size_t vm_count,
		   uint64_t *const weights[WORK_COUNT], uint64_t period_ns,
		   struct interval *out);

void interval_builder_free(struct interval_builder *builder);

#endif
