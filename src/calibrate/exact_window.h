/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_EXACT_WINDOW_H
#define KVMPERF_CALIBRATE_EXACT_WINDOW_H

#include "account/correction.h"
#include "base/error.h"

struct exit_loop;

/*
 * What exact mode takes for guest time and isn't, per VM exit: the tracepoint kvm_entry lies
 * before the processor's entry of the guest and kvm_exit behind its exit, on AMD up to 6.x even
 * behind the window for interrupts (arch/x86/kvm/svm/svm.c, svm_vcpu_run() and
 * svm_handle_exit()). Measured with the programs of exact mode themselves, so that their own
 * part is in it: the calling thread's guest account, less the guest's time by its TSC, over
 * the exits of each class; for an interrupt, in bursts that one broke, less that in others.
 * *costs is overwritten. precision: so many times the exits. Takes some 0.2 s, 0.5 s where
 * exits take 50 us. Errors: as of exact_events_new(); -EOPNOTSUPP where the tracepoints are not
 * there or silent.
 */
int exact_window_measure(struct exit_loop *loop, unsigned precision, struct exit_costs *costs,
			 struct error *error);

#endif
