/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_TRAFFIC_H
#define KVMPERF_TRAFFIC_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/traffic_use.h"
#include "base/error.h"
#include "discover/vm.h"
#include "traffic/net_dev.h"

/* Counters of a VM's interfaces; directions are the guest's. */
struct traffic {
	uint64_t rx_bytes; /* received by the guest: transmitted by the host's tap */
	uint64_t rx_packets;
	uint64_t tx_bytes; /* sent by the guest: received by the host's tap */
	uint64_t tx_packets;
};

/* The last reading of a tap. */
struct tap_reading {
	struct vm_tap tap;
	enum traffic_class class;
	struct net_dev_counters counters;
	bool found;	   /* by the reading under way */
	bool has_counters; /* else it was seen and never read */
};

/* The taps of one VM between two readings; starts as all zero, freed with vm_traffic_free(). */
struct vm_traffic {
	struct tap_reading *taps;
	size_t count, room;
	uint64_t classified_ns; /* when the classes were found; 0: never */
};

/*
 * What went through each of the VM's taps since its last reading (texts: the interfaces of its
 * VMM's network namespace). A tap that is new starts to count now; one that went away took its
 * last counters with it. *delta is the sum, *use the same by class. *known: every tap was there
 * at both ends; without taps it is true and all is 0. now_ns: CLOCK_MONOTONIC; classes are
 * looked up (in sys_root, NULL: "/sys") again every 10 s. -ENOMEM; -ESRCH when the VM has
 * ended.
 */
int vm_traffic_read(struct vm_traffic *traffic, const struct vm *vm,
		    struct net_dev_texts *texts, const char *sys_root, uint64_t now_ns,
		    struct traffic *delta, struct traffic_use *use, bool *known,
		    struct error *error);

void vm_traffic_free(struct vm_traffic *traffic);

/*
 * The class of a tap by its entries in sys_root/class/net (of kvmperf's own network namespace:
 * an interface of another is taken for a plain tap).
 */
enum traffic_class tap_class(const char *sys_root, const char *name);

#endif
