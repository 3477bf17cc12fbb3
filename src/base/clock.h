/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_CLOCK_H
#define KVMPERF_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL

/* CLOCK_MONOTONIC, ns: the clock of bpf_ktime_get_ns(). */
uint64_t clock_monotonic_ns(void);

/*
 * Looks at clock_monotonic_ns() again and again for duration_ns: the sum of the steps that took
 * longer than step_ns, which is what others had of the CPU's time.
 */
uint64_t clock_gaps_ns(uint64_t duration_ns, uint64_t step_ns);

/* CLOCK_REALTIME, seconds since 1970. */
double clock_wall_s(void);

/* The CPU time of this process so far, ns. */
uint64_t clock_process_ns(void);

/* The CPU time of the calling thread so far, ns. */
uint64_t clock_thread_ns(void);

/* CLOCK_MONOTONIC_COARSE, ns: goes on with the tick. */
uint64_t clock_coarse_ns(void);

#endif
