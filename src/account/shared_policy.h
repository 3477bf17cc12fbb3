/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_SHARED_POLICY_H
#define KVMPERF_ACCOUNT_SHARED_POLICY_H

#include <stddef.h>

#include "account/affine_model.h"
#include "account/shared_work.h"

/* How shared work is divided among the VMs. */
enum shared_policy {
	POLICY_AFFINE, /* by packets and bytes, with the costs of an affine_model */
	POLICY_BYTES,  /* by bytes, "in proportion to the network bandwidth": the paper's way */
	POLICY_PACKETS, /* by packets */
	POLICY_CAUSAL,	/* by the time of the softirqs in which their packets were seen */
	POLICY_NONE,	/* nobody pays: all of it stays unattributed */
};
#define POLICY_COUNT (POLICY_NONE + 1)

/* As in the option and the output: "affine", "bytes", ... */
const char *shared_policy_name(enum shared_policy policy);

/* What a VM, or nobody, did in an interval that may have caused shared work. */
struct shared_use {
	struct traffic_use traffic;
	uint64_t disk_bytes; /* read from and written to block devices */
	/* Measured by causal tagging: softirq time of packets and requests seen, ns. */
	uint64_t causal_ns[WORK_COUNT];
};

/*
 * The weights of one kind of work: one for each of count users, of which the last is nobody.
 * All are 0 for work that no policy can give to a VM (timers, scheduler, RCU, tasklets). Where
 * POLICY_CAUSAL saw nothing of a kind, its weights are those of POLICY_AFFINE; returns the
 * policy that was used.
 */
enum shared_policy shared_policy_weights(enum shared_policy policy,
					 const struct affine_model *model,
					 const struct shared_use *users, size_t count,
					 enum shared_work work, uint64_t *weights);

#endif
