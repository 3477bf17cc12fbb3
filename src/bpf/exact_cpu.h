/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_EXACT_CPU_H
#define KVMPERF_BPF_EXACT_CPU_H

/*
 * The state machine of one CPU: at each event the time since the last one goes to the account
 * that was under way. Compiled into the BPF programs and into the unit tests. Whoever includes
 * it defines beforehand:
 *
 *   EXACT_CLOCK()	the time, ns, never falling on one CPU
 *   EXACT_THREAD(n)	the thread at place n, or NULL
 *   EXACT_EXIT(n)	the exits at place n (table x EXACT_EXIT_KINDS + kind), or NULL
 *
 * Some events come with interrupts on (open): an interrupt's own events can come in the middle
 * of such a one's. There the step of last_ns is atomic, so that each nanosecond is taken once,
 * and sums are added to atomically; what an interrupt changes in the state it has changed back
 * when it returns. The others do without, since a locked instruction costs 6 ns.
 */
#include "exact.h"

#define EXACT_INLINE static inline __attribute__((always_inline))

/* The account under way. */
EXACT_INLINE enum exact_account exact_current(const struct exact_cpu *cpu)
{
	if (cpu->hardirqs)
		return EXACT_HARDIRQ;
	if (cpu->softirq)
		return EXACT_SOFTIRQ;
	return cpu->guest ? EXACT_GUEST : EXACT_HOST;
}

EXACT_INLINE __u8 exact_parity(const struct exact_cpu *cpu)
{
	return cpu->last & 1;
}

struct exact_step {
	__u64 from_ns;
	__u64 to_ns;
	__u8 parity; /* that the time belongs to */
};

/*
 * Takes the time since the last step for good; what follows is for the parity next, or
 * EXACT_SAME.
 */
#define EXACT_SAME 2
EXACT_INLINE struct exact_step exact_step(struct exact_cpu *cpu, __u8 next, int open)
{
	struct exact_step step = {0};

	/* A second try is needed when an interrupt came in between; a third never was. */
	for (int i = 0; i < 3; i++) {
		__u64 last = *(volatile __u64 *)&cpu->last;
		step.parity = last & 1;
		step.from_ns = last >> 1;
		step.to_ns = EXACT_CLOCK();
		/* The kernel's fast clock can fall by a trifle (kernel/time/timekeeping.c). */
		if (step.to_ns < step.from_ns)
			step.to_ns = step.from_ns;
		__u64 now = step.to_ns << 1 | (next == EXACT_SAME ? step.parity : next);
		if (!open)
			cpu->last = now;
		else if (__sync_val_compare_and_swap(&cpu->last, last, now) != last)
			continue;
		return step;
	}
	step.to_ns = step.from_ns;
	return step;
}

EXACT_INLINE void exact_add(__u64 *sum, __u64 ns, int open)
{
	if (open)
		__sync_fetch_and_add(sum, ns);
	else
		*sum += ns;
}

/* Brings the account under way up to date. */
EXACT_INLINE struct exact_step exact_charge(struct exact_cpu *cpu, __u8 next, int open)
{
	enum exact_account account = exact_current(cpu);
	struct exact_thread *thread = EXACT_THREAD(cpu->thread);
	__u8 softirq = cpu->softirq;
	struct exact_step step = exact_step(cpu, next, open);
	__u64 ns = step.to_ns - step.from_ns;

	if (!thread)
		return step;
	exact_add(&thread->ns[step.parity][account], ns, open);
	if (account == EXACT_SOFTIRQ && softirq <= EXACT_SOFTIRQS)
		exact_add(&cpu->softirq_ns[step.parity][softirq - 1], ns, open);
	if (account == EXACT_HOST && thread->cause && thread->window == cpu->window) {
		struct exact_exit *exit =
			EXACT_EXIT(thread->exits * EXACT_EXIT_KINDS + thread->cause - 1);
		if (exit)
			exact_add(&exit->ns[step.parity], ns, open);
	}
	return step;
}

/* The same at an event; false when the CPU isn't followed. */
EXACT_INLINE int exact_event(struct exact_cpu *cpu, int open)
{
	if (!cpu->running)
		return 0;
	struct exact_step step = exact_charge(cpu, EXACT_SAME, open);
	/* May miss one that an interrupt counted in between: it is for the cost alone. */
	cpu->events[step.parity]++;
	return 1;
}

EXACT_INLINE void exact_hardirq_entry(struct exact_cpu *cpu)
{
	if (exact_event(cpu, 0))
		cpu->hardirqs++;
}

/* One that began before the CPU was followed ends unknown. */
EXACT_INLINE void exact_hardirq_exit(struct exact_cpu *cpu)
{
	if (exact_event(cpu, 0) && cpu->hardirqs)
		cpu->hardirqs--;
}

EXACT_INLINE void exact_softirq_entry(struct exact_cpu *cpu, __u32 vector)
{
	if (exact_event(cpu, 1))
		cpu->softirq = vector < EXACT_SOFTIRQS ? (__u8)(vector + 1) : EXACT_SOFTIRQS;
}

EXACT_INLINE void exact_softirq_exit(struct exact_cpu *cpu)
{
	if (exact_event(cpu, 1))
		cpu->softirq = 0;
}

EXACT_INLINE void exact_guest_entry(struct exact_cpu *cpu)
{
	struct exact_thread *thread;

	if (!exact_event(cpu, 0))
		return;
	thread = EXACT_THREAD(cpu->thread);
	if (thread)
		thread->cause = 0;
	cpu->entries[exact_parity(cpu)]++;
	cpu->guest = 1;
}

/*
 * kind: of the exit's reason, below EXACT_EXIT_KINDS. Up to some 6.x kvm_exit came with
 * interrupts on (svm_handle_exit).
 */
EXACT_INLINE void exact_guest_exit(struct exact_cpu *cpu, __u32 kind)
{
	struct exact_thread *thread;
	struct exact_exit *exit;

	if (!exact_event(cpu, 1))
		return;
	cpu->guest = 0;
	thread = EXACT_THREAD(cpu->thread);
	if (!thread)
		return;
	thread->cause = (__u8)(kind + 1);
	thread->window = cpu->window;
	exit = EXACT_EXIT(thread->exits * EXACT_EXIT_KINDS + kind);
	if (exit)
		__sync_fetch_and_add(&exit->count[exact_parity(cpu)], 1);
}

/*
 * Another thread gets the CPU. A switch comes neither in an interrupt nor in guest mode: what
 * was missed before is mended here. (A vCPU can be preempted between the end of its run and
 * the tracepoint kvm_exit: arch/x86/kvm/x86.c, vcpu_enter_guest, where handle_exit is traced.)
 */
EXACT_INLINE void exact_switch(struct exact_cpu *cpu, __u32 next)
{
	if (!exact_event(cpu, 0))
		return;
	cpu->guest = 0;
	cpu->hardirqs = 0;
	cpu->softirq = 0;
	cpu->thread = next;
}

/*
 * From now on the CPU is followed; thread: the one that holds it. window: the same for all
 * CPUs, another one than before the pause, in which threads' exits were missed.
 */
EXACT_INLINE void exact_begin(struct exact_cpu *cpu, __u32 thread, __u8 parity, __u8 window)
{
	cpu->window = window;
	cpu->guest = 0;
	cpu->hardirqs = 0;
	cpu->softirq = 0;
	cpu->thread = thread;
	cpu->since_ns = EXACT_CLOCK();
	cpu->last = cpu->since_ns << 1 | parity;
	cpu->running = 1;
}

/*
 * All sums are up to date; what follows goes to the parity's. Or a pause begins. User space's
 * own CPU does this with interrupts on.
 */
EXACT_INLINE void exact_cut(struct exact_cpu *cpu, __u8 parity, __u8 running)
{
	struct exact_step step;

	cpu->running = running;
	step = exact_charge(cpu, parity, 1);
	cpu->covered_ns[step.parity] += step.to_ns - cpu->since_ns;
	cpu->since_ns = step.to_ns;
}

#endif
