/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_THREAD_SAMPLER_H
#define KVMPERF_CALIBRATE_THREAD_SAMPLER_H

#include <stdint.h>

#include "base/error.h"

struct kernel_map;

/*
 * Samples the thread that made it, with the event and the judgement of the measuring
 * collectors, and counts how many samples say guest.
 */
struct thread_sampler;

struct thread_samples {
	uint64_t guest;
	uint64_t all;
	uint64_t references;   /* the reference loop was timed so often (bpf/sampler.h); */
	uint64_t reference_ns; /* what it took in all */
};

/*
 * With a map (borrowed) the BPF program of the BPF collector judges, without one the record's
 * CPU mode as the perf collector has it. Stopped at first. *out is owned by the caller
 * (thread_sampler_free). Errors: as of bpf_sampler_new() and perf_events_open().
 */
int thread_sampler_new(struct thread_sampler **out, unsigned frequency_hz,
		       const struct kernel_map *map, struct error *error);

/* From the next start on. */
void thread_sampler_set_frequency(struct thread_sampler *sampler, unsigned frequency_hz);

int thread_sampler_start(struct thread_sampler *sampler, struct error *error);
void thread_sampler_stop(struct thread_sampler *sampler);

/* To be called often while it runs: draws the period anew when it is time to. */
void thread_sampler_tick(struct thread_sampler *sampler);

/* Hands out what was counted since the last call. */
int thread_sampler_take(struct thread_sampler *sampler, struct thread_samples *samples,
			struct error *error);

/* Adds some to sum. */
void thread_samples_add(struct thread_samples *sum, const struct thread_samples *some);

/* The mean time of the reference loop, ns; 0: it was not timed. */
double thread_samples_reference(const struct thread_samples *samples);

/*
 * What times measured together with the samples are to be multiplied by, so that they are as if
 * the reference loop had taken reference_ns; 1 when either is not known.
 */
double reference_factor(const struct thread_samples *samples, double reference_ns);

/* "cycles" or "cpu-clock". */
const char *thread_sampler_event(const struct thread_sampler *sampler);

void thread_sampler_free(struct thread_sampler *sampler);

#endif
