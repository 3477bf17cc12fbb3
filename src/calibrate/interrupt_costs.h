/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_INTERRUPT_COSTS_H
#define KVMPERF_CALIBRATE_INTERRUPT_COSTS_H

#include "account/correction.h"
#include "calibrate/exit_loop.h"
#include "calibrate/thread_sampler.h"

/*
 * What an interrupt takes from a guest - the exit, the interrupt, which is served while the
 * thread counts as guest, and the entry - by what interrupts: the kernel's tick, a sample, and
 * another CPU's call, which stands for all others. The first two are measured in a guest that
 * runs on and in one that has just slept. Fills all of costs but the classes of exits that the
 * guest makes, which are known, with the time of the reference loop. Takes some 280 ms of one
 * CPU, times precision, and up to 1.5 s on a busy host. A kind that was seen too seldom has the
 * cost of another one.
 *
 * sampler: stopped; it has another frequency afterwards. round_ns: of the exit and entry
 * that end and begin a burst. Errors: as of vmm_run() and thread_sampler_take().
 */
int interrupt_costs_measure(struct exit_loop *loop, struct thread_sampler *sampler,
			    unsigned precision, double round_ns, struct exit_costs *costs,
			    struct error *error);

#endif
