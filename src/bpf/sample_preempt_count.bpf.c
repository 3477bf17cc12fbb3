// SPDX-License-Identifier: GPL-2.0-only
#include "sampler.h"

/* A per-CPU variable of its own up to 6.1 and from 6.15 on (arch/x86/include/asm/preempt.h). */
extern int __preempt_count __ksym;

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	const struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	int *count = bpf_this_cpu_ptr(&__preempt_count);

	return count_sample(ctx, task,
			    is_kernel_mode(ctx) ? interrupt_from_preempt_count(*count)
						: NO_INTERRUPT);
}
