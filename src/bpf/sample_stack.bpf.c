// SPDX-License-Identifier: GPL-2.0-only
#include "sampler.h"

/*
 * Typed per-CPU symbols resolve only where kallsyms has variables (CONFIG_KALLSYMS_ALL). This
 * is for the other kernels.
 */

const volatile __u64 thread_size = 16384;

/*
 * Where the preempt count can't be read: interrupts and softirqs run on a stack of their own,
 * so a stack pointer outside the task's stack means one of them. A timer's tick can't land in a
 * hardirq handler, which runs with interrupts off; what it sees is softirq work.
 */
static __always_inline enum interrupt interrupt_from_stack(const struct task_struct *task,
							   u64 stack_pointer)
{
	u64 stack = (u64)task->stack;

	return stack_pointer - stack < thread_size ? NO_INTERRUPT : IN_SOFTIRQ;
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	const struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	return count_sample(ctx, task,
			    is_kernel_mode(ctx) ? interrupt_from_stack(task, stack_pointer(ctx))
						: NO_INTERRUPT);
}
