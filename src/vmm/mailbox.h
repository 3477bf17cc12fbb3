/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VMM_MAILBOX_H
#define KVMPERF_VMM_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

/*
 * One page shared by the guest program (guest.c), the VMM that runs it and whoever else maps
 * it. The guest reads the first part anew at each step, so a change works at once; it only
 * ever adds to the second. Times are in ticks of the guest's TSC (vmm_tsc_hz()).
 */
struct vmm_mailbox {
	/* Orders: written by the host. */
	uint64_t slice_ticks; /* guest time to burn between two exits of a burst */
	uint64_t slices;      /* slices a burst, at least 1 */
	uint64_t gap_ticks;   /* a step longer than this was not all guest time */
	uint64_t spin;	      /* turns of the inner loop a step, at least 1 */
	uint64_t kernel_exit; /* enum vmm_kernel_exit: what separates the slices of a burst */
	uint64_t stall_ticks; /* a gap longer than this was no interrupt */
	uint64_t reserved[2];

	/* Account: written by the guest. */
	uint64_t guest_ticks;  /* burnt in guest mode, without the gaps */
	uint64_t gap_sum;      /* ticks of the steps that were left out as gaps */
	uint64_t gaps;	       /* number of those steps */
	uint64_t exit_ticks;   /* from before to after the exits between slices */
	uint64_t kernel_exits; /* number of those exits */
	uint64_t steps;	       /* steps done, gaps included: the guest's progress */
	uint64_t bursts;       /* bursts done */
	uint64_t stall_sum;    /* of gap_sum, the gaps longer than stall_ticks */
};

/* Exits which the kernel handles by itself, without a return of KVM_RUN. */
enum vmm_kernel_exit {
	VMM_EXIT_KICK,	/* port output that signals an ioeventfd, as a virtio kick does */
	VMM_EXIT_CPUID, /* always exits on VMX and SVM; on PVM where it faults in user mode */
};

/* What guest.c's assembly knows of the layout; kept equal by the assertions below. */
#define MAILBOX_SLICE_TICKS  0
#define MAILBOX_SLICES	     8
#define MAILBOX_GAP_TICKS    16
#define MAILBOX_SPIN	     24
#define MAILBOX_KERNEL_EXIT  32
#define MAILBOX_STALL_TICKS  40
#define MAILBOX_GUEST_TICKS  64
#define MAILBOX_GAP_SUM	     72
#define MAILBOX_GAPS	     80
#define MAILBOX_EXIT_TICKS   88
#define MAILBOX_KERNEL_EXITS 96
#define MAILBOX_STEPS	     104
#define MAILBOX_BURSTS	     112
#define MAILBOX_STALL_SUM    120
#define MAILBOX_CPUID	     1 /* VMM_EXIT_CPUID */

#define MAILBOX_ASSERT(offset, field)                                                          \
	_Static_assert(offset == offsetof(struct vmm_mailbox, field), #field)
MAILBOX_ASSERT(MAILBOX_SLICE_TICKS, slice_ticks);
MAILBOX_ASSERT(MAILBOX_SLICES, slices);
MAILBOX_ASSERT(MAILBOX_GAP_TICKS, gap_ticks);
MAILBOX_ASSERT(MAILBOX_SPIN, spin);
MAILBOX_ASSERT(MAILBOX_KERNEL_EXIT, kernel_exit);
MAILBOX_ASSERT(MAILBOX_STALL_TICKS, stall_ticks);
MAILBOX_ASSERT(MAILBOX_GUEST_TICKS, guest_ticks);
MAILBOX_ASSERT(MAILBOX_GAP_SUM, gap_sum);
MAILBOX_ASSERT(MAILBOX_GAPS, gaps);
MAILBOX_ASSERT(MAILBOX_EXIT_TICKS, exit_ticks);
MAILBOX_ASSERT(MAILBOX_KERNEL_EXITS, kernel_exits);
MAILBOX_ASSERT(MAILBOX_STEPS, steps);
MAILBOX_ASSERT(MAILBOX_BURSTS, bursts);
MAILBOX_ASSERT(MAILBOX_STALL_SUM, stall_sum);
_Static_assert(MAILBOX_CPUID == VMM_EXIT_CPUID, "kernel_exit");

#endif
