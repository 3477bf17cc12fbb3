/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_EXACT_PROGRAMS_H
#define KVMPERF_BPF_EXACT_PROGRAMS_H

/*
 * Exact times of all that runs, by events: see exact.h for what comes out and exact_cpu.h for
 * the state machine. Here are the events and the places of the threads.
 *
 * Programs that take nothing but numbers from their event are raw_tp: user space attaches one
 * program to several tracepoints, and those of a module need no CAP_SYS_ADMIN for its BTF.
 *
 * There are two objects, which differ in how they read the kernel's memory (load()): a kernel
 * without the function that one calls does not load it, before 6.4 not even to learn that it
 * is missing, and libbpf needs CAP_SYS_ADMIN to look for it in vain (see sampler.h).
 */
#include "kernel_types.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "exact.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EXACT_CPUS_MAX);
	__type(key, u32);
	__type(value, struct exact_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EXACT_THREADS_MAX);
	__type(key, u32);
	__type(value, struct exact_thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EXACT_TABLES_MAX *EXACT_EXIT_KINDS);
	__type(key, u32);
	__type(value, struct exact_exit);
} exits SEC(".maps");

/* The place of each living thread. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXACT_THREADS_MAX);
	__type(key, u32);
	__type(value, u32);
} places SEC(".maps");

/* Places and tables that were used before and are free again. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, EXACT_THREADS_MAX);
	__type(value, u32);
} free_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, EXACT_TABLES_MAX);
	__type(value, u32);
} free_tables SEC(".maps");

const volatile struct exact_exit_layout layout;
const volatile __u32 cpus_count; /* possible ones */

/* What exact_cut_cpu() is to do. */
__u8 next_parity;
__u8 next_running;
__u8 next_window;

__u32 places_taken; /* of those above the CPUs' own, since the start */
__u32 tables_taken;
__u32 homeless; /* threads that found no place */
__u32 kinds_taken;
__u32 exit_codes[EXACT_EXIT_KINDS]; /* the code of each kind but 0 */
__u8 exit_kinds[EXACT_EXIT_CODES];  /* the kind of each code; 0: none yet */

static __always_inline struct exact_thread *thread_at(u32 place)
{
	return bpf_map_lookup_elem(&threads, &place);
}

static __always_inline struct exact_exit *exit_at(u32 place)
{
	return bpf_map_lookup_elem(&exits, &place);
}

#define EXACT_CLOCK()	bpf_ktime_get_ns()
#define EXACT_THREAD(n) thread_at(n)
#define EXACT_EXIT(n)	exit_at(n)
#include "exact_cpu.h"

static __always_inline struct exact_cpu *this_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* A number that was given back, else the next of all; 0: there is no more. */
static __always_inline u32 take(void *free, u32 *taken, u32 room)
{
	u32 number;

	if (!bpf_map_pop_elem(free, &number))
		return number;
	if (*taken >= room)
		return 0;
	number = __sync_fetch_and_add(taken, 1);
	return number < room ? number + 1 : 0;
}

static __noinline u32 make_place(const struct task_struct *task)
{
	u32 first = EXACT_PLACES * cpus_count, tid = (u32)task->pid;
	u32 number = take(&free_places, &places_taken, EXACT_THREADS_MAX - first);
	u32 place = first + number - 1;
	struct exact_thread *thread = number ? thread_at(place) : 0;

	if (!thread || bpf_map_update_elem(&places, &tid, &place, BPF_ANY)) {
		bool kernel_thread = task->flags & PF_KTHREAD;
		__sync_fetch_and_add(&homeless, 1);
		if (thread)
			bpf_map_push_elem(&free_places, &number, 0);
		return (kernel_thread ? 2 : 1) * cpus_count + bpf_get_smp_processor_id();
	}
	thread->tgid = (u32)task->tgid;
	thread->tid = tid;
	thread->kernel_thread = !!(task->flags & PF_KTHREAD);
	bpf_probe_read_kernel_str(thread->comm, sizeof(thread->comm), task->comm);
	return place;
}

static __always_inline u32 place_of(struct exact_cpu *cpu, const struct task_struct *task)
{
	u32 tid = (u32)task->pid;

	if (!tid)
		return bpf_get_smp_processor_id();
	struct exact_recent *recent = &cpu->recent[tid % EXACT_RECENT];
	if (recent->tid == tid) {
		/* Another thread can have got the number or the place. */
		const struct exact_thread *thread = thread_at(recent->place);
		if (thread && thread->tid == tid && !thread->ended)
			return recent->place;
	}
	u32 *place = bpf_map_lookup_elem(&places, &tid);
	if (!place)
		return make_place(task);
	recent->tid = tid;
	recent->place = *place;
	return *place;
}

/* A thread that has ended: its number may be another's soon. */
static __noinline int give_up_place(const struct exact_cpu *cpu, const struct task_struct *task)
{
	u32 tid = (u32)task->pid;
	u32 *place = bpf_map_lookup_elem(&places, &tid);
	struct exact_thread *thread = place ? thread_at(*place) : 0;

	if (thread)
		thread->ended = 1 + exact_parity(cpu);
	bpf_map_delete_elem(&places, &tid);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(exact_sched_switch, bool preempt, struct task_struct *prev,
	     struct task_struct *next)
{
	struct exact_cpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	if (cpu->running)
		exact_switch(cpu, place_of(cpu, next));
	/* Set in do_task_dead() (kernel/sched/core.c), right before the last switch. */
	if (!preempt && prev->__state & TASK_DEAD)
		give_up_place(cpu, prev);
	return 0;
}

SEC("raw_tp")
int exact_irq_entry(void *ctx)
{
	struct exact_cpu *cpu = this_cpu();

	if (cpu)
		exact_hardirq_entry(cpu);
	return 0;
}

SEC("raw_tp")
int exact_irq_exit(void *ctx)
{
	struct exact_cpu *cpu = this_cpu();

	if (cpu)
		exact_hardirq_exit(cpu);
	return 0;
}

SEC("raw_tp/softirq_entry")
int exact_softirq_begin(struct bpf_raw_tracepoint_args *ctx)
{
	struct exact_cpu *cpu = this_cpu();

	if (cpu)
		exact_softirq_entry(cpu, (u32)ctx->args[0]);
	return 0;
}

SEC("raw_tp/softirq_exit")
int exact_softirq_end(void *ctx)
{
	struct exact_cpu *cpu = this_cpu();

	if (cpu)
		exact_softirq_exit(cpu);
	return 0;
}

SEC("raw_tp/kvm_entry")
int exact_kvm_entry(void *ctx)
{
	struct exact_cpu *cpu = this_cpu();

	if (cpu)
		exact_guest_entry(cpu);
	return 0;
}

/*
 * The verifier allows the context no offsets but constant ones, and the compiler would make one
 * computed offset of them all. What the layout rules out is no code.
 */
#define LOAD_ARGUMENT(value, ctx, offset)                                                      \
	asm volatile("%0 = *(u64 *)(%1 + " #offset ")" : "=r"(value) : "r"(ctx))

static __always_inline u64 argument(const struct bpf_raw_tracepoint_args *ctx, s32 index)
{
	u64 value = 0;

	if (index == 0)
		LOAD_ARGUMENT(value, ctx, 0);
	else if (index == 1)
		LOAD_ARGUMENT(value, ctx, 8);
	else if (index == 2)
		LOAD_ARGUMENT(value, ctx, 16);
	return value;
}

/* The 64 bits at a kernel address; 0 when it can't be read. */
static u64 load(const char *address);

/* The reason's code as the vendor's manual has it. */
static __always_inline u32 exit_reason(const struct bpf_raw_tracepoint_args *ctx, u32 isa)
{
	const char *vcpu = (const char *)argument(ctx, layout.vcpu_argument);

	if (layout.reason_argument >= 0)
		return (u32)argument(ctx, layout.reason_argument);
	if (isa == EXACT_ISA_SVM && layout.svm_vmcb >= 0) {
		const char *vmcb = (const char *)load(vcpu + layout.svm_vmcb);
		return (u32)load(vmcb + layout.vmcb_exit_code);
	}
	if (isa == EXACT_ISA_VMX && layout.vmx_exit_reason >= 0)
		return (u32)load(vcpu + layout.vmx_exit_reason);
	return EXACT_EXIT_CODES;
}

static __noinline u32 make_kind(u32 code)
{
	u32 kind = 0;

	if (code < EXACT_EXIT_CODES && kinds_taken < EXACT_EXIT_KINDS - 1)
		kind = __sync_fetch_and_add(&kinds_taken, 1) + 1;
	if (kind == 0 || kind >= EXACT_EXIT_KINDS)
		return 0;
	/* Two CPUs at once make two kinds of one code; user space adds them up. */
	exit_codes[kind] = code;
	if (code < EXACT_EXIT_CODES)
		exit_kinds[code] = (u8)kind;
	return kind;
}

/* The last exit's kind is at hand: the table is one more page to be looked for. */
static __always_inline u32 kind_of(struct exact_cpu *cpu, u32 code)
{
	if (cpu->kind && cpu->code == code)
		return cpu->kind;
	u8 kind = code < EXACT_EXIT_CODES ? exit_kinds[code] : 0;
	if (!kind)
		kind = (u8)make_kind(code);
	cpu->code = code;
	cpu->kind = kind;
	return kind;
}

static __noinline u32 make_table(struct exact_thread *thread)
{
	if (thread)
		thread->exits = take(&free_tables, &tables_taken, EXACT_TABLES_MAX - 1);
	return 0;
}

SEC("raw_tp/kvm_exit")
int exact_kvm_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct exact_cpu *cpu = this_cpu();

	if (!cpu || !cpu->running)
		return 0;
	u32 isa = layout.isa_argument >= 0 ? (u32)argument(ctx, layout.isa_argument) : 0;
	u32 code = exit_reason(ctx, isa);
	/* The upper half has flags: failed entry, enclave mode. */
	if (isa == EXACT_ISA_VMX)
		code &= 0xffff;
	cpu->isa = isa;
	struct exact_thread *thread = thread_at(cpu->thread);
	if (thread && !thread->exits)
		make_table(thread);
	exact_guest_exit(cpu, kind_of(cpu, code) & (EXACT_EXIT_KINDS - 1));
	return 0;
}

/* Run by user space on each CPU, by BPF_PROG_TEST_RUN. */
SEC("raw_tp")
int exact_cut_cpu(void *ctx)
{
	struct exact_cpu *cpu = this_cpu();
	u8 running = next_running, parity = next_parity;

	if (!cpu)
		return 0;
	if (cpu->running)
		exact_cut(cpu, parity, running);
	else if (running)
		exact_begin(cpu, place_of(cpu, bpf_get_current_task_btf()), parity,
			    next_window);
	else
		cpu->last = parity;
	return 0;
}

#endif
