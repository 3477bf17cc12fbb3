/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/sample.h"
#include "report/profile_internal.h"

int profile_init(struct profile *profile)
{
	const size_t line = sizeof(*profile->memo);

	profile->stop_ns = UINT64_MAX;
	profile->first_ns = UINT64_MAX;
	/* calloc() doesn't touch what isn't used, but doesn't know of lines either. */
	profile->memo_memory = calloc(((size_t)1 << MEMO_BITS) + 1, line);
	if (!profile->memo_memory)
		return -ENOMEM;
	uintptr_t start = ((uintptr_t)profile->memo_memory + line - 1) / line * line;
	profile->memo = (struct sample_memo *)start;
	return tasks_init(&profile->tasks, &profile->names, &profile->tally);
}

static struct profile_cpu *cpu_of(struct profile *profile, uint32_t cpu)
{
	size_t room = profile->cpu_room;

	if (cpu >= room && array_reserve(&profile->cpus, &profile->cpu_room, (size_t)cpu + 1,
					 sizeof(*profile->cpus)))
		return NULL;
	for (; room < profile->cpu_room; room++)
		profile->cpus[room].from = FROM_NONE;
	struct profile_cpu *it = &profile->cpus[cpu];
	if (!it->seen) {
		it->seen = true;
		profile->cpus_seen++;
	}
	return it;
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

static void see_time(struct profile *profile, uint64_t time)
{
	if (time < profile->first_ns)
		profile->first_ns = time;
	if (time > profile->last_ns)
		profile->last_ns = time;
}

int profile_time(struct profile *profile, const struct profile_sample *sample,
		 double *stands_for)
{
	struct profile_cpu *cpu = cpu_of(profile, sample->cpu);
	bool timed = sample->time != SAMPLE_NO_TIME;
	uint64_t gap = 0;

	if (!cpu)
		return -ENOMEM;
	if (cpu->from != FROM_NONE)
		cpu->last = cpu->from;
	if (timed && cpu->last && sample->time > cpu->last)
		gap = sample->time - cpu->last;
	*stands_for = profile_stands_for(profile, (double)gap, sample->weight, cpu->lost);
	if (!timed)
		return 0;
	cpu->last = sample->time;
	cpu->lost = false;
	cpu->from = FROM_NONE;
	if (sample->time < profile->start_ns || sample->time >= profile->stop_ns) {
		*stands_for = NAN;
		return 0;
	}
	see_time(profile, sample->time);
	if (sample->time < FROM_NONE)
		cpu->from = sample->time;
	return 0;
}

int profile_add(struct profile *profile, const struct profile_sample *sample)
{
	double stands_for;
	int code = profile_time(profile, sample, &stands_for);

	return code ? code : profile_count(profile, sample, stands_for);
}

struct profile_sample profile_sample_of(const struct queued *queued)
{
	return (struct profile_sample){
		.time = queued->time ? queued->time : SAMPLE_NO_TIME,
		.address = queued->value,
		.weight = queued->weight,
		.count = 1,
		.pid = queued->pid,
		.tid = queued->tid,
		.cpu = queued->cpu,
		.mode = (enum sample_mode)(queued->mode & 7),
		.work = (enum shared_work)(queued->mode >> 3),
		.place = PLACE_NONE,
	};
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
	if (it->from != FROM_NONE)
		it->last = it->from;
	it->from = FROM_NONE;
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
	free(profile->memo_memory);
	*profile = (struct profile){0};
}
