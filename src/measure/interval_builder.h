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

/* One VM of the interval. */
struct builder_vm {
	struct vm *vm;	 /* gets the threads that are seen for the first time */
	uint64_t weight; /* of shared network work */
};

/*
 * Fills out->ledger and out->threads (with the ready times, which are also added to
 * out->vms[].ready_ns, an array that the caller has made). period_ns is the nominal time
 * between two samples of a CPU; unowned_weight is network traffic that is no VM's. -ENOMEM.
 */
int interval_build(struct interval_builder *builder, const struct collection *collection,
		   const struct builder_vm *vms, size_t vm_count, uint64_t unowned_weight,
		   uint64_t period_ns, struct interval *out);

void interval_builder_free(struct interval_builder *builder);

#endif
