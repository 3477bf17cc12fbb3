/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_SHARED_WORK_H
#define KVMPERF_ACCOUNT_SHARED_WORK_H

/*
 * What shared work is done for: the kernel's softirq vectors (include/linux/interrupt.h), where
 * several do the same kind of work taken together.
 */
enum shared_work {
	WORK_NONE,   /* not shared: the thread's own */
	WORK_NET_RX, /* NET_RX_SOFTIRQ, NAPI threads, interrupts of network drivers */
	WORK_NET_TX, /* NET_TX_SOFTIRQ: queues that were stopped, buffers of sent packets */
	WORK_BLOCK,  /* BLOCK_SOFTIRQ, IRQ_POLL_SOFTIRQ, block work queues, interrupts */
	WORK_TIMER,  /* TIMER_SOFTIRQ, HRTIMER_SOFTIRQ */
	WORK_SCHED,  /* SCHED_SOFTIRQ: balancing the run queues */
	WORK_RCU,    /* RCU_SOFTIRQ */
	WORK_OTHER,  /* tasklets and all the rest */
};
#define WORK_COUNT (WORK_OTHER + 1)

/* Its name in output: "net_rx", "block", ...; "none" for WORK_NONE. */
const char *shared_work_name(enum shared_work work);

#endif
