/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/affine_model.h"

const struct affine_model affine_model_default = {
	.costs =
		{
			[TRAFFIC_TAP] = {[TRAFFIC_RECEIVED] = {1000, 0.017},
					 [TRAFFIC_SENT] = {100, 0.01}},
			[TRAFFIC_TAP_STEERED] = {[TRAFFIC_RECEIVED] = {1000, 0.017},
						 [TRAFFIC_SENT] = {1000, 0.017}},
			[TRAFFIC_MACVTAP] = {[TRAFFIC_RECEIVED] = {800, 0.07},
					     [TRAFFIC_SENT] = {100, 0.01}},
			[TRAFFIC_HOST] = {[TRAFFIC_RECEIVED] = {1000, 0.07},
					  [TRAFFIC_SENT] = {100, 0.01}},
		},
	.batch_ns = 500,
};

double affine_model_ns(const struct affine_model *model, const struct traffic_use *use)
{
	double ns = 0;

	for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++)
		for (int direction = 0; direction < TRAFFIC_DIRECTION_COUNT; direction++) {
			const struct traffic_count *count = &use->counts[class][direction];
			const struct affine_cost *cost = &model->costs[class][direction];
			ns += cost->packet_ns * (double)count->packets +
			      cost->byte_ns * (double)count->bytes;
		}
	return ns;
}
