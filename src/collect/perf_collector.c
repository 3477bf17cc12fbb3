/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/collector.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "collect/interrupt_context.h"
#include "collect/perf_events.h"
#include "collect/proc_tasks.h"
#include "symbols/dso.h"
#include "symbols/kernel_map.h"

/*
 * The collector for hosts without BPF: every sample comes through the ring; thread times come
 * from /proc for the VMs' threads, and the rest of the busy time is divided by samples.
 */

/* What kind of task a sampled thread of no tracked group is; it does not change. */
struct known_task {
	pid_t tid;
	bool kernel_thread;
	bool reported; /* as a task of this interval */
	char name[16];
};

struct perf_collector {
	struct collector base;
	struct collector_options options;
	struct interrupt_context *interrupts;
	pid_t self;
	struct proc_tasks threads; /* of the tracked groups */
	struct known_task *tasks;  /* in rising order of tid */
	size_t task_count, task_room;
	pid_t announced[64];
	size_t announced_count;
	int append_error;
	uint64_t reading_ns, idle_ns, interrupt_ns, self_ns, lost;
};

static struct perf_collector *perf_collector(struct collector *collector)
{
	return (struct perf_collector *)collector;
}

static struct known_task *know_task(struct perf_collector *self, pid_t tid)
{
	size_t place = ARRAY_PLACE(self->tasks, self->task_count, tid, tid);

	if (place < self->task_count && self->tasks[place].tid == tid)
		return &self->tasks[place];
	if (array_reserve(&self->tasks, &self->task_room, self->task_count + 1,
			  sizeof(*self->tasks)))
		return NULL;
	struct known_task *task = &self->tasks[place];
	memmove(task + 1, task, (self->task_count++ - place) * sizeof(*task));
	*task = (struct known_task){.tid = tid};
	/* A task that ended before it was looked at was no kernel thread: those stay. */
	(void)proc_task_kind(tid, &task->kernel_thread, task->name);
	return task;
}

static void announce(struct perf_collector *self, pid_t tgid)
{
	for (size_t i = 0; i < self->announced_count; i++)
		if (self->announced[i] == tgid)
			return;
	if (self->announced_count < sizeof(self->announced) / sizeof(self->announced[0]))
		self->announced[self->announced_count++] = tgid;
}

/* Counts are kept in the order in which their threads came; one cell is found from the end. */
static int add_count(struct perf_collector *self, const struct collected_count *key)
{
	struct collection *collection = &self->base.collection;

	for (size_t i = collection->count_count; i > 0; i--) {
		struct collected_count *count = &collection->counts[i - 1];
		if (count->tid == key->tid && count->mode == key->mode &&
		    count->work == key->work && count->subsystem == key->subsystem) {
			count->samples++;
			return 0;
		}
	}
	struct collected_count *count = collection_add_count(collection);
	if (!count)
		return -ENOMEM;
	*count = *key;
	count->samples = 1;
	return 0;
}

static int add_split(struct perf_collector *self, const struct perf_sample *sample,
		     enum account_mode mode)
{
	struct collected_split split = {
		.tgid = (pid_t)sample->pid,
		.mode = mode,
		.samples = 1,
	};

	if (mode == MODE_GUEST)
		split.guest_kernel = (sample->misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
				     PERF_RECORD_MISC_GUEST_KERNEL;
	else
		split.dso = dso_lookup(self->options.dsos, split.tgid, sample->address);
	return collection_add_split(&self->base.collection, &split);
}

static int sort_sample(struct perf_collector *self, const struct perf_sample *sample)
{
	struct collected_count key = {.tgid = (pid_t)sample->pid, .tid = (pid_t)sample->tid};
	bool tracked = proc_tasks_is_tracked(&self->threads, key.tgid);
	int error = 0;

	switch (sample->misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_GUEST_KERNEL:
	case PERF_RECORD_MISC_GUEST_USER:
		key.mode = MODE_GUEST;
		if (!tracked)
			announce(self, key.tgid);
		error = add_split(self, sample, MODE_GUEST);
		break;
	case PERF_RECORD_MISC_USER:
		key.mode = MODE_USER;
		if (tracked)
			error = add_split(self, sample, MODE_USER);
		break;
	default:
		key.mode = interrupt_context_mode(self->interrupts, sample->callchain,
						  sample->callchain_length, &key.work);
		key.subsystem =
			kernel_map_lookup(self->options.kernel_map, sample->address, NULL);
		break;
	}
	if (tracked) {
		struct thread_reading *thread = proc_tasks_find(&self->threads, key.tid);
		if (!thread)
			thread = proc_tasks_add(&self->threads, key.tgid, key.tid);
		if (!thread)
			return -ENOMEM;
		thread->samples++;
		key.kernel_thread = thread->kernel_thread;
	} else if (key.tid != 0 && key.mode != MODE_USER) {
		struct known_task *task = know_task(self, key.tid);
		if (!task)
			return -ENOMEM;
		key.kernel_thread = task->kernel_thread;
	}
	return error ? error : add_count(self, &key);
}

static void take_sample(void *context, const struct perf_sample *sample)
{
	struct perf_collector *self = context;
	int error = sort_sample(self, sample);

	if (error)
		self->append_error = error;
}

/* Names the kernel threads that were sampled, so that their kind of work is known. */
static int report_kernel_threads(struct perf_collector *self)
{
	struct collection *collection = &self->base.collection;
	size_t count = collection->count_count;

	for (size_t i = 0; i < count; i++) {
		if (!collection->counts[i].kernel_thread ||
		    proc_tasks_find(&self->threads, collection->counts[i].tid))
			continue;
		struct known_task *known = know_task(self, collection->counts[i].tid);
		if (!known)
			return -ENOMEM;
		if (known->reported)
			continue;
		known->reported = true;
		struct collected_task *task = collection_add_task(collection);
		if (!task)
			return -ENOMEM;
		task->tgid = task->tid = known->tid;
		task->kernel_thread = true;
		memcpy(task->name, known->name, sizeof(task->name));
	}
	return 0;
}

static bool does_softirq_work(struct perf_collector *self, const struct collected_count *count)
{
	const struct known_task *task = know_task(self, count->tid);

	return task && strncmp(task->name, "ksoftirqd/", 10) == 0;
}

/* Divides the busy time that no thread's reading accounts for, in proportion to samples. */
static void divide_rest(struct perf_collector *self, uint64_t busy_ns)
{
	struct collection *collection = &self->base.collection;
	uint64_t processes = 0, kernel = 0, shared = 0;

	for (size_t i = 0; i < collection->task_count; i++)
		busy_ns -= collection->tasks[i].run_ns < busy_ns ? collection->tasks[i].run_ns
								 : busy_ns;
	busy_ns -= collection->self_run_ns < busy_ns ? collection->self_run_ns : busy_ns;
	for (size_t i = 0; i < collection->count_count; i++) {
		struct collected_count *count = &collection->counts[i];
		if (count->tid == 0 || count->tgid == self->self ||
		    proc_tasks_is_tracked(&self->threads, count->tgid))
			continue;
		if (!count->kernel_thread)
			processes += count->samples;
		else if (does_softirq_work(self, count))
			shared += count->samples;
		else
			kernel += count->samples;
	}
	uint64_t sum = processes + kernel + shared;
	if (sum == 0)
		processes = sum = 1;
	double each = (double)busy_ns / (double)sum;
	collection->kernel_run_ns = (uint64_t)(each * (double)kernel);
	collection->shared_run_ns = (uint64_t)(each * (double)shared);
	collection->processes_run_ns =
		busy_ns - collection->kernel_run_ns - collection->shared_run_ns;
}

static uint64_t since(uint64_t *last, uint64_t now)
{
	uint64_t difference = now > *last ? now - *last : 0;

	*last = now;
	return difference;
}

static int read_interval(struct collector *collector, struct error *error)
{
	struct perf_collector *self = perf_collector(collector);
	struct collection *collection = &collector->collection;
	uint64_t idle_ns, interrupt_ns;

	collection_begin(&collector->collection);
	perf_events_drain(collector->events, take_sample, self);
	collection->handed_out = true;
	collection->start_ns = self->reading_ns;
	collection->end_ns = self->reading_ns = clock_monotonic_ns();
	int code =
		host_times_read(&idle_ns, &interrupt_ns, &collection->interrupts_apart, error);
	if (code)
		return code;
	code = proc_tasks_read(&self->threads, false,
			       NS_PER_S / perf_events_frequency(collector->events), collection);
	if (!code)
		code = report_kernel_threads(self);
	if (!code)
		code = self->append_error;
	if (code)
		return error_set(error, code, "no memory for the samples");
	collection->self_run_ns = since(&self->self_ns, clock_process_ns());
	collection->interrupt_ns = since(&self->interrupt_ns, interrupt_ns);
	collection->lost = since(&self->lost, perf_events_lost(collector->events));
	uint64_t capacity = (collection->end_ns - collection->start_ns) * collection->cpus;
	uint64_t taken = since(&self->idle_ns, idle_ns);
	if (collection->interrupts_apart)
		taken += collection->interrupt_ns;
	divide_rest(self, capacity > taken ? capacity - taken : 0);
	for (size_t i = 0; i < self->task_count; i++)
		self->tasks[i].reported = false;
	return 0;
}

static int start(struct collector *collector, struct error *error)
{
	struct perf_collector *self = perf_collector(collector);
	int code = perf_events_start(collector->events, error);

	if (!code)
		code = host_times_read(&self->idle_ns, &self->interrupt_ns,
				       &collector->collection.interrupts_apart, error);
	if (code)
		return code;
	self->reading_ns = collector->started_ns = clock_monotonic_ns();
	self->self_ns = clock_process_ns();
	if (proc_tasks_read(&self->threads, true, 0, &collector->collection))
		return error_set(error, -ENOMEM, "no memory for the threads");
	return 0;
}

static int track(struct collector *collector, pid_t tgid)
{
	return proc_tasks_track(&perf_collector(collector)->threads, tgid);
}

static void untrack(struct collector *collector, pid_t tgid)
{
	struct perf_collector *self = perf_collector(collector);

	dso_forget(self->options.dsos, tgid);
	proc_tasks_untrack(&self->threads, tgid);
}

static int use_map(struct collector *collector, const struct kernel_map *map,
		   struct error *error)
{
	struct perf_collector *self = perf_collector(collector);

	(void)error;
	self->options.kernel_map = map;
	return 0;
}

static void tick(struct collector *collector)
{
	struct perf_collector *self = perf_collector(collector);

	collection_begin(&collector->collection);
	perf_events_redraw(collector->events);
	perf_events_drain(collector->events, take_sample, self);
}

static pid_t new_vm(struct collector *collector)
{
	struct perf_collector *self = perf_collector(collector);

	return self->announced_count ? self->announced[--self->announced_count] : 0;
}

static void free_collector(struct collector *collector)
{
	struct perf_collector *self = perf_collector(collector);

	perf_events_close(collector->events);
	interrupt_context_free(self->interrupts);
	collection_free(&collector->collection);
	proc_tasks_clear(&self->threads);
	free(self->tasks);
	free(self);
}

static const struct collector_operations operations = {
	.name = "perf",
	.start = start,
	.track = track,
	.untrack = untrack,
	.use_map = use_map,
	.tick = tick,
	.new_vm = new_vm,
	.read = read_interval,
	.free = free_collector,
};

int perf_collector_new(struct collector **out, const struct collector_options *options,
		       struct error *error)
{
	struct perf_collector *self = calloc(1, sizeof(*self));

	if (!self)
		return error_set(error, -ENOMEM, "no memory for the collector");
	self->base.operations = &operations;
	self->base.wake_fd = -1;
	self->options = *options;
	self->self = getpid();
	struct perf_events_options events = {
		.frequency_hz = options->frequency_hz,
		.bpf_program = -1,
		.callchains = true,
	};
	int code = interrupt_context_new(&self->interrupts, NULL, error);
	if (!code)
		code = perf_events_open(&self->base.events, &events, error);
	if (code) {
		free_collector(&self->base);
		return code;
	}
	self->base.collection.cpus = perf_events_cpus(self->base.events);
	*out = &self->base;
	return 0;
}
