/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_PROFILE_H
#define KVMPERF_REPORT_PROFILE_H

/*
 * What a recording comes down to: samples and the time they stand for, by thread, mode and
 * place. Its size depends on the number of those and not on that of the samples.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/shared_work.h"
#include "base/error.h"
#include "report/names.h"
#include "report/places.h"
#include "report/resolver.h"
#include "report/sample_memo.h"
#include "report/sample_mode.h"
#include "report/sample_queue.h"
#include "report/tally.h"
#include "report/tasks.h"

/* How the time is told that samples stand for. */
enum profile_anchor {
	/*
	 * cpu-clock: a sample stands for the time since the last one of its CPU, but for no
	 * more than a few periods: a CPU that was not sampled for longer was idle.
	 */
	ANCHOR_GAPS,
	/* cycles: a sample stands for the cycles of its period, at the rate of a busy CPU. */
	ANCHOR_CYCLES,
	/* Each sample has its weight, in ns. */
	ANCHOR_WEIGHTS,
	/* Samples of something else than time: all CPUs' time is spread over them. */
	ANCHOR_SHARES,
};

struct profile_sample {
	uint64_t time; /* ns; SAMPLE_NO_TIME */
	uint64_t address;
	uint64_t weight; /* the event's period */
	uint64_t count;	 /* samples that it stands for: 1, but for sums */
	uint32_t pid, tid;
	uint16_t cpu;
	enum sample_mode mode;
	enum shared_work work;	   /* what a callchain tells of it */
	const uint64_t *callchain; /* callers, innermost first, without the address; or NULL */
	size_t callchain_length;
	uint32_t place; /* PLACE_NONE: the address tells */
};

/* The rate of an event against time, by its logarithm; see profile_cycle_rate(). */
#define RATE_STEPS 512

struct profile {
	struct names names;
	struct places places;
	struct tally tally;
	struct tasks tasks;
	struct resolver resolver;
	enum profile_anchor anchor;
	double period_ns;	    /* nominal, of ANCHOR_GAPS */
	uint64_t start_ns, stop_ns; /* the window; 0 and UINT64_MAX: all */
	uint64_t first_ns, last_ns; /* of the samples counted */
	uint64_t samples;
	uint64_t lost;
	uint32_t cpus_seen;
	struct profile_cpu {
		uint64_t from; /* the last sample's time, or FROM_NONE and it is in last */
		uint64_t last; /* 0: none */
		bool lost;
		bool seen;
	} * cpus;
	size_t cpu_room;
	uint64_t rates[RATE_STEPS];
	void *memo_memory;
	struct sample_memo *memo; /* by sample_memo_number() */
	uint32_t memo_round;	  /* serial_rounds of tasks, whose serials are in memo */
};

/* resolver is set up by resolver_init() before. -ENOMEM. */
int profile_init(struct profile *profile);

/*
 * Takes the time of a sample: what it stands for since the last one of its CPU, in the anchor's
 * unit; NAN: it is outside of the window. Those of one CPU come in the order of time. -ENOMEM.
 */
int profile_time(struct profile *profile, const struct profile_sample *sample,
		 double *stands_for);

/* Counts a sample whose time was taken, as its thread and its mappings are now. -ENOMEM. */
int profile_count(struct profile *profile, const struct profile_sample *sample,
		  double stands_for);

/* Both. */
int profile_add(struct profile *profile, const struct profile_sample *sample);

struct profile_sample profile_sample_of(const struct queued *queued);

/*
 * Takes the time of samples, and counts those whose thread, mode and place were seen together
 * before, from *first on until end, one that is younger than limit or an entry that is no
 * sample: 0, and *first becomes that. 1: *first is a sample that is to be counted, in the order
 * of time, with profile_count(); *stands_for is its time, which was taken. -ENOMEM.
 */
int profile_take(struct profile *profile, const struct queued **first, const struct queued *end,
		 uint64_t limit, double *stands_for);

/* Samples were lost on a CPU (SAMPLE_NO_CPU: on some CPU). -ENOMEM. */
int profile_add_lost(struct profile *profile, uint64_t time, uint32_t cpu, uint64_t count);

/* Units of the event in a ns of a busy CPU: time x this is what ANCHOR_CYCLES counts. */
double profile_cycle_rate(const struct profile *profile);

/*
 * Calls a function with every group that has samples, until one returns other than 0; returns
 * that.
 */
typedef int profile_group_function(void *context, const struct tally_group *group);
int profile_each_group(const struct profile *profile, profile_group_function *function,
		       void *context);

void profile_clear(struct profile *profile);

#endif
