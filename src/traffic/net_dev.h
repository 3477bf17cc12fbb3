/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_NET_DEV_H
#define KVMPERF_TRAFFIC_NET_DEV_H

#include <stdbool.h>
#include <stdint.h>

/* Cumulative counters of a host interface, as the host sees it. */
struct net_dev_counters {
	uint64_t received_bytes, received_packets;
	uint64_t sent_bytes, sent_packets;
};

/*
 * Finds an interface in the text of /proc/PID/net/dev (net/core/net-procfs.c,
 * dev_seq_printf_stats). False when it isn't there or its line is cut.
 */
bool net_dev_find(const char *text, const char *name, struct net_dev_counters *counters);

#endif
