/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_CORRECTION_H
#define KVMPERF_ACCOUNT_CORRECTION_H

/*
 * The correction of the interrupts-off bias. Around each VM exit the kernel runs with
 * interrupts off: from before the entry of the guest until it opens a window for the pending
 * interrupts, in which the thread still counts as guest (arch/x86/kvm/x86.c, vcpu_enter_guest:
 * PF_VCPU is cleared by guest_timing_exit_irqoff() after the window). A timer that fires in
 * between is served in that window, so its sample says guest. What samples call guest is
 * therefore
 *
 *     guest + sum over the classes of exits: number of exits x cost of one
 *
 * The numbers are counted by KVM, the costs are learned by a calibration. Interrupts differ:
 * the tick and the samples, whose numbers are known, do more than another CPU's call. One that
 * comes while interrupts are off forces no exit, yet its handler runs in the window, where no
 * timer can look: so many ticks and samples as hit what looks like guest time, beyond those
 * that forced an exit, add their handler's time. Soon after a sleep caches are cold, and ticks
 * and samples cost more: both costs are learned, and the time that the thread slept as a part
 * of the time that it ran, at most 1, is taken for the part of them that came after a sleep.
 *
 * All costs follow the speed of the core, which changes when another hyperthread gets busy (a
 * neighbour's, on a host that is itself a guest) and with the frequency. A reference loop of
 * always the same work is timed when the costs are learned and at samples of the thread
 * (bpf/sampler.h): costs are taken to be longer by as much as the loop is. Times are ns.
 */

#include <stdint.h>

/* VM exits that differ in what they run with interrupts off. */
enum vm_exit_class {
	VM_EXIT_KERNEL,	   /* handled in the kernel; the guest goes on */
	VM_EXIT_USER,	   /* KVM_RUN returned to user space */
	VM_EXIT_INTERRUPT, /* forced by a host's interrupt, which is served in the window */
};
#define VM_EXIT_CLASSES (VM_EXIT_INTERRUPT + 1)

/* Time that one exit adds to what looks like guest time. */
struct exit_cost {
	double ns;
	double error95_ns; /* half width of its 95 % interval */
};

struct exit_costs {
	struct exit_cost by_class[VM_EXIT_CLASSES]; /* interrupts: neither tick nor sample */
	struct exit_cost tick, sample; /* of an exit that one of them forces, in all */
	struct exit_cost rested_tick, rested_sample; /* the same soon after a sleep */
	double tick_hz;	     /* of a CPU that is busy; 0: ticks are no different */
	double reference_ns; /* the reference loop took so long then; 0: not known */
};

/*
 * How far all costs together can be off since the core's speed is not what it was, half width
 * of the 95 % interval as a part of them: where the reference loop tells it, and where it is
 * not known. Both measured on a host whose cores others use, too (docs/accuracy.md).
 */
#define CORRECTION_SPEED_KNOWN95   0.2
#define CORRECTION_SPEED_UNKNOWN95 0.3

struct correction {
	uint64_t ns; /* to be moved from guest to kernel; at most the guest time */
	/*
	 * Half width of its 95 % interval: how well the costs are known. Those of several
	 * threads add up, since one calibration made all costs.
	 */
	double error95_ns;
};

/* What is known of one thread in an interval. */
struct correction_input {
	uint64_t run_ns;     /* on a CPU */
	uint64_t slept_ns;   /* neither running nor ready to */
	uint64_t guest_ns;   /* of this, what its samples call guest */
	uint64_t samples;    /* taken in it */
	double reference_ns; /* the mean time of the reference loop in it; 0: not known */
	uint64_t exits[VM_EXIT_CLASSES];
};

/* The correction of one thread. */
struct correction correction_make(const struct correction_input *thread,
				  const struct exit_costs *costs);

/*
 * The numbers of exits by class from KVM's counters: all, those with a return to user space,
 * and those by interrupts. A KVM_RUN can also return without an exit (a signal), so that the
 * parts exceed the whole: no class gets more than there are.
 */
void correction_classify(uint64_t exits, uint64_t user_exits, uint64_t interrupt_exits,
			 uint64_t by_class[VM_EXIT_CLASSES]);

#endif
