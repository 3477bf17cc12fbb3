/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/exact.h"

/* A sample's weight, so that parts of one can be told. */
#define SAMPLE_WEIGHT (1 << 20)

uint64_t exact_times_sum(const struct exact_times *times)
{
	return times->guest_ns + times->host_ns + times->hardirq_ns + times->softirq_ns;
}

void exact_times_add(struct exact_times *sum, const struct exact_times *times)
{
	sum->guest_ns += times->guest_ns;
	sum->host_ns += times->host_ns;
	sum->hardirq_ns += times->hardirq_ns;
	sum->softirq_ns += times->softirq_ns;
}

static bool is_host(const struct cell *cell)
{
	return cell->mode == MODE_USER || cell->mode == MODE_KERNEL;
}

int exact_host_composition(const struct composition *samples, uint32_t world_switch_label,
			   struct composition *host)
{
	uint64_t in_host = samples->in_mode[MODE_USER] + samples->in_mode[MODE_KERNEL];
	uint64_t all = in_host + samples->in_mode[MODE_GUEST];
	int error = 0;

	*host = (struct composition){0};
	for (size_t i = 0; !error && i < samples->count; i++)
		if (is_host(&samples->cells[i]))
			error = composition_add(host, samples->cells[i].mode,
						samples->cells[i].work, samples->cells[i].label,
						samples->cells[i].samples * SAMPLE_WEIGHT);
	if (error || samples->exact_run_ns == 0)
		return error;
	double expected =
		(double)all * (double)samples->exact_host_ns / (double)samples->exact_run_ns;
	double missed = expected - (double)in_host;
	if (missed > 0)
		error = composition_add(host, MODE_KERNEL, WORK_NONE, world_switch_label,
					(uint64_t)(missed * SAMPLE_WEIGHT));
	return error;
}
