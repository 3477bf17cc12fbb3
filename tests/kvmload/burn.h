/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_BURN_H
#define KVMLOAD_BURN_H

#include <stdbool.h>
#include <stdint.h>

#include "state.h"
/* Run-queue wait of a thread of this process so far, ns: /proc/self/task/TID/schedstat. */
uint64_t burn_ready_ns(pid_t tid);

/*
 * Uses ns of the calling thread's CPU time in user mode; it and the gaps longer than gap_ns go
 * to the account. Ends early when *stop is set.
 */
void burn_user(struct thread_account *account, uint64_t ns, double tsc_hz, uint64_t gap_ns,
	       const bool *stop);

/* Likewise in kernel mode. */
void burn_kernel(struct thread_account *account, uint64_t ns, const bool *stop);

/* Sleeps for ns, or until stop_fd is readable. */
void burn_sleep(struct thread_account *account, uint64_t ns, int stop_fd);

#endif
