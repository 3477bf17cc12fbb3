/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/shared_work.h"

const char *shared_work_name(enum shared_work work)
{
	static const char *const names[WORK_COUNT] = {
		[WORK_NONE] = "none",	[WORK_NET_RX] = "net_rx", [WORK_NET_TX] = "net_tx",
		[WORK_BLOCK] = "block", [WORK_TIMER] = "timer",	  [WORK_SCHED] = "sched",
		[WORK_RCU] = "rcu",	[WORK_OTHER] = "other",
	};

	return names[work];
}
