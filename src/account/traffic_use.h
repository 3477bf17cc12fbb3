/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_TRAFFIC_USE_H
#define KVMPERF_ACCOUNT_TRAFFIC_USE_H

#include <stdint.h>

/*
 * Where packets pass between a VM (or nobody) and the host's softirqs. What a packet costs in a
 * softirq depends on it: a VM's packets that leave through a tap are sent on in the context of
 * the thread that writes them, unless receive packet steering (rps_cpus) hands them to a
 * softirq.
 */
enum traffic_class {
	TRAFFIC_TAP,
	TRAFFIC_TAP_STEERED,
	TRAFFIC_MACVTAP,
	TRAFFIC_HOST, /* the host's own devices: what is no VM's */
};
#define TRAFFIC_CLASS_COUNT (TRAFFIC_HOST + 1)

/* As the VM (for TRAFFIC_HOST: the host) sees it. */
enum traffic_direction {
	TRAFFIC_RECEIVED,
	TRAFFIC_SENT,
};
#define TRAFFIC_DIRECTION_COUNT (TRAFFIC_SENT + 1)

struct traffic_count {
	uint64_t packets;
	uint64_t bytes;
};

/* The packets of one VM, or of nobody, in a stretch of time. */
struct traffic_use {
	struct traffic_count counts[TRAFFIC_CLASS_COUNT][TRAFFIC_DIRECTION_COUNT];
};

/* Adds the packets and bytes of another to a sum. */
void traffic_use_add(struct traffic_use *sum, const struct traffic_use *use);

/* The sum over all classes and directions. */
struct traffic_count traffic_use_total(const struct traffic_use *use);

#endif
