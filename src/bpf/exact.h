/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMPERF_BPF_EXACT_H
#define KVMPERF_BPF_EXACT_H

/*
 * What exact_programs.h shares with user space: plain structs in arrays that user space maps.
 * Every sum stands twice, for the interval under way and for the one that is being read: a CPU
 * adds to the half that its parity names, and changes to the other half when it is told to
 * (exact_cut()). When all CPUs have changed, the old half is user space's to read and clear.
 */

#include <linux/types.h>

/* What a thread was doing, or what was done while it held the CPU. */
enum exact_account {
	EXACT_GUEST,   /* from kvm_entry to kvm_exit */
	EXACT_HOST,    /* on the CPU, in user or kernel mode */
	EXACT_HARDIRQ, /* interrupted by one */
	EXACT_SOFTIRQ, /* interrupted by one, or (as ksoftirqd) there to serve them */
};
#define EXACT_ACCOUNTS 4

/* enum in include/linux/interrupt.h: HI, TIMER, NET_TX, NET_RX ... RCU. */
#define EXACT_SOFTIRQS 10

/*
 * One thread. The first places belong to the CPUs: their idle tasks, then the processes and the
 * kernel threads that found no place of their own.
 */
struct exact_thread {
	__u64 ns[2][EXACT_ACCOUNTS];
	__u32 exits; /* its table of exits; 0: none yet, or no room */
	__u8 cause;  /* 1 + the kind of the exit that is being handled; 0: none */
	__u8 window; /* in which cause was set */
	__u8 ended;  /* 1 + the parity in which it ended; 0: it lives */
	__u8 kernel_thread;
	__u32 tgid;
	__u32 tid;
	char comm[16];
	__u8 unused[32]; /* two cache lines */
};

/* The exits of one thread for one reason. */
struct exact_exit {
	__u64 count[2];
	__u64 ns[2]; /* the thread's host time from kvm_exit to the next kvm_entry */
};

/*
 * Reasons are numbered in the order in which they are met, so that a table is short. Kind 0
 * takes those that are beyond the codes or find no number left.
 */
#define EXACT_EXIT_KINDS 64
#define EXACT_EXIT_CODES 0x410

#define EXACT_CPUS_MAX	  1024
#define EXACT_PLACES	  3 /* of each CPU */
#define EXACT_THREADS_MAX 65536
#define EXACT_TABLES_MAX  4096

/* A thread that had the CPU lately, where its number says: its place needs no search. */
#define EXACT_RECENT 8
struct exact_recent {
	__u32 tid; /* 0: none */
	__u32 place;
};

/* One CPU: what each event needs in the first cache line. */
struct exact_cpu {
	/*
	 * When the account under way began or was brought up to date, ns, times two; plus the
	 * parity. One word, so that both change at once.
	 */
	__u64 last;
	__u64 events[2];
	__u64 entries[2]; /* kvm_entry */
	__u32 thread;	  /* the place of the thread that holds the CPU */
	__u8 running;	  /* 0: not started, or in a pause */
	__u8 guest;
	__u8 hardirqs; /* that are being handled, one inside the other */
	__u8 softirq;  /* 1 + the vector that is being served; 0: none */
	__u8 window;   /* counts the times that the CPU began to be followed */
	__u8 kind;     /* of the last exit */
	__u8 unused[2];
	__u32 code; /* of the last exit; the kind 0 is no kind of it */
	__u32 isa;  /* of the exits; 0: none yet */
	__u32 unused_too;
	struct exact_recent recent[EXACT_RECENT];
	__u64 softirq_ns[2][EXACT_SOFTIRQS];
	__u64 since_ns;	     /* when covered_ns was brought up to date */
	__u64 covered_ns[2]; /* all time that the accounts speak of */
	__u64 unused_last;
};

/*
 * Where kvm_exit's arguments are, and the reason where it is no argument. -1: not there. The
 * offsets count from the struct kvm_vcpu.
 */
struct exact_exit_layout {
	__s32 vcpu_argument;
	__s32 isa_argument;
	__s32 reason_argument;
	__s32 svm_vmcb;	      /* pointer to the VMCB */
	__s32 vmcb_exit_code; /* in the VMCB */
	__s32 vmx_exit_reason;
};

/* arch/x86/kvm/trace.h */
#define EXACT_ISA_VMX 1
#define EXACT_ISA_SVM 2

#endif
