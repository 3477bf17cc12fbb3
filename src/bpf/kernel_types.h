/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_KERNEL_TYPES_H
#define KVMPERF_BPF_KERNEL_TYPES_H

/*
 * The few fields of kernel structures that the BPF programs read, by name; libbpf relocates the
 * offsets against the running kernel's BTF (CO-RE). Order and completeness don't matter.
 */

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef int pid_t;
typedef _Bool bool;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct rq {
	u64 clock;
	u64 clock_task;
};

struct cfs_rq {
	struct rq *rq;
};

struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq; /* CONFIG_FAIR_GROUP_SCHED */
};

struct sched_info {
	unsigned long long run_delay;
};

struct task_struct {
	unsigned int flags;
	int on_cpu;
	unsigned int __state;
	pid_t pid;
	pid_t tgid;
	u64 start_time; /* CLOCK_MONOTONIC, ns */
	void *stack;
	struct sched_entity se;
	struct sched_info sched_info; /* CONFIG_SCHED_INFO */
	char comm[16];
};

struct timespec64 {
	s64 tv_sec;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct pcpu_hot {
	int preempt_count; /* 6.2 to 6.14 */
};

#pragma clang attribute pop

/* include/linux/sched.h, as in 5.15 to 6.18. */
#define PF_VCPU	   0x00000001 /* the task is a vCPU in guest context */
#define PF_KTHREAD 0x00200000
#define TASK_DEAD  0x00000080

/*
 * include/linux/preempt.h. A softirq that is served counts 0x100; code that keeps softirqs out
 * counts in steps of 0x200.
 */
#define SOFTIRQ_OFFSET 0x00000100
#define HARDIRQ_OFFSET 0x00010000
#define HARDIRQ_MASK   0x000f0000

#endif
