/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/work_batch.h"

#include "account/apportion.h"

/* Weights are whole numbers: picoseconds, so that a part of a few ns keeps its proportion. */
#define PS_PER_NS 1000

static double cost_of(const struct work_batch *batch, const struct work_part *part,
		      const struct affine_model *model)
{
	const struct affine_cost *cost = &model->costs[part->class][part->direction];

	/* A batch of one kind of work may see the other's: a disk's interrupt comes any time.
	 */
	if (part->requests != (batch->work == WORK_BLOCK))
		return 0;
	if (part->requests)
		return (double)part->bytes + REQUEST_COST_BYTES * (double)part->count;
	return cost->packet_ns * (double)part->count + cost->byte_ns * (double)part->bytes;
}

void work_batch_split(const struct work_batch *batch, const struct affine_model *model,
		      struct shared_use *users, size_t count)
{
	uint64_t weights[WORK_PARTS_MAX + 1] = {0}, times[WORK_PARTS_MAX + 1];
	size_t parts = batch->part_count;

	for (size_t i = 0; i < parts; i++)
		weights[i] = (uint64_t)(PS_PER_NS * cost_of(batch, &batch->parts[i], model));
	if (batch->work != WORK_BLOCK && !batch->continued)
		weights[parts] = (uint64_t)(PS_PER_NS * model->batch_ns);
	if (!apportion(batch->ns, weights, parts + 1, times))
		times[parts] = batch->ns;
	for (size_t i = 0; i <= parts; i++) {
		size_t user = i < parts && batch->parts[i].user < count ? batch->parts[i].user
									: count - 1;
		users[user].causal_ns[batch->work] += times[i];
	}
}
