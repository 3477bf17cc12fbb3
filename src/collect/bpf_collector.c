/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/collector.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "collect/bpf_sampler.h"
#include "collect/bpf_tasks.h"
#include "collect/perf_events.h"
#include "symbols/dso.h"

/* Counts fetched from the kernel in one system call. */
#define BATCH 1024

struct bpf_collector {
	struct collector base;
	struct collector_options options;
	struct bpf_sampler *sampler;
	struct bpf_tasks *tasks;
	struct ring_buffer *new_vms;
	pid_t announced[64]; /* VMs seen in guest mode and not asked for yet */
	size_t announced_count;
	int append_error;      /* a failure to append to the collection */
	uint64_t interrupt_ns; /* the last reading of all of these */
	uint64_t uncounted;
	uint64_t lost;
	struct sample_key keys[BATCH];
	struct sample_count values[BATCH];
};

static struct bpf_collector *bpf_collector(struct collector *collector)
{
	return (struct bpf_collector *)collector;
}

static int load_programs(struct bpf_collector *self, struct error *error)
{
	int code = bpf_sampler_new(&self->sampler, self->options.kernel_map, false, error);

	if (code)
		return code;
	code = bpf_tasks_new(&self->tasks, bpf_sampler_vm_tgids(self->sampler), error);
	if (code)
		return code;

	struct perf_events_options events = {
		.frequency_hz = self->options.frequency_hz,
		.bpf_program = bpf_sampler_program(self->sampler),
	};
	return perf_events_open(&self->base.events, &events, error);
}

static int remember_new_vm(void *context, void *data, size_t size)
{
	struct bpf_collector *self = context;
	__u32 tgid;

	if (size < sizeof(tgid) ||
	    self->announced_count == sizeof(self->announced) / sizeof(self->announced[0]))
		return 0;
	memcpy(&tgid, data, sizeof(tgid));
	self->announced[self->announced_count++] = (pid_t)tgid;
	return 0;
}

/* A sample that the BPF program let through: guest mode, or user code of a VM. */
static void append_split(void *context, const struct perf_sample *sample)
{
	struct bpf_collector *self = context;
	struct collected_split split = {.tgid = (pid_t)sample->pid, .samples = 1};

	switch (sample->misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_GUEST_KERNEL:
		split.guest_kernel = true;
		split.mode = MODE_GUEST;
		break;
	case PERF_RECORD_MISC_GUEST_USER: split.mode = MODE_GUEST; break;
	case PERF_RECORD_MISC_USER:
		split.mode = MODE_USER;
		split.dso = dso_lookup(self->options.dsos, split.tgid, sample->address);
		break;
	default: return; /* guest mode as PF_VCPU sees it, host mode to perf: no privilege */
	}
	int code = collection_add_split(&self->base.collection, &split);
	if (code)
		self->append_error = code;
}

static int append_counts(struct bpf_collector *self, __u32 number)
{
	static const enum account_mode modes[] = {
		[SAMPLE_GUEST] = MODE_GUEST,	 [SAMPLE_USER] = MODE_USER,
		[SAMPLE_KERNEL] = MODE_KERNEL,	 [SAMPLE_SOFTIRQ] = MODE_SOFTIRQ,
		[SAMPLE_HARDIRQ] = MODE_HARDIRQ,
	};

	for (__u32 i = 0; i < number; i++) {
		struct collected_count *count = collection_add_count(&self->base.collection);
		if (!count)
			return -ENOMEM;
		count->tgid = (pid_t)self->keys[i].tgid;
		count->tid = (pid_t)self->keys[i].tid;
		count->kernel_thread = self->keys[i].kernel_thread;
		count->mode = modes[self->keys[i].mode];
		count->subsystem = self->keys[i].subsystem;
		count->work = (enum shared_work)self->keys[i].work;
		count->samples = self->values[i].samples;
		count->entries = self->values[i].entries;
		count->references = self->values[i].references;
		count->reference_ns = self->values[i].reference_ns;
	}
	return 0;
}

static int read_counts(struct bpf_collector *self, struct error *error)
{
	bool more = false;

	do {
		uint32_t number;
		int code = bpf_sampler_take(self->sampler, self->keys, self->values, BATCH,
					    &number, &more, error);
		if (code)
			return code;
		if (append_counts(self, number))
			return error_set(error, -ENOMEM, "no memory for the sample counts");
	} while (more);
	return 0;
}

static uint64_t since(uint64_t *last, uint64_t now)
{
	uint64_t difference = now - *last;

	*last = now;
	return difference;
}

static int read_interval(struct collector *collector, struct error *error)
{
	struct bpf_collector *self = bpf_collector(collector);
	struct collection *collection = &collector->collection;
	uint64_t idle_ns, interrupt_ns;

	collection_begin(&collector->collection);
	collection->handed_out = true;
	collection->entries_known = true;
	int code = bpf_tasks_read(self->tasks, false, collection, error);
	if (!code)
		code = host_times_read(&idle_ns, &interrupt_ns, &collection->interrupts_apart,
				       error);
	if (!code)
		code = read_counts(self, error);
	if (code)
		return code;
	perf_events_drain(collector->events, append_split, self);
	code = bpf_tasks_take_ended(self->tasks, collection);
	if (code && !self->append_error)
		self->append_error = code;
	if (self->append_error)
		return error_set(error, self->append_error, "no memory for the samples");

	collection->interrupt_ns = since(&self->interrupt_ns, interrupt_ns);
	collection->lost = since(&self->uncounted, bpf_sampler_uncounted(self->sampler)) +
			   since(&self->lost, perf_events_lost(collector->events));
	return 0;
}

static int start(struct collector *collector, struct error *error)
{
	struct bpf_collector *self = bpf_collector(collector);
	uint64_t idle_ns;
	int code = perf_events_start(collector->events, error);

	if (!code)
		code = bpf_tasks_read(self->tasks, true, &collector->collection, error);
	if (!code)
		code = host_times_read(&idle_ns, &self->interrupt_ns,
				       &collector->collection.interrupts_apart, error);
	collector->started_ns = collector->collection.end_ns;
	return code;
}

static int track(struct collector *collector, pid_t tgid)
{
	return bpf_tasks_track(bpf_collector(collector)->tasks, tgid);
}

static void untrack(struct collector *collector, pid_t tgid)
{
	struct bpf_collector *self = bpf_collector(collector);

	bpf_tasks_untrack(self->tasks, tgid);
	dso_forget(self->options.dsos, tgid);
}

static int use_map(struct collector *collector, const struct kernel_map *map,
		   struct error *error)
{
	struct bpf_collector *self = bpf_collector(collector);

	self->options.kernel_map = map;
	return bpf_sampler_use_map(self->sampler, map, error);
}

static void tick(struct collector *collector)
{
	struct bpf_collector *self = bpf_collector(collector);

	collection_begin(&collector->collection);
	perf_events_redraw(collector->events);
	perf_events_drain(collector->events, append_split, self);
}

static pid_t new_vm(struct collector *collector)
{
	struct bpf_collector *self = bpf_collector(collector);

	if (self->announced_count == 0)
		ring_buffer__consume(self->new_vms);
	return self->announced_count ? self->announced[--self->announced_count] : 0;
}

static void free_collector(struct collector *collector)
{
	struct bpf_collector *self = bpf_collector(collector);

	perf_events_close(collector->events);
	ring_buffer__free(self->new_vms);
	bpf_tasks_free(self->tasks);
	bpf_sampler_free(self->sampler);
	collection_free(&collector->collection);
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

int bpf_collector_new(struct collector **out, const struct collector_options *options,
		      struct error *error)
{
	struct bpf_collector *self = calloc(1, sizeof(*self));

	if (!self)
		return error_set(error, -ENOMEM, "no memory for the collector");
	bpf_be_quiet();
	self->base.operations = &operations;
	self->options = *options;
	int code = load_programs(self, error);
	if (!code) {
		self->new_vms = ring_buffer__new(bpf_sampler_new_vms(self->sampler),
						 remember_new_vm, self, NULL);
		if (!self->new_vms)
			code = error_set(error, -errno, "cannot map a BPF ring buffer: %m");
	}
	if (code) {
		free_collector(&self->base);
		return code;
	}
	self->base.wake_fd = ring_buffer__epoll_fd(self->new_vms);
	self->base.collection.cpus = perf_events_cpus(self->base.events);
	*out = &self->base;
	return 0;
}
