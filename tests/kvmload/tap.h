/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_TAP_H
#define KVMLOAD_TAP_H

#include <stdint.h>

#include "base/error.h"
#include "plan.h"
#include "state.h"

/* The taps of one VM: its guest's network cards. */
struct taps {
	unsigned count;
	int fds[PLAN_MAX_TAPS];
	unsigned char *frame;
	unsigned frame_size;
	double packets_per_second;
	uint64_t start_ns; /* of sending; 0: not yet */
	uint64_t due;	   /* frames that should be out by now */
};

/* Opens (or makes) the plan's taps and brings them up; *taps is closed with taps_close(). */
int taps_open(struct taps *taps, const struct plan *plan, struct error *error);
void taps_close(struct taps *taps);

/*
 * Sends the frames that are due and throws away what arrived; the thread CPU time of it goes to
 * the account's kernel time.
 */
void taps_work(struct taps *taps, struct thread_account *account);

#endif
