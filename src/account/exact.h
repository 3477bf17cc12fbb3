/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_EXACT_H
#define KVMPERF_ACCOUNT_EXACT_H

#include "account/composition.h"

/* The sum of all four. */
uint64_t exact_times_sum(const struct exact_times *times);

void exact_times_add(struct exact_times *sum, const struct exact_times *times);

/*
 * What the host time of threads was made of whose exact times are in the composition: *host
 * (owned by the caller, composition_free) gets user and kernel cells, with weights instead of
 * samples.
 * Samples in host mode stand for their part of the run time. Of host code that runs with
 * interrupts off around a VM exit a timer's samples say guest; so what the exact host time is
 * more than its samples' part goes to a cell of kernel mode with world_switch_label.
 * *host is empty when there is no sample that tells. -ENOMEM.
 */
int exact_host_composition(const struct composition *samples, uint32_t world_switch_label,
			   struct composition *host);

#endif
