/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_SAMPLER_H
#define KVMPERF_BPF_SAMPLER_H

/*
 * The sampler: runs on every tick of a per-CPU perf event, tells the mode and subsystem of what
 * the CPU does, and counts it. Only samples that user space must look at itself (guest mode,
 * whose privilege level is in the perf record alone, and user code of VMs, whose shared object
 * user space knows) are let through to the perf ring.
 *
 * There are three programs, one a file, which differ in how they tell interrupts from threads.
 * They are three objects since libbpf needs CAP_SYS_ADMIN to look in vain for the symbol that
 * another kernel has (it asks for the BTF of all modules).
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <linux/bpf_perf_event.h>
#include "sample.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct sample_key);
	__type(value, struct sample_count);
} counts SEC(".maps");

/* The mode of the last sample of a VM's thread; one that is gone makes room for others. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, u8);
} last_modes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u32);
} vm_tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * SAMPLE_RANGES_MAX);
	__type(key, u32);
	__type(value, struct sample_range);
} ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * SAMPLE_FUNCTIONS_MAX);
	__type(key, u32);
	__type(value, struct sample_function);
} functions SEC(".maps");

/* Room for one callchain. */
#define CALLCHAIN_MAX 64
struct callchain {
	u64 addresses[CALLCHAIN_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct callchain);
} callchains SEC(".maps");

/* Thread groups in which a guest-mode sample was taken and that user space doesn't know. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} new_vms SEC(".maps");

/* Interrupt levels that the sampling event itself adds: 1 for a timer's interrupt, 0 for NMI.
 */
const volatile __u32 own_hardirqs = 1;

struct sampler_variables variables;

static __always_inline u32 subsystem_of(u64 address)
{
	u32 base = variables.ranges_base, low = 0, high = variables.ranges_count;

	/* The last range whose start is not above address; 2^15 > SAMPLE_RANGES_MAX. */
	for (int step = 0; step < 15; step++) {
		if (low + 1 >= high)
			break;
		u32 middle = (low + high) / 2;
		u32 index = base + middle;
		struct sample_range *range = bpf_map_lookup_elem(&ranges, &index);
		if (range && range->start <= address)
			low = middle;
		else
			high = middle;
	}
	u32 index = base + low;
	struct sample_range *range = bpf_map_lookup_elem(&ranges, &index);
	return range ? range->subsystem : 0;
}

/*
 * The work of the function that the address is in, or 0. Not inlined, so that the verifier
 * looks at it once and not for each frame.
 */
__noinline u32 work_of_address(u64 address)
{
	u32 base = variables.functions_base, low = 0, high = variables.functions_count;

	/* 2^7 > SAMPLE_FUNCTIONS_MAX. */
	for (int step = 0; step < 7; step++) {
		if (low + 1 >= high)
			break;
		u32 middle = (low + high) / 2;
		u32 index = base + middle;
		struct sample_function *function = bpf_map_lookup_elem(&functions, &index);
		if (function && function->start <= address)
			low = middle;
		else
			high = middle;
	}
	u32 index = base + low;
	struct sample_function *function = bpf_map_lookup_elem(&functions, &index);
	if (!function || address < function->start || address >= function->end)
		return 0;
	return function->work;
}

/*
 * What kind of shared work the CPU does, by the innermost function of the callchain that tells;
 * 0 when none does. Only for samples in interrupts and kernel threads: unwinding takes some
 * microseconds.
 */
static __always_inline u8 work_of_callchain(struct bpf_perf_event_data *ctx)
{
	u32 zero = 0;
	struct callchain *chain = bpf_map_lookup_elem(&callchains, &zero);

	if (!chain)
		return 0;
	long length = bpf_get_stack(ctx, chain, sizeof(*chain), 0);
	for (int i = 0; i < CALLCHAIN_MAX; i++) {
		if ((i + 1) * (long)sizeof(u64) > length)
			break;
		u32 work = work_of_address(chain->addresses[i]);
		if (work)
			return (u8)work;
	}
	return 0;
}

static __always_inline void announce_vm(u32 tgid)
{
	u32 seen = VM_TGID_SEEN;

	if (!bpf_map_update_elem(&vm_tgids, &tgid, &seen, BPF_NOEXIST))
		bpf_ringbuf_output(&new_vms, &tgid, sizeof(tgid), BPF_RB_FORCE_WAKEUP);
}

/*
 * The reference loop: always the same work. What it takes follows what the core gives to this
 * hyperthread and at which frequency, as VM exits do: measured on an AMD EPYC whose core is
 * shared with others' VMs, 82 ns instead of 60, with the clock that times it, where a VM exit
 * took 34 us instead of 25 (docs/accuracy.md). Six sums that can go on at once, for a few
 * instructions a cycle, as kernel code has them.
 */
#define REFERENCE_PASSES 3
static __noinline u64 reference_loop(u64 seed)
{
	u64 a = seed, b = seed + 1, c = seed + 2, d = seed + 3, e = seed + 4, f = seed + 5;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 20; i++) {
		a += i;
		b ^= a;
		c += b | 1;
		d -= i;
		e ^= i * 3;
		f += d;
		/* They are not to be known beforehand. */
		asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	}
	return a + b + c + d + e + f;
}

/*
 * Its time, ns, the last time of several: the first find caches and branch predictors cold. 0
 * when something came between: it took far longer than another time.
 */
static __always_inline u64 time_reference(u64 seed)
{
	u64 sum = seed, before_ns = bpf_ktime_get_ns(), ns = 0, least_ns = ~0ULL;

#pragma clang loop unroll(disable)
	for (int i = 0; i < REFERENCE_PASSES; i++) {
		sum = reference_loop(sum);
		u64 now_ns = bpf_ktime_get_ns();
		ns = now_ns - before_ns;
		if (ns < least_ns)
			least_ns = ns;
		before_ns = now_ns;
	}
	asm volatile("" : : "r"(sum));
	return ns <= 3 * least_ns ? ns : 0;
}

enum interrupt {
	NO_INTERRUPT,
	IN_SOFTIRQ,
	IN_HARDIRQ,
};

#if defined(__TARGET_ARCH_arm64)
#define instruction_pointer(ctx) ((ctx)->regs.pc)
#define stack_pointer(ctx)	 ((ctx)->regs.sp)
#else
#define instruction_pointer(ctx) ((ctx)->regs.rip)
#define stack_pointer(ctx)	 ((ctx)->regs.rsp)
#endif

/* Was the thread's last sample in another mode? Notes this one. */
static __always_inline bool enters_mode(u32 tid, u8 mode)
{
	u8 *last = bpf_map_lookup_elem(&last_modes, &tid);
	bool entered = 0;

	if (mode == SAMPLE_HARDIRQ)
		mode = SAMPLE_SOFTIRQ;
	if (last) {
		entered = *last != mode;
		*last = mode;
	} else {
		bpf_map_update_elem(&last_modes, &tid, &mode, BPF_ANY);
	}
	return entered;
}

static __always_inline void add_reference(struct sample_count *count, u64 seed)
{
	u64 ns = time_reference(seed);

	if (!ns)
		return;
	__sync_fetch_and_add(&count->references, 1);
	__sync_fetch_and_add(&count->reference_ns, ns);
}

static __always_inline int count_sample(struct bpf_perf_event_data *ctx,
					const struct task_struct *task,
					enum interrupt interrupt)
{
	u64 address = instruction_pointer(ctx);
	struct sample_key key = {.tgid = (u32)task->tgid, .tid = (u32)task->pid};
	bool is_vm = !!bpf_map_lookup_elem(&vm_tgids, &key.tgid);
	int pass = 0;

	key.kernel_thread = !!(task->flags & PF_KTHREAD);
	if (interrupt != NO_INTERRUPT) {
		/*
		 * First of all: an interrupt that ended the guest's run is handled, and its
		 * softirqs run, while PF_VCPU is still set (arch/x86/kvm/x86.c,
		 * vcpu_enter_guest).
		 */
		key.mode = interrupt == IN_HARDIRQ ? SAMPLE_HARDIRQ : SAMPLE_SOFTIRQ;
		key.subsystem = (u16)subsystem_of(address);
		if (interrupt == IN_SOFTIRQ)
			key.work = work_of_callchain(ctx);
	} else if (task->flags & PF_VCPU) {
		key.mode = SAMPLE_GUEST;
		pass = 1;
		if (!is_vm)
			announce_vm(key.tgid);
	} else if ((s64)address < 0) {
		key.mode = SAMPLE_KERNEL;
		key.subsystem = (u16)subsystem_of(address);
		if (key.kernel_thread)
			key.work = work_of_callchain(ctx);
	} else {
		key.mode = SAMPLE_USER;
		pass = is_vm;
	}

	bool entered = is_vm && enters_mode(key.tid, key.mode);
	struct sample_count *count = bpf_map_lookup_elem(&counts, &key);
	if (!count) {
		struct sample_count none = {0};
		/* In vain when another CPU was first, or the map is full. */
		bpf_map_update_elem(&counts, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, &key);
	}
	if (count) {
		__sync_fetch_and_add(&count->samples, 1);
		if (entered)
			__sync_fetch_and_add(&count->entries, 1);
		if (is_vm)
			add_reference(count, address);
	} else {
		__sync_fetch_and_add(&variables.uncounted, 1);
	}
	return pass;
}

/* A user-mode address is in no interrupt, whatever the rest says. */
static __always_inline bool is_kernel_mode(struct bpf_perf_event_data *ctx)
{
	return (s64)instruction_pointer(ctx) < 0;
}

static __always_inline enum interrupt interrupt_from_preempt_count(int count)
{
	if ((u32)(count & HARDIRQ_MASK) > own_hardirqs * HARDIRQ_OFFSET)
		return IN_HARDIRQ;
	return count & SOFTIRQ_OFFSET ? IN_SOFTIRQ : NO_INTERRUPT;
}

#endif
