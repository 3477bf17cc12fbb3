/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_PLAN_H
#define KVMLOAD_PLAN_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define PLAN_MAX_IOTHREADS 16
#define PLAN_MAX_TAPS	   8
#define PLAN_MAX_CPUS	   64
#define PLAN_NAME_SIZE	   64

/* Whose process names, thread names and command line a VM wears. */
enum style {
	STYLE_QEMU,
	STYLE_QEMU_NODEBUG,
	STYLE_FIRECRACKER,
	STYLE_KVMTOOL,
	STYLE_CLOUD_HYPERVISOR,
	STYLE_PLAIN,
};
#define STYLE_COUNT (STYLE_PLAIN + 1)

enum exit_kind {
	EXIT_KIND_IO,	 /* port output handled by the VMM: KVM_RUN returns */
	EXIT_KIND_KICK,	 /* port output handled by an ioeventfd in the kernel */
	EXIT_KIND_CPUID, /* handled in the kernel */
};

/* Work of one turn of a thread's loop, in ns of the thread's own time; 0: none. */
struct bursts {
	uint64_t guest_ns; /* vCPU threads only */
	uint64_t user_ns;
	uint64_t kernel_ns;
	uint64_t sleep_ns; /* wall-clock time */
};

/* What one VM is and does. Plain data: it is copied into memory shared with the VM. */
struct plan {
	char name[PLAN_NAME_SIZE];
	char uuid[37]; /* empty when the style has none */
	enum style style;
	unsigned vcpus;
	struct bursts vcpu;
	enum exit_kind exit_kind;
	double exits_per_burst; /* exits inside a guest burst, besides the one that ends it */
	bool supervisor;	/* guest at privilege level 0 */
	uint64_t gap_ns;	/* see struct vmm_mailbox.gap_ticks */
	uint64_t stall_ns;	/* see struct vmm_mailbox.stall_ticks */

	unsigned iothreads;
	struct bursts iothread;

	unsigned tap_count;
	char taps[PLAN_MAX_TAPS][IFNAMSIZ];
	double tap_packets_per_second; /* sent by the guest, over all taps */
	unsigned tap_bytes;	       /* of a frame */

	char disk[PATH_MAX]; /* empty: none */
	double disk_reads_per_second;

	unsigned cpu_count; /* 0: any CPU */
	unsigned cpus[PLAN_MAX_CPUS];
	unsigned first_vcpu; /* number of the VM's first vCPU among all: picks its CPU */

	uint64_t run_ns; /* the VM ends by itself after this; 0: when it is told */
};

#endif
