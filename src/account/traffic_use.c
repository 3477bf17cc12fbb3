/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/traffic_use.h"

void traffic_use_add(struct traffic_use *sum, const struct traffic_use *use)
{
	for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++)
		for (int direction = 0; direction < TRAFFIC_DIRECTION_COUNT; direction++) {
			sum->counts[class][direction].packets +=
				use->counts[class][direction].packets;
			sum->counts[class][direction].bytes +=
				use->counts[class][direction].bytes;
		}
}

struct traffic_count traffic_use_total(const struct traffic_use *use)
{
	struct traffic_count sum = {0};

	for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++)
		for (int direction = 0; direction < TRAFFIC_DIRECTION_COUNT; direction++) {
			sum.packets += use->counts[class][direction].packets;
			sum.bytes += use->counts[class][direction].bytes;
		}
	return sum;
}
