/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_BATCH_H
#define KVMPERF_BPF_BATCH_H

/* What causal.bpf.c shares with user space: plain structs. */

#include <linux/types.h>

/* A network device of a VM, by the inode number of its network namespace and its index there.
 */
struct batch_device {
	__u32 namespace;
	__u32 ifindex;
};

/* Whose it is. Owners are numbers that user space gives; 0 is nobody. */
struct batch_device_owner {
	__u32 owner;
	__u32 class; /* enum traffic_class */
};

/* What a part of a batch counts. */
enum batch_kind {
	BATCH_RECEIVED, /* packets queued to a VM's device; at a device of the host: received */
	BATCH_SENT,	/* packets that came from a VM's device; or that the host sent */
	BATCH_REQUESTS, /* block requests that were completed */
};

struct batch_part {
	__u32 owner;
	__u16 kind;  /* enum batch_kind */
	__u16 class; /* enum traffic_class, of packets */
	__u32 count; /* packets or requests */
	__u32 bytes;
};

#define BATCH_PARTS_MAX 16

/* One run of a softirq, from softirq_entry to softirq_exit, and what was seen in it. */
struct batch {
	__u64 ns;	 /* 0: requests completed outside of softirqs */
	__u16 vector;	 /* BATCH_NET_TX, ...; 0 outside of softirqs */
	__u16 continued; /* the rest of a batch that had more parts than there is room for */
	__u32 parts_count;
	struct batch_part parts[BATCH_PARTS_MAX]; /* the first parts_count are handed over */
};

/* include/linux/interrupt.h */
#define BATCH_NET_TX 2
#define BATCH_NET_RX 3
#define BATCH_BLOCK  4

/* Variables that user space sets and reads: the object's only one in .bss. */
struct batch_variables {
	__u32 enabled;	  /* 0: off; else a number that is another each time it is turned on */
	__u32 generation; /* of the map of devices: changes with it */
	__u64 lost;	  /* batches that found the ring full */
};

#endif
