/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_HOST_TRAFFIC_H
#define KVMPERF_TRAFFIC_HOST_TRAFFIC_H

#include <stdint.h>

#include "account/traffic_use.h"
#include "base/error.h"

/* Cumulative counters of the whole host. */
struct host_traffic {
	struct traffic_count received;
	struct traffic_count sent;
};

/*
 * All packets and bytes that went through the host's loopback and its physical (or
 * para-virtual) network devices since they came up: those with /sys/class/net/NAME/device.
 * Taps, bridges and other software devices are left out, since what goes through them is
 * counted where it enters or leaves the host, or is a VM's. sys_root NULL: "/sys"; proc_root
 * NULL: "/proc". Errors: -errno of PROC_ROOT/net/dev.
 */
int host_traffic_read(const char *proc_root, const char *sys_root, struct host_traffic *out,
		      struct error *error);

/*
 * What of the host's traffic in an interval (host: the rise of its counters) is no VM's; vms:
 * the sum of theirs. Bytes tell, since a device that merges packets (GRO, LRO) counts others
 * than the taps do; the packets are divided as the bytes are. VMs that talk to each other count
 * on no device of the host, so the difference has a floor of 0.
 */
struct traffic_use host_traffic_unowned(const struct host_traffic *host,
					const struct traffic_use *vms);

#endif
