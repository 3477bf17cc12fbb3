/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_SAMPLE_COST_H
#define KVMPERF_CALIBRATE_SAMPLE_COST_H

#include "calibrate/thread_sampler.h"

/*
 * The whole cost of one sample, ns: timer interrupt, event and BPF program, as the code that is
 * hit feels it. The thread looks at the clock without pause, 2 ms without and 2 ms with
 * samples, nine times over and more where other threads come between; the answer is the median
 * of what the gaps in its view are longer by a sample. Errors: -ENODATA when too few samples
 * came.
 */
int sample_cost_measure(const struct kernel_map *map, double *cost_ns, struct error *error);

/* The same with a sampler that is stopped; it has another frequency afterwards. */
int sample_cost_measure_with(struct thread_sampler *sampler, double *cost_ns,
			     struct error *error);

/* Brings the values into rising order. */
void sample_cost_sort(double *values, unsigned count);

/*
 * The mean of the values without the largest share (0 to 1) of them; sorts them. NAN when there
 * is none.
 */
double sample_cost_trimmed_mean(double *values, unsigned count, double share);

#endif
