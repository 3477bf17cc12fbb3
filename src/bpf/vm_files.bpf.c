/* SPDX-License-Identifier: GPL-2.0-only */
/* Iterators that list the open files and the threads of VMs; see vm_files.h. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kvm_types.h"
#include "vm_files.h"

char LICENSE[] SEC("license") = "GPL";

/* include/linux/sched.h */
#define PF_WQ_WORKER 0x00000020
#define PF_KTHREAD   0x00200000

const volatile struct vm_files_layout layout;
const volatile struct vm_files_ioctls ioctls;

/* The processes whose threads and children list_tasks tells; keyed by tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} vm_processes SEC(".maps");

/*
 * Returns of KVM_RUN to user space by the thread that called it. KVM keeps no count of them. A
 * thread that is gone is forgotten when others need the room.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u64);
} user_exits SEC(".maps");

__u8 counts_user_exits; /* the program below is attached */

/* virt/kvm/kvm_main.c, kvm_vcpu_ioctl: after each KVM_RUN, also where no KVM has more events.
 */
SEC("raw_tp/kvm_userspace_exit")
int count_user_exit(void *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 *count = bpf_map_lookup_elem(&user_exits, &tid);
	__u64 one = 1;

	/* Only this thread writes it. */
	if (count)
		++*count;
	else
		bpf_map_update_elem(&user_exits, &tid, &one, BPF_ANY);
	return 0;
}

static __always_inline __u64 read_u64(const void *base, __s32 offset)
{
	__u64 value = 0;

	if (base && offset >= 0)
		bpf_probe_read_kernel(&value, sizeof(value), base + offset);
	return value;
}

static __always_inline const void *read_pointer(const void *base, __s32 offset)
{
	return (const void *)read_u64(base, offset);
}

static __always_inline void describe_vcpu(struct vm_file *record, const void *vcpu)
{
	const struct pid *runner = read_pointer(vcpu, layout.vcpu_pid);

	if (layout.vcpu_id >= 0)
		bpf_probe_read_kernel(&record->index, sizeof(record->index),
				      vcpu + layout.vcpu_id);
	if (runner)
		record->runner = BPF_CORE_READ(runner, numbers[0].nr);
	if (layout.vcpu_exits >= 0 && layout.vcpu_halt_poll_success >= 0 &&
	    layout.vcpu_halt_poll_fail >= 0) {
		record->exits = read_u64(vcpu, layout.vcpu_exits);
		record->halt_poll_ns = read_u64(vcpu, layout.vcpu_halt_poll_success) +
				       read_u64(vcpu, layout.vcpu_halt_poll_fail);
		record->flags |= VM_FILE_HAS_STATS;
	}
	if (counts_user_exits) {
		__u64 *count = bpf_map_lookup_elem(&user_exits, &record->runner);

		record->user_exits = count ? *count : 0;
		record->interrupt_exits = read_u64(vcpu, layout.vcpu_irq_exits);
		record->flags |= VM_FILE_HAS_EXIT_CLASSES;
	}
}

static __always_inline void describe_tap(struct vm_file *record, const struct net_device *dev)
{
	record->ifindex = BPF_CORE_READ(dev, ifindex);
	bpf_core_read_str(record->name, sizeof(record->name), &dev->name);
}

/*
 * With one call for each file of each process: threads that share the table of their leader are
 * skipped by the kernel (kernel/bpf/task_iter.c, task_seq_get_next).
 */
SEC("iter/task_file")
int list_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	const void *kvm = 0;

	if (!task || !file)
		return 0;

	__u64 ioctl = (__u64)file->f_op->unlocked_ioctl;
	const void *private_data = file->private_data;

	if (!ioctl || !private_data)
		return 0;

	struct vm_file record = {.tgid = task->tgid, .fd = ctx->fd, .index = -1};

	if (ioctl == ioctls.kvm_vcpu) {
		record.kind = VM_FILE_VCPU;
		kvm = read_pointer(private_data, layout.vcpu_kvm);
		describe_vcpu(&record, private_data);
	} else if (ioctl == ioctls.kvm_vm) {
		record.kind = VM_FILE_VM;
		kvm = private_data;
	} else {
		const struct net_device *dev = 0;

		if (ioctl == ioctls.tun)
			dev = read_pointer(read_pointer(private_data, layout.tun_file_tun),
					   layout.tun_dev);
		else if (ioctl == ioctls.tap)
			dev = read_pointer(read_pointer(private_data, layout.tap_queue_tap),
					   layout.tap_dev);
		if (!dev)
			return 0;
		record.kind = VM_FILE_TAP;
		describe_tap(&record, dev);
	}

	if (kvm) {
		__u64 mm = (__u64)BPF_CORE_READ(task, mm);

		record.kvm = (__u64)kvm;
		if (mm && mm == read_u64(kvm, layout.kvm_mm))
			record.flags |= VM_FILE_OWNER;
	}
	record.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

static __always_inline int has_prefix(const char *name, const char *prefix, int length)
{
	for (int i = 0; i < length; i++)
		if (name[i] != prefix[i])
			return 0;
	return 1;
}

/* Threads of vm_processes and of their children, and the kernel threads made for VMs. */
SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;

	struct vm_task record = {.tid = task->pid, .tgid = task->tgid};

	if (task->flags & PF_KTHREAD) {
		if (task->flags & PF_WQ_WORKER)
			return 0;
		bpf_core_read_str(record.name, sizeof(task->comm), &task->comm);
		if (!has_prefix(record.name, "vhost-", 6) &&
		    !has_prefix(record.name, "kvm-", 4))
			return 0;
		record.flags = VM_TASK_KERNEL;
	} else {
		record.parent = BPF_CORE_READ(task, real_parent, tgid);
		if (!bpf_map_lookup_elem(&vm_processes, &record.tgid) &&
		    !bpf_map_lookup_elem(&vm_processes, &record.parent))
			return 0;
		bpf_core_read_str(record.name, sizeof(task->comm), &task->comm);
	}
	record.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
