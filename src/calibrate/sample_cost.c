/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/sample_cost.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

#define PROBE_HZ   2000
#define PROBE_NS   (2 * NS_PER_MS)
#define PROBES	   9 /* that have samples and kept the CPU */
#define PROBES_MIN 3
#define TRIES	   40
#define STEPS	   1001 /* looks at the clock that tell how long one takes */

static int compare_doubles(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

void sample_cost_sort(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
}

double sample_cost_trimmed_mean(double *values, unsigned count, double share)
{
	unsigned kept = count - (unsigned)((double)count * share);
	double sum = 0;

	if (count == 0)
		return NAN;
	sample_cost_sort(values, count);
	for (unsigned i = 0; i < kept; i++)
		sum += values[i];
	return sum / kept;
}

/* A look at the clock takes this long at the most when nothing comes between, ns. */
static uint64_t longest_step(void)
{
	double steps[STEPS];
	uint64_t last = clock_monotonic_ns();

	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t now = clock_monotonic_ns();
		steps[i] = (double)(now - last);
		last = now;
	}
	return 100 + (uint64_t)(4 * sample_cost_trimmed_mean(steps, STEPS, 0.5));
}

/*
 * The part of the time, while the thread looks at the clock, that gaps take, ns. NAN when other
 * threads had the CPU for some of it.
 */
static double sum_gaps(uint64_t step_ns)
{
	long before = thread_preemptions();
	double sum = (double)clock_gaps_ns(PROBE_NS, step_ns);

	return thread_preemptions() == before ? sum : NAN;
}

int sample_cost_measure_with(struct thread_sampler *sampler, double *cost_ns,
			     struct error *error)
{
	double costs[PROBES];
	unsigned count = 0;
	int code = 0;

	thread_sampler_set_frequency(sampler, PROBE_HZ);
	uint64_t step_ns = longest_step();
	for (int i = 0; !code && i < TRIES && count < PROBES; i++) {
		struct thread_samples samples;
		double without = sum_gaps(step_ns);
		code = thread_sampler_start(sampler, error);
		double with = sum_gaps(step_ns);
		thread_sampler_stop(sampler);
		if (!code)
			code = thread_sampler_take(sampler, &samples, error);
		if (!code && samples.all && isfinite(with - without))
			costs[count++] = (with - without) / (double)samples.all;
	}
	if (code)
		return code;
	if (count < PROBES_MIN)
		return error_set(error, -ENODATA, "too few samples to tell what one costs");
	sample_cost_sort(costs, count);
	*cost_ns = costs[count / 2] > 0 ? costs[count / 2] : 0;
	return 0;
}

int sample_cost_measure(const struct kernel_map *map, double *cost_ns, struct error *error)
{
	struct thread_sampler *sampler;
	int code = thread_sampler_new(&sampler, PROBE_HZ, map, error);

	if (code)
		return code;
	code = sample_cost_measure_with(sampler, cost_ns, error);
	thread_sampler_free(sampler);
	return code;
}
