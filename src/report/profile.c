/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/sample.h"

/* A gap of more periods than this is idle time, and no late sample. */
#define GAP_PERIODS 4

/* Remembered from sample to sample: where one like this was counted. */
#define MEMO_ENTRIES 32768

struct profile_memo {
	uint64_t address;
	uint32_t group; /* 0, which the tally never gives out: free */
	uint32_t space; /* serial of the address space and version of the kernel's map */
	uint32_t folds;
	uint32_t cell;
	uint32_t mode; /* and kind of work */
};

int profile_init(struct profile *profile)
{
	profile->stop_ns = UINT64_MAX;
	profile->first_ns = UINT64_MAX;
	profile->memo = calloc(MEMO_ENTRIES, sizeof(*profile->memo));
	if (!profile->memo)
		return -ENOMEM;
	return tasks_init(&profile->tasks, &profile->names, &profile->tally);
}

static struct profile_cpu *cpu_of(struct profile *profile, uint32_t cpu)
{
	if (cpu >= profile->cpu_room && array_reserve(&profile->cpus, &profile->cpu_room,
						      (size_t)cpu + 1, sizeof(*profile->cpus)))
		return NULL;
	struct profile_cpu *it = &profile->cpus[cpu];
	if (!it->seen) {
		it->seen = true;
		profile->cpus_seen++;
	}
	return it;
}

/* The exponent of the rate and three bits of its mantissa: eight steps an octave, from 2^-32.
 */
#define RATE_BIAS ((1023 - 32) * 8)

static void count_rate(struct profile *profile, uint64_t gap, uint64_t weight)
{
	double rate = (double)weight / (double)gap;
	uint64_t bits;

	memcpy(&bits, &rate, sizeof(bits));
	uint64_t step = (bits >> 49) - RATE_BIAS;
	if (step < RATE_STEPS)
		profile->rates[step]++;
}

double profile_cycle_rate(const struct profile *profile)
{
	uint64_t all = 0, sum = 0;

	/* Gaps of a CPU that idled in between tell too little: the 90th percentile is busy. */
	for (size_t i = 0; i < RATE_STEPS; i++)
		all += profile->rates[i];
	for (size_t i = 0; all && i < RATE_STEPS; i++) {
		sum += profile->rates[i];
		if (sum * 10 >= all * 9)
			return ldexp(1 + ((double)(i % 8) + 0.5) / 8, (int)(i / 8) - 32);
	}
	return 1;
}

/* What the sample stands for, in the anchor's unit. */
static double time_of(struct profile *profile, const struct profile_sample *sample,
		      struct profile_cpu *cpu)
{
	uint64_t last = cpu->last, gap = 0;
	bool lost = cpu->lost;

	if (sample->time != SAMPLE_NO_TIME) {
		gap = last && sample->time > last ? sample->time - last : 0;
		cpu->last = sample->time;
		cpu->lost = false;
	}
	switch (profile->anchor) {
	case ANCHOR_GAPS:
		if (gap && (lost || (double)gap <= GAP_PERIODS * profile->period_ns))
			return (double)gap;
		return profile->period_ns;
	case ANCHOR_CYCLES:
		if (gap && sample->weight)
			count_rate(profile, gap, sample->weight);
		return (double)sample->weight;
	case ANCHOR_WEIGHTS: return (double)sample->weight;
	case ANCHOR_SHARES: break;
	}
	return (double)sample->weight;
}

static uint32_t cell_of(struct profile *profile, const struct profile_sample *sample,
			uint32_t thread, uint32_t group)
{
	struct tasks *tasks = &profile->tasks;
	struct recorded_process *process = &tasks->processes[tasks->threads[thread].process];
	struct resolver_query query = {
		.mode = sample->mode,
		.address = sample->address,
		.callchain = sample->callchain,
		.callchain_length = sample->callchain_length,
		.process = process,
	};
	uint32_t place = sample->place;

	if (place == PLACE_NONE)
		place = resolver_place(&profile->resolver, &query);
	if (place == PLACE_NONE)
		return CELL_NONE;
	return tally_cell(&profile->tally, group, cell_key(sample->mode, sample->work, place));
}

int profile_add(struct profile *profile, const struct profile_sample *sample)
{
	struct tasks *tasks = &profile->tasks;
	struct profile_cpu *cpu = cpu_of(profile, sample->cpu);
	uint32_t thread = tasks_thread(tasks, sample->pid, sample->tid);
	uint32_t group = thread != TASK_NONE ? tasks_group(tasks, thread) : GROUP_NONE;

	if (group == GROUP_NONE || !cpu)
		return -ENOMEM;
	double time = time_of(profile, sample, cpu);
	if (sample->time != SAMPLE_NO_TIME) {
		if (sample->time < profile->start_ns || sample->time >= profile->stop_ns)
			return 0;
		if (sample->time < profile->first_ns)
			profile->first_ns = sample->time;
		if (sample->time > profile->last_ns)
			profile->last_ns = sample->time;
	}
	struct recorded_process *process = &tasks->processes[tasks->threads[thread].process];
	if (sample->mode <= SAMPLE_GUEST)
		process->ran_guest = true;
	uint32_t space = sample->mode == SAMPLE_USER && process->space
				 ? process->space->serial
				 : profile->resolver.version;
	uint32_t mode = (uint32_t)sample->work << 3 | (uint32_t)sample->mode;
	uint64_t mixed = (sample->address ^ (uint64_t)group << 40 ^ (uint64_t)mode << 58) *
			 0x9e3779b97f4a7c15ULL;
	struct profile_memo *memo = &profile->memo[mixed >> 49];
	bool keep = !sample->callchain && sample->place == PLACE_NONE;
	uint32_t cell;
	if (keep && memo->address == sample->address && memo->group == group &&
	    memo->mode == mode && memo->space == space && memo->folds == profile->tally.folds) {
		cell = memo->cell;
	} else {
		cell = cell_of(profile, sample, thread, group);
		if (cell == CELL_NONE)
			return -ENOMEM;
		if (keep)
			*memo = (struct profile_memo){
				.address = sample->address,
				.group = group,
				.space = sample->mode == SAMPLE_USER && process->space
						 ? space
						 : profile->resolver.version,
				.folds = profile->tally.folds,
				.cell = cell,
				.mode = mode,
			};
	}
	profile->tally.cells[cell].samples += sample->count;
	profile->tally.cells[cell].time += time;
	profile->samples += sample->count;
	return 0;
}

int profile_add_lost(struct profile *profile, uint64_t time, uint32_t cpu, uint64_t count)
{
	if (time != SAMPLE_NO_TIME && (time < profile->start_ns || time >= profile->stop_ns))
		return 0;
	profile->lost += count;
	if (cpu == SAMPLE_NO_CPU || cpu > UINT16_MAX)
		return 0;
	struct profile_cpu *it = cpu_of(profile, cpu);
	if (!it)
		return -ENOMEM;
	it->lost = true;
	return 0;
}

int profile_each_group(const struct profile *profile, profile_group_function *function,
		       void *context)
{
	const struct tally *tally = &profile->tally;
	int code = 0;

	for (uint32_t p = 0; p < profile->tasks.process_count; p++) {
		if (!profile->tasks.processes[p].used)
			continue;
		for (uint32_t g = profile->tasks.processes[p].groups; !code && g;
		     g = tally->groups[g].next)
			code = function(context, &tally->groups[g]);
	}
	for (uint32_t g = profile->tasks.gone_groups; !code && g; g = tally->groups[g].next)
		code = function(context, &tally->groups[g]);
	return code;
}

void profile_clear(struct profile *profile)
{
	resolver_clear(&profile->resolver);
	tasks_clear(&profile->tasks);
	tally_clear(&profile->tally);
	places_clear(&profile->places);
	names_clear(&profile->names);
	free(profile->cpus);
	free(profile->memo);
	*profile = (struct profile){0};
}
