// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact CPU and ready time of every task, as /proc/TID/schedstat has it (fields 1 and 2), read
 * by an iterator once an interval: the kernel remembers the last reading of each task and hands
 * out what came since. A task that ends hands out its last part when it leaves its CPU for
 * good, so that no time is lost between two readings.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "sample.h"

char LICENSE[] SEC("license") = "GPL";

struct reading {
	u64 run_ns;
	u64 ready_ns;
	u64 taken; /* 0: none yet */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct reading);
} readings SEC(".maps");

/* Shared with the sampler. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u32);
} vm_tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} ended_tasks SEC(".maps");

const volatile __u32 self_tgid;

/* Set while the first reading is taken: remember, hand out nothing. */
__u32 baseline;
/* CLOCK_MONOTONIC at the start of this reading and of the one before, ns. */
__u64 reading_time;
__u64 previous_reading_time;
/* CLOCK_MONOTONIC - rq->clock, taken when kvmperf was put on a CPU last; 0: unknown. */
__s64 clock_offset;

__u64 other_run_ns[OTHER_TASKS_COUNT];
__u64 ended_kernel_threads_ns; /* of those that found the ring full */

static __always_inline void charge_other(u32 tgid, u64 run_ns)
{
	__sync_fetch_and_add(&other_run_ns[tgid == self_tgid ? OTHER_SELF : OTHER_PROCESSES],
			     run_ns);
}

/*
 * sum_exec_runtime of a running task is brought up to date at ticks and context switches only:
 * up to a tick late, a second with nohz_full. What the task ran since (kernel/sched/fair.c,
 * update_curr: now - exec_start on the clock rq->clock_task) is added here.
 */
static __always_inline u64 run_time(const struct task_struct *task)
{
	u64 run_ns = task->se.sum_exec_runtime;

	if (!bpf_core_field_exists(task->se.cfs_rq) || !clock_offset || !task->on_cpu)
		return run_ns;
	const struct rq *rq = task->se.cfs_rq->rq;
	u64 now = reading_time - (u64)clock_offset - (rq->clock - rq->clock_task);
	s64 since = (s64)(now - task->se.exec_start);
	if (since > 0 && since < 2000000000LL)
		run_ns += (u64)since;
	return run_ns;
}

/*
 * Should the task have been read before? Its storage can be missing all the same (no memory, or
 * the storage's lock was taken); then what it ran before is unknown, and nothing is handed out.
 */
static __always_inline bool is_older_than(const struct task_struct *task, u64 time)
{
	return task->start_time < time;
}

/* The rise of a counter since the last reading; never negative, never handed out twice. */
static __always_inline u64 advance(u64 *last, u64 now)
{
	u64 before = *last;

	if (now <= before)
		return 0;
	*last = now;
	return now - before;
}

SEC("iter/task")
int read_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	/* The last part of a task that has ended came from task_switched(). */
	if (!task || task->__state & TASK_DEAD)
		return 0;
	struct reading *last =
		bpf_task_storage_get(&readings, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!last)
		return 0;
	bool first = !last->taken && is_older_than(task, previous_reading_time);
	last->taken = 1;

	struct task_time time = {
		.tgid = (u32)task->tgid,
		.tid = (u32)task->pid,
		.run_ns = advance(&last->run_ns, run_time(task)),
		.ready_ns = advance(&last->ready_ns, task->sched_info.run_delay),
		.kernel_thread = !!(task->flags & PF_KTHREAD),
	};
	if (baseline || first || (!time.run_ns && !time.ready_ns))
		return 0;
	if (!time.kernel_thread && !bpf_map_lookup_elem(&vm_tgids, &time.tgid)) {
		charge_other(time.tgid, time.run_ns);
		return 0;
	}
	bpf_probe_read_kernel_str(time.comm, sizeof(time.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &time, sizeof(time));
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(task_switched, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if ((u32)next->tgid == self_tgid && bpf_core_field_exists(next->se.cfs_rq))
		clock_offset = (s64)(bpf_ktime_get_ns() - next->se.cfs_rq->rq->clock);

	/* Set in do_task_dead() (kernel/sched/core.c), right before the last switch. */
	if (preempt || !(prev->__state & TASK_DEAD))
		return 0;

	struct reading *last = bpf_task_storage_get(&readings, prev, 0, 0);
	if (!last && is_older_than(prev, reading_time))
		return 0;
	u64 run_before = last ? last->run_ns : 0, ready_before = last ? last->ready_ns : 0;
	u64 run_ns = prev->se.sum_exec_runtime, ready_ns = prev->sched_info.run_delay;
	struct task_time time = {
		.tgid = (u32)prev->tgid,
		.tid = (u32)prev->pid,
		.run_ns = run_ns > run_before ? run_ns - run_before : 0,
		.ready_ns = ready_ns > ready_before ? ready_ns - ready_before : 0,
		.kernel_thread = !!(prev->flags & PF_KTHREAD),
		.ended = 1,
	};
	if (last) {
		last->run_ns = run_ns;
		last->ready_ns = ready_ns;
	}
	if (!time.kernel_thread && !bpf_map_lookup_elem(&vm_tgids, &time.tgid)) {
		charge_other(time.tgid, time.run_ns);
		return 0;
	}
	bpf_probe_read_kernel_str(time.comm, sizeof(time.comm), prev->comm);
	if (bpf_ringbuf_output(&ended_tasks, &time, sizeof(time), BPF_RB_NO_WAKEUP)) {
		if (time.kernel_thread)
			__sync_fetch_and_add(&ended_kernel_threads_ns, time.run_ns);
		else
			charge_other(time.tgid, time.run_ns);
	}
	return 0;
}
