/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_AFFINE_MODEL_H
#define KVMPERF_ACCOUNT_AFFINE_MODEL_H

#include "account/traffic_use.h"

/*
 * What network softirq work costs: so much a packet and so much a byte, by class and direction,
 * and so much a batch (one run of the softirq) however many packets it has.
 */
struct affine_cost {
	double packet_ns;
	double byte_ns;
};

struct affine_model {
	struct affine_cost costs[TRAFFIC_CLASS_COUNT][TRAFFIC_DIRECTION_COUNT];
	double batch_ns;
	/* The batches' own part of the whole time, as the packets come: 0 to 1; 0: not known.
	 */
	double batch_share;
};

/*
 * A start, of the order of what was measured between taps of one bridge (docs/shared-work.md);
 * causal tagging fits this host's own. Only the ratios matter where they weigh: another host
 * may be faster or slower throughout.
 */
extern const struct affine_model affine_model_default;

/* The time that the packets take by the model, ns, without that of their batches. */
double affine_model_ns(const struct affine_model *model, const struct traffic_use *use);

#endif
