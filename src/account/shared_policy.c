/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/shared_policy.h"

#include <stdbool.h>

const char *shared_policy_name(enum shared_policy policy)
{
	static const char *const names[POLICY_COUNT] = {
		[POLICY_AFFINE] = "affine",   [POLICY_BYTES] = "bytes",
		[POLICY_PACKETS] = "packets", [POLICY_CAUSAL] = "causal",
		[POLICY_NONE] = "none",
	};

	return names[policy];
}

/* What goes through NET_TX_SOFTIRQ is what was sent. */
static struct traffic_use part_for(enum shared_work work, const struct traffic_use *traffic)
{
	struct traffic_use part = *traffic;

	for (int class = 0; work == WORK_NET_TX && class < TRAFFIC_CLASS_COUNT; class ++)
		part.counts[class][TRAFFIC_RECEIVED] = (struct traffic_count){0};
	return part;
}

static uint64_t network_weight(enum shared_policy policy, const struct affine_model *model,
			       const struct shared_use *user, enum shared_work work)
{
	struct traffic_use traffic = part_for(work, &user->traffic);
	struct traffic_count sum = traffic_use_total(&traffic);

	if (policy == POLICY_BYTES)
		return sum.bytes;
	if (policy == POLICY_PACKETS)
		return sum.packets;
	return (uint64_t)affine_model_ns(model, &traffic);
}

static uint64_t sum_weights(const uint64_t *weights, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	return sum;
}

enum shared_policy shared_policy_weights(enum shared_policy policy,
					 const struct affine_model *model,
					 const struct shared_use *users, size_t count,
					 enum shared_work work, uint64_t *weights)
{
	bool network = work == WORK_NET_RX || work == WORK_NET_TX;

	for (size_t i = 0; i < count; i++)
		weights[i] = policy == POLICY_CAUSAL ? users[i].causal_ns[work] : 0;
	if (policy == POLICY_NONE || sum_weights(weights, count))
		return policy;
	if (policy == POLICY_CAUSAL)
		policy = POLICY_AFFINE;
	for (size_t i = 0; i < count; i++) {
		if (network)
			weights[i] = network_weight(policy, model, &users[i], work);
		else if (work == WORK_BLOCK)
			weights[i] = users[i].disk_bytes;
	}
	if (policy == POLICY_AFFINE && work == WORK_NET_RX && model->batch_share < 1)
		weights[count - 1] += (uint64_t)((double)sum_weights(weights, count) *
						 model->batch_share / (1 - model->batch_share));
	return policy;
}
