/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/recorder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/bpf_sampler.h"
#include "collect/bpf_tasks.h"
#include "collect/perf_events.h"
#include "collect/proc_tasks.h"
#include "record/recording_file.h"

/* Rings are emptied when one is so full, or after so long a time. */
#define FILL_MAX 0.25
#define ROUND_NS NS_PER_S

struct recorder {
	struct collector base;
	struct recorder_options options;
	unsigned frequency_hz;
	struct bpf_tasks *bpf; /* one of the two */
	struct proc_tasks proc;
	struct error fallback;
	struct recording_file file;
	bool file_open;
	struct error failure;
	int wake_fd;
	uint64_t last_round_ns;
	uint64_t reading_ns, idle_ns, interrupt_ns, self_ns; /* the last reading of these */
	uint64_t interval_idle_ns;
	struct section_bytes saved; /* from the rings, while a file is begun */
	pid_t *last_guests;	    /* one for each ring */
	pid_t announced[64];
	size_t announced_count;
	struct proc_tasks known;    /* VMs' thread groups, by either way */
	struct record_totals ended; /* of the files that were ended */
	uint64_t lost_records;	    /* sum of the LOST records of all files */
};

static struct recorder *recorder_of(struct collector *collector)
{
	return (struct recorder *)collector;
}

struct collector *recorder_base(struct recorder *recorder)
{
	return &recorder->base;
}

static void wake(struct recorder *self)
{
	uint64_t one = 1;

	(void)!write(self->wake_fd, &one, sizeof(one));
}

static void note_mapped(void *context, pid_t pid, const char *name)
{
	struct recorder *self = context;

	if (mapped_files_add(&self->file.mapped, pid, name))
		error_set(&self->failure, -ENOMEM, "no memory for the mapped files");
}

/* A VM that is not known yet is looked for at once, while it lives. */
static void note_guest(void *context, pid_t pid)
{
	struct recorder *self = context;

	if (proc_tasks_is_tracked(&self->known, pid))
		return;
	for (size_t i = 0; i < self->announced_count; i++)
		if (self->announced[i] == pid)
			return;
	if (self->announced_count < sizeof(self->announced) / sizeof(self->announced[0]))
		self->announced[self->announced_count++] = pid;
}

/*
 * While a file is begun, what comes goes behind what was there already, so that nobody meets a
 * sample of a process that the file doesn't know yet; but the rings must not become full.
 */
static void save_rings(void *context)
{
	struct recorder *self = context;
	struct perf_events *events = self->base.events;

	if (perf_events_fill(events) < FILL_MAX)
		return;
	for (size_t i = 0; i < perf_events_cpus(events) && !self->saved.failed; i++) {
		struct iovec parts[2];
		size_t count = perf_events_peek(events, i, parts);
		for (size_t j = 0; j < count; j++)
			section_put(&self->saved, parts[j].iov_base, parts[j].iov_len);
		if (!self->saved.failed)
			perf_events_consume(events, i);
	}
}

/* Adds the records to the file, and to its tally when they are in it. */
static int write_records(struct recorder *self, const struct iovec *parts, size_t count,
			 pid_t *last_guest, struct error *error)
{
	const struct ring_visitor visitor = {note_mapped, note_guest, self};
	struct record_tally tally = self->file.tally;

	ring_records_look(parts, count, &tally, last_guest, &visitor);
	int code = perf_data_write_records(self->file.writer, parts, count, error);
	if (!code)
		self->file.tally = tally;
	return code;
}

static int write_saved(struct recorder *self, struct error *error)
{
	struct iovec part = {self->saved.data, self->saved.size};
	pid_t last_guest = 0;
	int code = 0;

	if (self->saved.failed)
		code = error_set(error, -ENOMEM, "no memory for the samples");
	else if (self->saved.size)
		code = write_records(self, &part, 1, &last_guest, error);
	section_bytes_clear(&self->saved);
	return code;
}

/* Empties all rings into the file, one after the other: a round, in perf's terms. */
static int write_round(struct recorder *self, struct error *error)
{
	struct perf_events *events = self->base.events;
	bool any = self->saved.size > 0;

	self->last_round_ns = clock_monotonic_ns();
	int code = write_saved(self, error);
	for (size_t i = 0; !code && i < perf_events_cpus(events); i++) {
		struct iovec parts[2];
		size_t count = perf_events_peek(events, i, parts);
		if (count == 0)
			continue;
		any = true;
		code = write_records(self, parts, count, &self->last_guests[i], error);
		perf_events_consume(events, i);
	}
	if (!code && any)
		code = perf_data_write_record(self->file.writer, PERF_RECORD_FINISHED_ROUND, 0,
					      NULL, 0, false, error);
	if (!code && any)
		code = perf_data_writer_flush(self->file.writer, error);
	return code;
}

static void tick(struct collector *collector)
{
	struct recorder *self = recorder_of(collector);

	perf_events_redraw(collector->events);
	if (self->failure.code || (perf_events_fill(collector->events) < FILL_MAX &&
				   clock_monotonic_ns() < self->last_round_ns + ROUND_NS))
		return;
	(void)write_round(self, &self->failure);
	if (self->failure.code || recorder_full(self))
		wake(self);
}

static pid_t new_vm(struct collector *collector)
{
	struct recorder *self = recorder_of(collector);

	return self->announced_count ? self->announced[--self->announced_count] : 0;
}

static uint64_t since(uint64_t *last, uint64_t now)
{
	uint64_t difference = now > *last ? now - *last : 0;

	*last = now;
	return difference;
}

static int read_tasks(struct recorder *self, bool baseline, struct error *error)
{
	struct collection *collection = &self->base.collection;

	if (self->bpf) {
		int code = bpf_tasks_read(self->bpf, baseline, collection, error);
		if (!code && bpf_tasks_take_ended(self->bpf, collection))
			code = error_set(error, -ENOMEM, "no memory for the tasks' times");
		return code;
	}
	collection->start_ns = self->reading_ns;
	collection->end_ns = self->reading_ns = clock_monotonic_ns();
	if (proc_tasks_read(&self->proc, baseline, 0, collection))
		return error_set(error, -ENOMEM, "no memory for the tasks' times");
	collection->self_run_ns = since(&self->self_ns, clock_process_ns());
	return 0;
}

static int read_interval(struct collector *collector, struct error *error)
{
	struct recorder *self = recorder_of(collector);
	struct collection *collection = &collector->collection;
	uint64_t idle_ns, interrupt_ns;

	collection_begin(collection);
	collection->handed_out = true;
	int code = read_tasks(self, false, error);
	if (!code)
		code = host_times_read(&idle_ns, &interrupt_ns, &collection->interrupts_apart,
				       error);
	if (code)
		return code;
	collection->interrupt_ns = since(&self->interrupt_ns, interrupt_ns);
	self->interval_idle_ns = since(&self->idle_ns, idle_ns);
	/* A failed write is told by recorder_failure(): the interval is good. */
	if (!self->failure.code)
		(void)write_round(self, &self->failure);
	return 0;
}

static int start(struct collector *collector, struct error *error)
{
	struct recorder *self = recorder_of(collector);
	struct collection *collection = &collector->collection;
	/* The file first: what begins to run while it is written is in the rings. */
	int code = perf_events_start(collector->events, error);

	if (!code)
		code = read_tasks(self, true, error);
	if (!code)
		code = host_times_read(&self->idle_ns, &self->interrupt_ns,
				       &collection->interrupts_apart, error);
	if (code)
		return code;
	collector->started_ns = collection->end_ns;
	self->file_open = true;
	code = recording_file_begin(&self->file, self->options.path, false, collector->events,
				    save_rings, self, error);
	if (!code && self->options.max_size &&
	    self->file.first_size > self->options.max_size / 2)
		code = error_set(error, -EFBIG,
				 "--max-size is too small: what runs now takes %llu KiB of it",
				 (unsigned long long)self->file.first_size / 1024);
	return code;
}

static int track(struct collector *collector, pid_t tgid)
{
	struct recorder *self = recorder_of(collector);
	int code = proc_tasks_track(&self->known, tgid);

	if (code)
		return code;
	return self->bpf ? bpf_tasks_track(self->bpf, tgid)
			 : proc_tasks_track(&self->proc, tgid);
}

static void untrack(struct collector *collector, pid_t tgid)
{
	struct recorder *self = recorder_of(collector);

	proc_tasks_untrack(&self->known, tgid);
	if (self->bpf)
		bpf_tasks_untrack(self->bpf, tgid);
	else
		proc_tasks_untrack(&self->proc, tgid);
}

static int use_map(struct collector *collector, const struct kernel_map *map,
		   struct error *error)
{
	(void)collector;
	(void)map;
	(void)error;
	return 0;
}

static void free_recorder(struct collector *collector)
{
	struct recorder *self = recorder_of(collector);

	if (self->file_open)
		(void)recorder_end(self, NULL, 0, NULL);
	perf_events_close(collector->events);
	bpf_tasks_free(self->bpf);
	proc_tasks_clear(&self->proc);
	proc_tasks_clear(&self->known);
	section_bytes_clear(&self->saved);
	collection_free(&collector->collection);
	if (self->wake_fd >= 0)
		close(self->wake_fd);
	free(self->last_guests);
	free(self);
}

static int open_times(struct recorder *self, struct error *error)
{
	if (self->options.times == RECORDER_TIMES_PROC)
		return 0;
	bool must = self->options.times == RECORDER_TIMES_BPF;
	int code = bpf_tasks_new(&self->bpf, -1, must ? error : &self->fallback);
	return must ? code : 0;
}

int recorder_new(struct recorder **out, const struct recorder_options *options,
		 const struct collector_options *collector_options, struct error *error)
{
	static const struct collector_operations operations = {
		.name = "record",
		/*
		 * Who reads the recording goes by the CPU mode of its records, as the perf
		 * collector does: guest is where KVM serves an interrupt of a guest's run
		 * (kvm_arch_pmi_in_guest()), not where PF_VCPU is set, as for the BPF
		 * program. And a record costs what one of the perf collector's does.
		 */
		.judged_as = "perf",
		.start = start,
		.track = track,
		.untrack = untrack,
		.use_map = use_map,
		.tick = tick,
		.new_vm = new_vm,
		.read = read_interval,
		.free = free_recorder,
	};
	struct recorder *self = calloc(1, sizeof(*self));

	if (!self)
		return error_set(error, -ENOMEM, "no memory for the recorder");
	self->base.operations = &operations;
	self->base.wake_fd = -1;
	self->options = *options;
	self->frequency_hz = collector_options->frequency_hz;
	self->file.fd = -1;
	self->self_ns = clock_process_ns();
	struct perf_events_options events = {
		.frequency_hz = self->frequency_hz,
		.bpf_program = -1,
		.callchains = options->callchains,
		.records = true,
	};
	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int code =
		self->wake_fd < 0 ? error_set(error, -errno, "cannot make an eventfd: %m") : 0;
	if (!code)
		code = perf_events_open(&self->base.events, &events, error);
	if (!code)
		code = open_times(self, error);
	if (!code) {
		self->last_guests = calloc(perf_events_cpus(self->base.events), sizeof(pid_t));
		if (!self->last_guests)
			code = error_set(error, -ENOMEM, "no memory for the recorder");
	}
	if (code) {
		free_recorder(&self->base);
		return code;
	}
	self->base.collection.cpus = perf_events_cpus(self->base.events);
	*out = self;
	return 0;
}

void recorder_last_reading(const struct recorder *self, struct recorder_reading *out)
{
	*out = (struct recorder_reading){
		.collection = &self->base.collection,
		.idle_ns = self->interval_idle_ns,
		.sums_known = self->bpf != NULL,
		.times = self->bpf ? "bpf" : "proc",
		.fallback = self->fallback.code ? self->fallback.message : NULL,
	};
}

int recorder_wake_fd(const struct recorder *self)
{
	return self->wake_fd;
}

bool recorder_full(const struct recorder *self)
{
	return self->options.max_size && self->file.writer &&
	       perf_data_writer_size(self->file.writer) >= self->options.max_size;
}

const struct error *recorder_failure(const struct recorder *self)
{
	return self->failure.code ? &self->failure : NULL;
}

int recorder_write_text(struct recorder *self, const char *text, size_t length,
			struct error *error)
{
	int code = perf_data_write_recording(self->file.writer, text, length, error);

	return code ? code : perf_data_writer_flush(self->file.writer, error);
}

/* What the kernel counted as lost and no LOST record has told: the rings stayed full. */
static int write_untold_losses(struct recorder *self, struct error *error)
{
	uint64_t counted = 0, lost, told = self->lost_records + self->file.tally.lost;
	const struct perf_events *events = self->base.events;

	for (size_t i = 0; i < perf_events_cpus(events); i++)
		if (perf_events_count_lost(events, i, &lost))
			counted += lost;
	if (counted <= told)
		return 0;
	lost = counted - told;
	self->file.tally.lost += lost;
	return perf_data_write_record(self->file.writer, PERF_RECORD_LOST_SAMPLES, 0, &lost,
				      sizeof(lost), true, error);
}

int recorder_drain(struct recorder *self, bool stop, struct error *error)
{
	if (stop)
		perf_events_stop(self->base.events);
	if (self->failure.code || !self->file.writer)
		return 0;
	int code = write_round(self, error);
	return code ? code : write_untold_losses(self, error);
}

const struct record_tally *recorder_tally(const struct recorder *self)
{
	return &self->file.tally;
}

int recorder_end(struct recorder *self, const char *section, size_t size, struct error *error)
{
	struct recording_file *file = &self->file;

	if (!self->file_open)
		return 0;
	uint64_t bytes = file->writer ? perf_data_writer_size(file->writer) : 0;
	int code = recording_file_end(file, self->base.events, self->options.command_line,
				      section, size, error);
	self->file_open = false;
	self->lost_records += file->tally.lost;
	self->ended.samples += file->tally.samples;
	self->ended.lost += file->tally.lost;
	self->ended.bytes += bytes;
	self->ended.files++;
	return code;
}

/* PATH.N, or PATH itself for 0. */
static int numbered(const char *path, unsigned number, char *out)
{
	int length = number ? snprintf(out, PATH_MAX, "%s.%u", path, number)
			    : snprintf(out, PATH_MAX, "%s", path);

	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int move_files(struct recorder *self, struct error *error)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (unsigned i = self->options.max_files - 1; i-- > 0;) {
		if (numbered(self->options.path, i, from) ||
		    numbered(self->options.path, i + 1, to))
			return error_set(error, -ENAMETOOLONG, "the name %s is too long",
					 self->options.path);
		/* Those that are not there yet come later. */
		if (rename(from, to) < 0 && errno != ENOENT)
			return error_set(error, -EIO, "cannot rename %s to %s: %m", from, to);
	}
	return 0;
}

int recorder_rotate(struct recorder *self, const char *section, size_t size,
		    struct error *error)
{
	int code = recorder_end(self, section, size, error);

	if (!code)
		code = move_files(self, error);
	if (code)
		return code;
	uint64_t count;
	(void)!read(self->wake_fd, &count, sizeof(count));
	self->file_open = true;
	return recording_file_begin(&self->file, self->options.path, true, self->base.events,
				    save_rings, self, error);
}

void recorder_totals(const struct recorder *self, struct record_totals *out)
{
	*out = self->ended;
	if (!self->file_open || !self->file.writer)
		return;
	out->samples += self->file.tally.samples;
	out->lost += self->file.tally.lost;
	out->bytes += perf_data_writer_size(self->file.writer);
	out->files++;
}
