/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/thread_sampler.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/bpf_sampler.h"
#include "collect/perf_events.h"

/* More cells than one thread has. */
#define CELLS 256

struct thread_sampler {
	struct bpf_sampler *bpf; /* NULL: the ring's records are judged */
	struct perf_events *events;
	struct thread_samples from_ring;
	uint64_t next_tick_ns;
};

/* Without it the program would tell user space of a VM that it doesn't know. */
static int make_known(struct thread_sampler *sampler, struct error *error)
{
	__u32 tgid = (__u32)getpid(), known = VM_TGID_KNOWN;

	if (bpf_map_update_elem(bpf_sampler_vm_tgids(sampler->bpf), &tgid, &known, BPF_ANY))
		return error_set(error, -errno, "cannot fill a BPF map: %m");
	return 0;
}

int thread_sampler_new(struct thread_sampler **out, unsigned frequency_hz,
		       const struct kernel_map *map, struct error *error)
{
	struct thread_sampler *sampler = calloc(1, sizeof(*sampler));
	struct perf_events_options options = {
		.frequency_hz = frequency_hz, .bpf_program = -1, .thread = gettid()};
	int code = 0;

	if (!sampler)
		return error_set(error, -ENOMEM, "no memory for the calibration");
	if (map) {
		bpf_be_quiet();
		code = bpf_sampler_new(&sampler->bpf, map, true, error);
		if (!code)
			code = make_known(sampler, error);
		if (!code)
			options.bpf_program = bpf_sampler_program(sampler->bpf);
	}
	if (!code)
		code = perf_events_open(&sampler->events, &options, error);
	if (code) {
		thread_sampler_free(sampler);
		return code;
	}
	*out = sampler;
	return 0;
}

static void count_record(void *context, const struct perf_sample *sample)
{
	struct thread_sampler *sampler = context;
	unsigned mode = sample->misc & PERF_RECORD_MISC_CPUMODE_MASK;

	sampler->from_ring.all++;
	sampler->from_ring.guest +=
		mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER;
}

static void plan_tick(struct thread_sampler *sampler)
{
	sampler->next_tick_ns =
		clock_monotonic_ns() + perf_events_redraw_interval(sampler->events);
}

void thread_sampler_set_frequency(struct thread_sampler *sampler, unsigned frequency_hz)
{
	perf_events_set_frequency(sampler->events, frequency_hz);
}

int thread_sampler_start(struct thread_sampler *sampler, struct error *error)
{
	plan_tick(sampler);
	perf_events_redraw(sampler->events);
	return perf_events_start(sampler->events, error);
}

void thread_sampler_stop(struct thread_sampler *sampler)
{
	perf_events_stop(sampler->events);
	perf_events_drain(sampler->events, count_record, sampler);
}

void thread_sampler_tick(struct thread_sampler *sampler)
{
	if (clock_monotonic_ns() < sampler->next_tick_ns)
		return;
	plan_tick(sampler);
	perf_events_redraw(sampler->events);
	perf_events_drain(sampler->events, count_record, sampler);
}

int thread_sampler_take(struct thread_sampler *sampler, struct thread_samples *samples,
			struct error *error)
{
	struct sample_key keys[CELLS];
	struct sample_count values[CELLS];
	bool more = false;

	if (!sampler->bpf) {
		perf_events_drain(sampler->events, count_record, sampler);
		*samples = sampler->from_ring;
		sampler->from_ring = (struct thread_samples){0};
		return 0;
	}
	*samples = (struct thread_samples){0};
	do {
		uint32_t count;
		int code = bpf_sampler_take(sampler->bpf, keys, values, CELLS, &count, &more,
					    error);
		if (code)
			return code;
		for (uint32_t i = 0; i < count; i++) {
			samples->all += values[i].samples;
			samples->references += values[i].references;
			samples->reference_ns += values[i].reference_ns;
			samples->guest += keys[i].mode == SAMPLE_GUEST ? values[i].samples : 0;
		}
	} while (more);
	return 0;
}

void thread_samples_add(struct thread_samples *sum, const struct thread_samples *some)
{
	sum->all += some->all;
	sum->guest += some->guest;
	sum->references += some->references;
	sum->reference_ns += some->reference_ns;
}

double thread_samples_reference(const struct thread_samples *samples)
{
	return samples->references ? (double)samples->reference_ns / (double)samples->references
				   : 0;
}

double reference_factor(const struct thread_samples *samples, double reference_ns)
{
	double measured_ns = thread_samples_reference(samples);

	return measured_ns > 0 && reference_ns > 0 ? reference_ns / measured_ns : 1;
}

const char *thread_sampler_event(const struct thread_sampler *sampler)
{
	return perf_events_name(sampler->events);
}

void thread_sampler_free(struct thread_sampler *sampler)
{
	if (!sampler)
		return;
	perf_events_close(sampler->events);
	bpf_sampler_free(sampler->bpf);
	free(sampler);
}
