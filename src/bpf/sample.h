/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_SAMPLE_H
#define KVMPERF_BPF_SAMPLE_H

/* What the samplers and tasks.bpf.c share with user space: plain structs. */

#include <linux/types.h>

/* The mode a CPU was in when a sample was taken. */
enum sample_mode {
	SAMPLE_GUEST,
	SAMPLE_USER,
	SAMPLE_KERNEL,
	SAMPLE_SOFTIRQ,
	SAMPLE_HARDIRQ,
};

/* One cell of the counts: samples of one thread in one mode (and subsystem). */
struct sample_key {
	__u32 tgid; /* 0: the idle task */
	__u32 tid;
	__u16 subsystem; /* kernel_map's, for kernel and interrupt modes; else 0 */
	__u8 mode;	 /* enum sample_mode */
	__u8 kernel_thread;
	__u8 work; /* what its callchain tells of the kind of work: enum shared_work */
	__u8 unused[3];
};

/* What is counted in a cell. */
struct sample_count {
	__u64 samples;
	/*
	 * Of these, whose thread was sampled in another mode before (softirq and hardirq are
	 * one); VMs' threads only. They tell how independent a thread's samples are.
	 */
	__u64 entries;
	/* How often the reference loop was timed, VMs' threads only, and what it took in all.
	 */
	__u64 references;
	__u64 reference_ns;
};

/* Addresses from start up to the next entry's start belong to subsystem. */
struct sample_range {
	__u64 start;
	__u32 subsystem;
	__u32 unused;
};
#define SAMPLE_RANGES_MAX 16384 /* a table; there are two, used in turn */

/* A function whose presence in a callchain tells the kind of work; in rising order. */
struct sample_function {
	__u64 start;
	__u64 end;
	__u32 work; /* enum shared_work, not WORK_NONE */
	__u32 unused;
};
#define SAMPLE_FUNCTIONS_MAX 64 /* a table; there are two, used in turn */

/* Variables of the sampler that user space sets and reads: one of each object's .bss. */
struct sampler_variables {
	__u32 ranges_base; /* of the table of ranges in use */
	__u32 ranges_count;
	__u32 functions_base; /* of the table of functions in use */
	__u32 functions_count;
	__u64 uncounted; /* samples that found the map of counts full */
};

/* Why a thread group is in the map vm_tgids. */
enum vm_tgid_state {
	VM_TGID_SEEN = 1, /* a guest-mode sample was taken in it; not discovered yet */
	VM_TGID_KNOWN,	  /* put there by user space */
};

/* The CPU time of one task since the last reading. */
struct task_time {
	__u32 tgid;
	__u32 tid;
	__u64 run_ns;	/* on a CPU */
	__u64 ready_ns; /* runnable, not running: sched_info.run_delay */
	__u8 kernel_thread;
	__u8 ended;
	__u8 unused[6];
	char comm[16];
};

/* CPU time of the tasks that are not reported one by one; cumulative. */
enum other_tasks {
	OTHER_PROCESSES,
	OTHER_SELF,
};
#define OTHER_TASKS_COUNT 2

#endif
