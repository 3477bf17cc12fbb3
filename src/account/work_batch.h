/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_WORK_BATCH_H
#define KVMPERF_ACCOUNT_WORK_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "account/affine_model.h"
#include "account/shared_policy.h"

/* Packets of one user, class and direction, or block requests of one user, in a batch. */
struct work_part {
	size_t user;   /* index of a VM or of nobody, as in the array of struct shared_use */
	bool requests; /* else packets, and the next two say which */
	enum traffic_class class;
	enum traffic_direction direction;
	uint64_t count;
	uint64_t bytes;
};

#define WORK_PARTS_MAX 16

/* One run of a softirq with its exact time and what was seen in it. */
struct work_batch {
	enum shared_work work;
	uint64_t ns;
	bool continued; /* the rest of a batch: its fixed cost is in the first part */
	struct work_part parts[WORK_PARTS_MAX];
	size_t part_count;
};

/* What block requests cost for a byte and each: only the ratio matters. */
#define REQUEST_COST_BYTES 65536

/*
 * Adds the batch's time to the causal_ns of the users whose work it was: divided among its
 * packets in proportion to what they cost by the model, or among its requests. What a batch of
 * packets costs however many there are (the model's batch_ns) is nobody's, and so is a batch in
 * which nothing was seen (a poll that found nothing, buffers of sent packets). users has count
 * entries, of which the last is nobody; parts of users beyond are nobody's. Nothing is lost:
 * the sum over the users rises by batch->ns.
 */
void work_batch_split(const struct work_batch *batch, const struct affine_model *model,
		      struct shared_use *users, size_t count);

#endif
