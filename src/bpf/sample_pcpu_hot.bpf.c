// SPDX-License-Identifier: GPL-2.0-only
#include "sampler.h"

/* Linux 6.2 to 6.14 (arch/x86/include/asm/current.h). */
extern struct pcpu_hot pcpu_hot __ksym;

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	const struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);

	return count_sample(ctx, task,
			    is_kernel_mode(ctx)
				    ? interrupt_from_preempt_count(hot->preempt_count)
				    : NO_INTERRUPT);
}
