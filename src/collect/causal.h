/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_CAUSAL_H
#define KVMPERF_COLLECT_CAUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account/traffic_use.h"
#include "account/work_batch.h"
#include "base/error.h"

/*
 * Tags each run of the network and block softirqs with the owners of the packets and requests
 * that it worked on (bpf/causal.bpf.c). Costs nothing while it is stopped.
 */
struct causal;

/* A network device of a VM. Owners are numbers from 1 on, of the caller's choice. */
struct causal_device {
	uint32_t namespace; /* inode number of the network namespace */
	uint32_t ifindex;
	uint32_t owner;
	uint32_t class; /* enum traffic_class */
};

/* A thread group of a VM, for block requests. */
struct causal_group {
	uint32_t tgid;
	uint32_t owner;
};

/*
 * Loads the programs, stopped. *out is owned by the caller (causal_free). Errors: as of
 * bpf_load_error().
 */
int causal_new(struct causal **out, struct error *error);

/* What belongs to whom from now on; both lists replace those before. -ENOMEM, -E2BIG. */
int causal_set_devices(struct causal *causal, const struct causal_device *devices,
		       size_t count);
int causal_set_groups(struct causal *causal, const struct causal_group *groups, size_t count);

/* Attaches the programs to their tracepoints, and detaches them. */
int causal_start(struct causal *causal, struct error *error);
void causal_stop(struct causal *causal);

/* Turns the tagging off and on while the programs are attached; on after causal_start(). */
void causal_enable(struct causal *causal, bool enabled);

/* The number in place of which an owner or nobody (0) stands in batches that are handed out. */
typedef size_t (*causal_user_function)(void *context, uint32_t owner);

/* Gets each batch; valid during the call. */
typedef void (*causal_batch_function)(void *context, const struct work_batch *batch);

/* Hands out the batches that wait. */
void causal_read(struct causal *causal, causal_user_function user,
		 causal_batch_function function, void *context);

/* Batches that found no room, since the start. */
uint64_t causal_lost(const struct causal *causal);

void causal_free(struct causal *causal);

#endif
