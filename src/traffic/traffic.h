/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_TRAFFIC_H
#define KVMPERF_TRAFFIC_TRAFFIC_H

#include "base/error.h"
#include "discover/vm.h"

/* Cumulative counters of a VM's interfaces; directions are the guest's. */
struct traffic {
	uint64_t rx_bytes; /* received by the guest: transmitted by the host's tap */
	uint64_t rx_packets;
	uint64_t tx_bytes; /* sent by the guest: received by the host's tap */
	uint64_t tx_packets;
};

/*
 * Sums the counters of the VM's taps, as they are in the VMM's network namespace
 * (PROC_ROOT/<pid>/net/dev; proc_root NULL: "/proc"). *known says whether every tap of the VM
 * was found; without taps it is true and the counters are zero. Errors: -ESRCH when the VM has
 * ended.
 */
int traffic_read(const struct vm *vm, const char *proc_root, struct traffic *out, bool *known,
		 struct error *error);

#endif
