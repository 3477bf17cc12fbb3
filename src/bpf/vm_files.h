/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BPF_VM_FILES_H
#define KVMPERF_BPF_VM_FILES_H

/* Records that vm_files.bpf.c writes and the discoverer reads; also made from /proc. */

#include <linux/types.h>

enum vm_file_kind {
	VM_FILE_VM,   /* anon_inode:kvm-vm */
	VM_FILE_VCPU, /* anon_inode:kvm-vcpu:N */
	VM_FILE_TAP,  /* an attached queue of a tun, tap, macvtap or ipvtap device */
};

enum vm_file_flag {
	VM_FILE_OWNER = 1,     /* this process may run the VM's vCPUs: kvm->mm is its own */
	VM_FILE_HAS_STATS = 2, /* exits and halt_poll_ns are known */
	VM_FILE_HAS_EXIT_CLASSES = 4, /* user_exits and interrupt_exits are known */
};

/* One open file of one process that has to do with a VM. */
struct vm_file {
	__u64 kvm;	    /* identifies the VM: address of struct kvm; 0 for taps */
	__u64 start_ns;	    /* start of the process, ns since boot (task->start_boottime) */
	__u64 exits;	    /* vCPU: cumulative VM exits */
	__u64 halt_poll_ns; /* vCPU: cumulative halt polling, successful and not */
	__u64 user_exits;   /* vCPU: of exits, those that KVM_RUN returned with, since loaded */
	__u64 interrupt_exits; /* vCPU: of exits, those forced by an interrupt of the host */
	__u32 kind;	       /* enum vm_file_kind */
	__u32 flags;	       /* enum vm_file_flag */
	__u32 tgid;
	__u32 fd;
	__s32 index;   /* vCPU: the number given to KVM_CREATE_VCPU; -1 for the other kinds */
	__u32 runner;  /* vCPU: tid that last entered KVM_RUN; 0 when none did or unknown */
	__u32 ifindex; /* tap; 0 when unknown */
	char name[16]; /* tap: interface name, empty when unknown */
	__u32 pad;
};

enum vm_task_flag {
	VM_TASK_KERNEL = 1, /* a kernel thread */
};

/* One thread that may belong to a VM. */
struct vm_task {
	__u64 start_ns; /* start of its process, as in struct vm_file */
	__u32 tid;
	__u32 tgid;
	__u32 parent;  /* tgid of the parent process */
	__u32 flags;   /* enum vm_task_flag */
	char name[48]; /* comm; user space completes the long names of kernel threads */
};

/* Where the members of the types of kvm.ko, tun.ko and tap.ko are, in bytes; -1: not there. */
struct vm_files_layout {
	__s32 kvm_mm;
	__s32 vcpu_kvm;
	__s32 vcpu_id;
	__s32 vcpu_pid;
	__s32 vcpu_exits;
	__s32 vcpu_irq_exits; /* x86 */
	__s32 vcpu_halt_poll_success;
	__s32 vcpu_halt_poll_fail;
	__s32 tun_file_tun;
	__s32 tun_dev;
	__s32 tap_queue_tap;
	__s32 tap_dev;
};

/* Addresses of file_operations.unlocked_ioctl; 0: no such driver is loaded. */
struct vm_files_ioctls {
	__u64 kvm_vm;
	__u64 kvm_vcpu;
	__u64 tun;
	__u64 tap;
};

#endif
