/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/collector.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "collect/perf_events.h"

int collector_start(struct collector *collector, struct error *error)
{
	return collector->operations->start(collector, error);
}

uint64_t collector_started(const struct collector *collector)
{
	return collector->started_ns;
}

int collector_track(struct collector *collector, pid_t tgid)
{
	return collector->operations->track(collector, tgid);
}

void collector_untrack(struct collector *collector, pid_t tgid)
{
	collector->operations->untrack(collector, tgid);
}

int collector_use_map(struct collector *collector, const struct kernel_map *map,
		      struct error *error)
{
	return collector->operations->use_map(collector, map, error);
}

void collector_tick(struct collector *collector)
{
	collector->operations->tick(collector);
}

uint64_t collector_tick_interval(const struct collector *collector)
{
	return perf_events_redraw_interval(collector->events);
}

pid_t collector_new_vm(struct collector *collector)
{
	return collector->operations->new_vm(collector);
}

int collector_read(struct collector *collector, const struct collection **out,
		   struct error *error)
{
	*out = &collector->collection;
	int code = collector->operations->read(collector, error);
	if (collector->exact_refused)
		collector->collection.exact.valid = false;
	return code;
}

/* VM exits, or samples of guests, that are no accident. */
#define GUESTS_ENOUGH 16

bool collection_exact_silent(const struct collection *collection, uint64_t exits)
{
	uint64_t samples = 0;

	if (!collection->exact.valid || !collection->exact.whole || collection->exact.entries)
		return false;
	for (size_t i = 0; i < collection->count_count; i++)
		if (collection->counts[i].mode == MODE_GUEST)
			samples += collection->counts[i].samples;
	return exits >= GUESTS_ENOUGH || samples >= GUESTS_ENOUGH;
}

void collector_refuse_exact(struct collector *collector)
{
	collector->exact_refused = true;
	collector->collection.exact.valid = false;
}

void collector_set_frequency(struct collector *collector, unsigned frequency_hz)
{
	perf_events_set_frequency(collector->events, frequency_hz);
}

const char *collector_name(const struct collector *collector)
{
	return collector->operations->name;
}

const char *collector_judged_as(const struct collector *collector)
{
	const struct collector_operations *operations = collector->operations;

	return operations->judged_as ? operations->judged_as : operations->name;
}

const char *collector_event(const struct collector *collector)
{
	return perf_events_name(collector->events);
}

void collector_free(struct collector *collector)
{
	if (collector)
		collector->operations->free(collector);
}

void collection_begin(struct collection *collection)
{
	if (!collection->handed_out)
		return;
	collection->handed_out = false;
	collection->task_count = 0;
	collection->count_count = 0;
	collection->split_count = 0;
	collection->exit_count = 0;
	collection->exact = (struct collected_exact){0};
	collection->processes_run_ns = 0;
	collection->kernel_run_ns = 0;
	collection->shared_run_ns = 0;
	collection->self_run_ns = 0;
	collection->interrupt_ns = 0;
	collection->lost = 0;
}

uint64_t collection_capacity(const struct collection *collection)
{
	if (collection->exact.valid && collection->exact.whole)
		return collection->exact.capacity_ns;
	return (collection->end_ns - collection->start_ns) * collection->cpus;
}

struct collected_references collection_references(const struct collection *collection)
{
	struct collected_references all = {0};
	double sum_ns = 0;

	for (size_t i = 0; i < collection->count_count; i++) {
		all.count += collection->counts[i].references;
		sum_ns += (double)collection->counts[i].reference_ns;
	}
	if (all.count)
		all.mean_ns = sum_ns / (double)all.count;
	return all;
}

void collection_free(struct collection *collection)
{
	free(collection->tasks);
	free(collection->counts);
	free(collection->splits);
	free(collection->exits);
	*collection = (struct collection){0};
}

struct collected_task *collection_add_task(struct collection *collection)
{
	if (array_reserve(&collection->tasks, &collection->task_room,
			  collection->task_count + 1, sizeof(*collection->tasks)))
		return NULL;
	struct collected_task *task = &collection->tasks[collection->task_count++];
	*task = (struct collected_task){0};
	return task;
}

struct collected_count *collection_add_count(struct collection *collection)
{
	if (array_reserve(&collection->counts, &collection->count_room,
			  collection->count_count + 1, sizeof(*collection->counts)))
		return NULL;
	struct collected_count *count = &collection->counts[collection->count_count++];
	*count = (struct collected_count){0};
	return count;
}

struct collected_exit *collection_add_exit(struct collection *collection)
{
	if (array_reserve(&collection->exits, &collection->exit_room,
			  collection->exit_count + 1, sizeof(*collection->exits)))
		return NULL;
	struct collected_exit *exit = &collection->exits[collection->exit_count++];
	*exit = (struct collected_exit){0};
	return exit;
}

int collection_add_split(struct collection *collection, const struct collected_split *split)
{
	/* From the end: samples of one group tend to come together. */
	for (size_t i = collection->split_count; i > 0; i--) {
		struct collected_split *other = &collection->splits[i - 1];
		if (other->tgid == split->tgid && other->mode == split->mode &&
		    other->guest_kernel == split->guest_kernel && other->dso == split->dso) {
			other->samples += split->samples;
			return 0;
		}
	}
	if (array_reserve(&collection->splits, &collection->split_room,
			  collection->split_count + 1, sizeof(*collection->splits)))
		return -ENOMEM;
	collection->splits[collection->split_count++] = *split;
	return 0;
}

int host_times_read(uint64_t *idle_ns, uint64_t *interrupt_ns, bool *interrupts_apart,
		    struct error *error)
{
	static const char path[] = "/proc/stat";
	uint64_t idle, iowait, hardirq, softirq;
	FILE *file = fopen(path, "re");

	if (!file)
		return error_set(error, -errno, "cannot open %s: %m", path);
	int fields =
		fscanf(file, "cpu %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		       &idle, &iowait, &hardirq, &softirq);
	fclose(file);
	if (fields != 4)
		return error_set(error, -EBADMSG, "%s does not begin with the CPUs' times",
				 path);
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	*idle_ns = (idle + iowait) * tick_ns;
	*interrupt_ns = (hardirq + softirq) * tick_ns;
	*interrupts_apart = hardirq > 0;
	return 0;
}
