/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/collect_profile.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/kernel_map_data.h"

enum account_mode account_mode_of(uint32_t sample_mode)
{
	switch (sample_mode) {
	case SAMPLE_USER: return MODE_USER;
	case SAMPLE_KERNEL: return MODE_KERNEL;
	case SAMPLE_SOFTIRQ: return MODE_SOFTIRQ;
	case SAMPLE_HARDIRQ: return MODE_HARDIRQ;
	default: return MODE_GUEST;
	}
}

struct group_owner owner_of_group(const struct report *report, const struct profile *profile,
				  const struct tally_group *group)
{
	struct group_owner owner = {.vm = NO_VM, .kernel_thread = group->kernel};
	size_t index = (size_t)(group - profile->tally.groups);

	if (group->process == TASK_NONE) {
		/* Processes that are gone: a number that no thread has stands for all. */
		owner.pid = owner.tid = -2 - (pid_t)index;
		return owner;
	}
	const struct recorded_process *process = &profile->tasks.processes[group->process];
	owner.vm = report->vms.of_process[group->process];
	owner.pid = (pid_t)process->pid;
	owner.tid = group->tid ? (pid_t)group->tid : owner.pid;
	owner.kernel_thread = process->kernel_thread;
	owner.idle = process->pid == 0;
	return owner;
}

struct collecting {
	struct collection *collection;
	struct report *report;
	const struct report_input *input;
	struct kernel_map *map;
	/* By sample time; of threads that are no VM's. */
	double processes, kernel;
};

static uint64_t round_ns(double ns)
{
	return ns > 0 && ns < 1.8e19 ? (uint64_t)llround(ns) : 0;
}

static int add_cell(struct collecting *at, const struct group_owner *owner,
		    const struct tally_cell *cell)
{
	const struct profile *profile = at->input->profile;
	const struct place *place = &profile->places.places[cell_label(cell)];
	const char *module = profile->names.texts[place->module];
	uint32_t mode = cell_mode(cell);
	struct collected_count *count = collection_add_count(at->collection);

	if (!count)
		return -ENOMEM;
	*count = (struct collected_count){
		.tgid = owner->pid,
		.tid = owner->idle ? 0 : owner->tid,
		.kernel_thread = owner->kernel_thread,
		.mode = account_mode_of(mode),
		.samples = cell->samples,
	};
	if (mode >= SAMPLE_KERNEL) {
		int subsystem = kernel_map_intern(at->map, module, strlen(module));
		if (subsystem < 0)
			return -ENOMEM;
		count->subsystem = (uint32_t)subsystem;
		count->work = (enum shared_work)cell_work(cell);
	}
	if (owner->vm == NO_VM || mode >= SAMPLE_KERNEL || mode == SAMPLE_GUEST)
		return 0;
	return collection_add_split(at->collection,
				    &(struct collected_split){
					    .tgid = at->report->vms.list.vms[owner->vm].pid,
					    .mode = count->mode,
					    .guest_kernel = mode == SAMPLE_GUEST_KERNEL,
					    .dso = mode == SAMPLE_USER ? module : NULL,
					    .samples = cell->samples,
				    });
}

static int add_task(struct collecting *at, const struct group_owner *owner,
		    const struct tally_group *group, double ns)
{
	struct collected_task *task = collection_add_task(at->collection);

	if (!task)
		return -ENOMEM;
	task->tgid = owner->pid;
	task->tid = owner->tid;
	task->kernel_thread = owner->kernel_thread;
	task->run_ns = round_ns(ns);
	snprintf(task->name, sizeof(task->name), "%s",
		 at->input->profile->names.texts[group->comm]);
	return 0;
}

static int collect_group(void *context, const struct tally_group *group)
{
	struct collecting *at = context;
	const struct tally *tally = &at->input->profile->tally;
	struct group_owner owner = owner_of_group(at->report, at->input->profile, group);
	double ns = 0;
	int code = 0;

	for (uint32_t c = group->cells; !code && c != CELL_NONE;
	     c = tally->cells[c].next_in_group) {
		ns += tally->cells[c].time * at->report->ns_per_unit;
		code = add_cell(at, &owner, &tally->cells[c]);
	}
	if (code || owner.idle)
		return code;
	if (owner.vm == NO_VM) {
		if (owner.kernel_thread)
			at->kernel += ns;
		else
			at->processes += ns;
	}
	/* Exact times are known already. */
	if (at->input->times)
		return 0;
	/* Kernel threads one by one: some of them work for a VM, or for all. */
	if (owner.vm != NO_VM || owner.kernel_thread)
		return add_task(at, &owner, group, ns);
	at->collection->processes_run_ns += round_ns(ns);
	return 0;
}

/* The exact times that kvmperf record wrote, and what they leave to the others. */
static int collect_exact_times(struct collecting *at)
{
	const struct recorded_times *times = at->input->times;
	const struct collection *from = &times->collection;
	struct collection *to = at->collection;
	uint64_t used = times->idle_ns + from->self_run_ns +
			(from->interrupts_apart ? from->interrupt_ns : 0);

	for (size_t i = 0; i < from->task_count; i++) {
		struct collected_task *task = collection_add_task(to);
		if (!task)
			return -ENOMEM;
		*task = from->tasks[i];
		used += task->run_ns;
	}
	to->interrupts_apart = from->interrupts_apart;
	to->interrupt_ns = from->interrupt_ns;
	to->self_run_ns = from->self_run_ns;
	to->processes_run_ns = from->processes_run_ns;
	to->kernel_run_ns = from->kernel_run_ns;
	to->shared_run_ns = from->shared_run_ns;
	if (times->sums_known)
		return 0;
	/* Divided by samples, as the perf collector does. */
	uint64_t capacity = at->input->duration_ns * at->input->cpus;
	double left = capacity > used ? (double)(capacity - used) : 0;
	double all = at->processes + at->kernel;
	double share = all > 0 ? at->processes / all : 1;
	to->processes_run_ns = round_ns(left * share);
	to->kernel_run_ns = round_ns(left) - to->processes_run_ns;
	return 0;
}

int collect_profile(struct collection *collection, struct report *report,
		    const struct report_input *input)
{
	struct collecting at = {
		.collection = collection,
		.report = report,
		.input = input,
		.map = resolver_kernel_map(&input->profile->resolver),
	};

	if (!at.map)
		return -ENOMEM;
	collection->start_ns = 0;
	collection->end_ns = input->duration_ns;
	collection->cpus = input->cpus;
	collection->lost = input->profile->lost;
	int code = profile_each_group(input->profile, collect_group, &at);
	if (!code && input->times)
		code = collect_exact_times(&at);
	return code ? code : labels_use_map(report->labels, at.map);
}

static int count_samples(struct sample_counts *counts, const char *mode, const char *module,
			 uint64_t samples)
{
	for (size_t i = 0; i < counts->count; i++) {
		struct sample_count *item = &counts->items[i];
		if (strcmp(item->mode, mode) == 0 &&
		    (item->module == module ||
		     (module && item->module && strcmp(item->module, module) == 0))) {
			item->samples += samples;
			return 0;
		}
	}
	if (array_reserve(&counts->items, &counts->room, counts->count + 1,
			  sizeof(*counts->items)))
		return -ENOMEM;
	counts->items[counts->count++] = (struct sample_count){mode, module, samples};
	return 0;
}

static int count_group(void *context, const struct tally_group *group)
{
	static const char *const modes[SAMPLE_MODE_COUNT] = {
		"guest_user", "guest_kernel", "guest", "user", "kernel", "softirq", "hardirq",
	};
	struct collecting *at = context;
	const struct profile *profile = at->input->profile;
	struct interval *interval = &at->report->interval;
	struct group_owner owner = owner_of_group(at->report, profile, group);
	struct sample_counts *counts = owner.vm != NO_VM     ? &interval->vms[owner.vm].samples
				       : owner.idle	     ? &interval->idle_samples
				       : owner.kernel_thread ? &interval->kernel_samples
							     : &interval->processes_samples;
	int code = 0;

	for (uint32_t c = group->cells; !code && c != CELL_NONE;
	     c = profile->tally.cells[c].next_in_group) {
		const struct tally_cell *cell = &profile->tally.cells[c];
		uint32_t mode = cell_mode(cell);
		const struct place *place = &profile->places.places[cell_label(cell)];
		code = count_samples(counts, modes[mode],
				     mode >= SAMPLE_USER ? profile->names.texts[place->module]
							 : NULL,
				     cell->samples);
	}
	return code;
}

int collect_sample_counts(struct report *report, const struct report_input *input)
{
	struct collecting at = {.report = report, .input = input};

	return profile_each_group(input->profile, count_group, &at);
}
