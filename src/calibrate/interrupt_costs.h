/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_INTERRUPT_COSTS_H
#define KVMPERF_CALIBRATE_INTERRUPT_COSTS_H

#include "account/correction.h"
#include "calibrate/exit_loop.h"
#include "calibrate/thread_sampler.h"

/*
 * What an interrupt takes from a guest that runs without pause - the exit, the interrupt, which
 * is served while the thread counts as guest, and the entry - by what interrupts: the kernel's
 * tick, a sample, and another CPU's call, which stands for all others. Fills tick, sample,
 * tick_hz and VM_EXIT_INTERRUPT of costs, whose other classes are known. Takes some 250 ms of
 * one CPU, times precision, and up to a second on a busy host. A kind that was seen too seldom
 * has the cost of another one.
 *
 * sampler: at the frequency that measurements have, stopped. round_ns: of the exit and entry
 * that end and begin a burst. Errors: as of vmm_run() and thread_sampler_take().
 */
int interrupt_costs_measure(struct exit_loop *loop, struct thread_sampler *sampler,
			    unsigned precision, double round_ns, struct exit_costs *costs,
			    struct error *error);

#endif
