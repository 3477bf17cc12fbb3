/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_KVM_TYPES_H
#define KVMPERF_BPF_KVM_TYPES_H

/*
 * The members of kernel types that vm_files.bpf.c reads, relocated by CO-RE. Only types of the
 * core kernel stand here: those of kvm.ko, tun.ko and tap.ko would need CAP_SYS_ADMIN to be
 * relocated (bpf_btf_get_next_id), so their layout comes from /sys/kernel/btf/<module> through
 * struct vm_files_layout.
 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct;

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct task_struct {
	unsigned int flags;
	__s32 pid;
	__s32 tgid;
	__u64 start_boottime;
	struct mm_struct *mm;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	char comm[16];
};

struct file_operations {
	long (*unlocked_ioctl)(struct file *file, unsigned int command, unsigned long argument);
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
};

struct net_device {
	char name[16];
	int ifindex;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
