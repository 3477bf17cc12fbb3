/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/collector.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/random.h"
#include "bpf/exact.h"
#include "collect/exact_events.h"

_Static_assert(COLLECTED_SOFTIRQS == EXACT_SOFTIRQS, "the kernel's softirq vectors");

/* Never less than this part of the time. */
#define DUTY_MIN 0.01

/* What an event costs as long as nobody has measured it. */
#define ASSUMED_EVENT_NS 100

/*
 * Samples, thread times and names are the BPF collector's; this one adds what events tell of
 * the same threads. Where the events would cost more than their budget they are looked at in a
 * part of the time only: at each tick a draw says whether until the next.
 */
struct exact_collector {
	struct collector base;
	struct collector *samples; /* the BPF collector, which owns the collection */
	struct exact_events *events;
	pid_t self;
	double budget;
	double event_ns; /* the last figure that is known; 0: none */
	double rate;	 /* of events on the busiest CPU, a second; smoothed */
	double duty;
	unsigned windows; /* parts of this interval in which events were looked at */
	uint64_t random;
	bool cost_measured; /* in this interval */
	pid_t *groups;	    /* tracked ones, in rising order */
	size_t group_count, group_room;
	struct task_place {
		pid_t tid;
		size_t task;
	} * places; /* of the collection's tasks, in rising order of tid */
	size_t place_count, place_room;
};

static struct exact_collector *exact_collector(struct collector *collector)
{
	return (struct exact_collector *)collector;
}

static int compare_pids(const void *left, const void *right)
{
	const pid_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool is_tracked(const struct exact_collector *self, pid_t tgid)
{
	return self->group_count &&
	       bsearch(&tgid, self->groups, self->group_count, sizeof(tgid), compare_pids);
}

static int index_tasks(struct exact_collector *self)
{
	const struct collection *collection = &self->samples->collection;

	if (array_reserve(&self->places, &self->place_room, collection->task_count,
			  sizeof(*self->places)))
		return -ENOMEM;
	self->place_count = collection->task_count;
	for (size_t i = 0; i < collection->task_count; i++)
		self->places[i] = (struct task_place){collection->tasks[i].tid, i};
	/* tid is the first member. */
	if (self->place_count > 1)
		qsort(self->places, self->place_count, sizeof(*self->places), compare_pids);
	return 0;
}

static struct collected_task *task_of(struct exact_collector *self,
				      const struct exact_thread *thread)
{
	struct collection *collection = &self->samples->collection;
	pid_t tid = (pid_t)thread->tid;
	const struct task_place *place =
		self->place_count ? bsearch(&tid, self->places, self->place_count,
					    sizeof(*self->places), compare_pids)
				  : NULL;

	/* A number can be used twice in an interval: groups tell such threads apart. */
	if (place && collection->tasks[place->task].tgid == (pid_t)thread->tgid)
		return &collection->tasks[place->task];
	struct collected_task *task = collection_add_task(collection);
	if (!task)
		return NULL;
	task->tgid = (pid_t)thread->tgid;
	task->tid = tid;
	task->kernel_thread = thread->kernel_thread;
	memcpy(task->name, thread->comm, sizeof(task->name));
	task->name[sizeof(task->name) - 1] = '\0';
	return task;
}

static void add_times(struct exact_times *times, const uint64_t *ns)
{
	times->guest_ns += ns[EXACT_GUEST];
	times->host_ns += ns[EXACT_HOST];
	times->hardirq_ns += ns[EXACT_HARDIRQ];
	times->softirq_ns += ns[EXACT_SOFTIRQ];
}

static int take_thread(void *context, enum exact_place place, const struct exact_thread *thread,
		       const uint64_t *ns)
{
	struct exact_collector *self = context;
	struct collected_exact *exact = &self->samples->collection.exact;
	struct exact_times *times = &exact->processes;

	if (place == EXACT_PLACE_IDLE) {
		times = &exact->idle;
	} else if (place == EXACT_PLACE_KERNEL) {
		times = &exact->kernel;
	} else if (place == EXACT_PLACE_THREAD) {
		if ((pid_t)thread->tgid == self->self) {
			times = &exact->self;
		} else if (thread->kernel_thread || thread->exits ||
			   is_tracked(self, (pid_t)thread->tgid)) {
			struct collected_task *task = task_of(self, thread);
			if (!task)
				return -ENOMEM;
			times = &task->exact;
		}
	}
	add_times(times, ns);
	return 0;
}

static int take_exits(void *context, const struct exact_thread *thread, uint32_t isa,
		      uint32_t code, uint64_t count, uint64_t ns)
{
	struct exact_collector *self = context;
	struct collected_exit *exit = collection_add_exit(&self->samples->collection);

	if (!exit)
		return -ENOMEM;
	*exit = (struct collected_exit){
		.tgid = (pid_t)thread->tgid,
		.tid = (pid_t)thread->tid,
		.isa = isa,
		.code = code,
		.count = count,
		.ns = ns,
	};
	return 0;
}

/*
 * What part of the time keeps the busiest CPU's events in the budget, by the rate of events in
 * the last windows.
 */
static void choose_duty(struct exact_collector *self)
{
	double rate = exact_events_rate(self->events);

	if (!exact_events_running(self->events) || rate == 0)
		return;
	self->rate = self->rate > 0 ? 0.75 * self->rate + 0.25 * rate : rate;
	double cost =
		self->rate * (self->event_ns > 0 ? self->event_ns : ASSUMED_EVENT_NS) / 1e9;
	self->duty = cost > self->budget ? self->budget / cost : 1;
	if (self->duty < DUTY_MIN)
		self->duty = DUTY_MIN;
}

/* Until the next tick events are looked at or not. Failing is what the next reading says. */
static void choose_window(struct exact_collector *self)
{
	struct error error;
	bool run = self->duty >= 1 || random_fraction(&self->random) < self->duty;

	if (run) {
		self->windows++;
		(void)exact_events_begin(self->events, &error);
	} else {
		(void)exact_events_pause(self->events, &error);
	}
}

static void end_cost(struct exact_collector *self)
{
	double event_ns = exact_events_end_cost(self->events);

	if (event_ns > 0)
		self->event_ns = event_ns;
}

static int read_interval(struct collector *collector, struct error *error)
{
	struct exact_collector *self = exact_collector(collector);
	const struct exact_visitor visitor = {self, take_thread, take_exits};
	struct exact_totals totals;
	const struct collection *sampled;
	int code = collector_read(self->samples, &sampled, error);

	if (!code && index_tasks(self))
		code = error_set(error, -ENOMEM, "no memory for the exact times");
	if (!code)
		code = exact_events_take(self->events, &visitor, &totals, error);
	if (code)
		return code;
	end_cost(self);
	struct collected_exact *exact = &self->samples->collection.exact;
	exact->valid = totals.covered_ns > 0;
	exact->whole = totals.whole;
	exact->capacity_ns = totals.covered_ns;
	memcpy(exact->softirq_ns, totals.softirq_ns, sizeof(exact->softirq_ns));
	exact->entries = totals.entries;
	exact->events = totals.events;
	exact->event_ns = self->event_ns;
	double capacity = (double)(sampled->end_ns - sampled->start_ns) * (double)sampled->cpus;
	exact->duty = totals.whole ? 1 : (double)totals.covered_ns / capacity;
	exact->windows = self->windows;
	exact->lost = totals.lost_exits;
	exact->lost_threads = totals.homeless;
	self->windows = exact_events_running(self->events);
	self->cost_measured = false;
	collector->collection = self->samples->collection;
	return 0;
}

static int start(struct collector *collector, struct error *error)
{
	struct exact_collector *self = exact_collector(collector);
	int code = collector_start(self->samples, error);

	collector->started_ns = self->samples->started_ns;
	if (!code)
		code = exact_events_begin(self->events, error);
	self->windows = 1;
	return code;
}

static int track(struct collector *collector, pid_t tgid)
{
	struct exact_collector *self = exact_collector(collector);

	if (!is_tracked(self, tgid)) {
		if (array_reserve(&self->groups, &self->group_room, self->group_count + 1,
				  sizeof(*self->groups)))
			return -ENOMEM;
		self->groups[self->group_count++] = tgid;
		qsort(self->groups, self->group_count, sizeof(tgid), compare_pids);
	}
	return collector_track(self->samples, tgid);
}

static void untrack(struct collector *collector, pid_t tgid)
{
	struct exact_collector *self = exact_collector(collector);

	for (size_t i = 0; i < self->group_count; i++)
		if (self->groups[i] == tgid) {
			memmove(&self->groups[i], &self->groups[i + 1],
				(--self->group_count - i) * sizeof(tgid));
			break;
		}
	collector_untrack(self->samples, tgid);
}

static int use_map(struct collector *collector, const struct kernel_map *map,
		   struct error *error)
{
	return collector_use_map(exact_collector(collector)->samples, map, error);
}

/* The cost is measured from the first tick of each interval to the next, or a later one. */
static void tick(struct collector *collector)
{
	struct exact_collector *self = exact_collector(collector);

	collector_tick(self->samples);
	end_cost(self);
	choose_duty(self);
	choose_window(self);
	if (!self->cost_measured && exact_events_running(self->events))
		self->cost_measured = exact_events_begin_cost(self->events) == 0;
}

static pid_t new_vm(struct collector *collector)
{
	return collector_new_vm(exact_collector(collector)->samples);
}

static void free_collector(struct collector *collector)
{
	struct exact_collector *self = exact_collector(collector);

	exact_events_free(self->events);
	collector_free(self->samples);
	free(self->groups);
	free(self->places);
	free(self);
}

static const struct collector_operations operations = {
	.name = "bpf",
	.start = start,
	.track = track,
	.untrack = untrack,
	.use_map = use_map,
	.tick = tick,
	.new_vm = new_vm,
	.read = read_interval,
	.free = free_collector,
};

int exact_collector_new(struct collector **out, const struct collector_options *options,
			struct error *error)
{
	struct exact_collector *self = calloc(1, sizeof(*self));

	if (!self)
		return error_set(error, -ENOMEM, "no memory for the collector");
	self->base.operations = &operations;
	self->self = getpid();
	self->budget = options->budget;
	self->duty = 1;
	self->random = random_state_new();
	int code = bpf_collector_new(&self->samples, options, error);
	if (!code)
		code = exact_events_new(&self->events, options->exit_layout, error);
	if (code) {
		free_collector(&self->base);
		return code;
	}
	self->base.events = self->samples->events;
	self->base.wake_fd = self->samples->wake_fd;
	self->base.collection = self->samples->collection;
	*out = &self->base;
	return 0;
}
