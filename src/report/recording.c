/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collect/interrupt_context.h"
#include "perf_data/sample.h"
#include "report/changes.h"
#include "symbols/file_symbols.h"

/* The deepest callchain that is looked at; kernel.perf_event_max_stack can be made larger. */
#define CHAIN_MAX 1024

/* Records between two calls of progress. */
#define PROGRESS_RECORDS (1U << 18)

static int take_samples(void *context, const struct queued **first, const struct queued *end,
			uint64_t limit)
{
	struct recording *recording = context;
	double stands_for;
	int code;

	while ((code = profile_take(recording->profile, first, end, limit, &stands_for)) == 1) {
		if (array_reserve(&recording->deferred, &recording->deferred_room,
				  recording->deferred_count + 1, sizeof(*recording->deferred)))
			return -ENOMEM;
		recording->deferred[recording->deferred_count++] =
			(struct deferred_sample){(*first)++, stands_for};
	}
	return code;
}

static int take_other(void *context, const struct queued *queued)
{
	struct recording *recording = context;
	size_t size;
	const uint8_t *bytes = sample_queue_bytes(&recording->queue, queued, &size);

	if (queued->kind == QUEUED_CHANGE)
		return change_apply(recording, bytes, size, queued->time);
	return profile_add_lost(recording->profile, queued->time, queued->cpu, queued->value);
}

static int compare_deferred(const void *left, const void *right)
{
	const struct deferred_sample *a = left, *b = right;

	if (a->sample->time != b->sample->time)
		return a->sample->time < b->sample->time ? -1 : 1;
	return (a->sample > b->sample) - (a->sample < b->sample);
}

/* They are few, and those of each CPU in their order already. */
static void sort_deferred(struct deferred_sample *deferred, size_t count)
{
	if (count > 64) {
		qsort(deferred, count, sizeof(*deferred), compare_deferred);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct deferred_sample moved = deferred[i];
		size_t to = i;
		for (; to && compare_deferred(&deferred[to - 1], &moved) > 0; to--)
			deferred[to] = deferred[to - 1];
		deferred[to] = moved;
	}
}

/*
 * What is new gets its number in the order of time, whatever CPU it came from: samples like
 * known ones could be counted out of order, but those that were not known.
 */
static int end_stretch(void *context, bool by_time)
{
	struct recording *recording = context;
	size_t count = recording->deferred_count;
	int code = 0;

	if (by_time)
		sort_deferred(recording->deferred, count);
	for (size_t i = 0; !code && i < count; i++) {
		const struct deferred_sample *deferred = &recording->deferred[i];
		struct profile_sample sample = profile_sample_of(deferred->sample);
		size_t size;
		const uint8_t *stack =
			sample_queue_bytes(&recording->queue, deferred->sample, &size);
		if (stack) {
			sample.callchain_length = size / 8 < CHAIN_MAX ? size / 8 : CHAIN_MAX;
			memcpy(recording->chain, stack, sample.callchain_length * 8);
			sample.callchain = recording->chain;
		}
		code = profile_count(recording->profile, &sample, deferred->stands_for);
	}
	recording->deferred_count = 0;
	return code;
}

int recording_open(struct recording *recording, const char *path, struct error *error)
{
	sample_queue_init(&recording->queue, &(struct queue_user){recording, take_samples,
								  take_other, end_stretch});
	recording->chain = calloc(CHAIN_MAX, sizeof(*recording->chain));
	if (!recording->chain)
		return error_set(error, -ENOMEM, "no memory to read %s", path);
	int code = perf_data_open(&recording->data, path, error);
	if (!code)
		recording->events = perf_data_events(recording->data);
	return code;
}

static bool is_named(const struct perf_data_event *event, const char *name)
{
	size_t length = strlen(name);

	return strncmp(event->name, name, length) == 0 &&
	       (event->name[length] == '\0' || event->name[length] == ':');
}

/* Do the two count the same at different times, so that their samples add up? */
static bool completes(const struct perf_event_attr *one, const struct perf_event_attr *other)
{
	/* The upper half of config tells the PMU of a hybrid CPU. */
	return one->type == other->type && (one->config ^ other->config) << 32 == 0 &&
	       (one->config >> 32 != other->config >> 32 ||
		(one->exclude_user && other->exclude_kernel) ||
		(one->exclude_kernel && other->exclude_user) ||
		(one->exclude_guest && other->exclude_host) ||
		(one->exclude_host && other->exclude_guest));
}

static void set_anchor(struct recording *recording, const struct perf_data_event *event)
{
	struct profile *profile = recording->profile;
	uint64_t frequency = event->attr.freq ? event->attr.sample_freq : 0;
	uint64_t period = event->attr.freq ? 0 : event->attr.sample_period;

	memcpy(recording->event_name, event->name, sizeof(recording->event_name));
	recording->has_callchains = event->attr.sample_type & PERF_SAMPLE_CALLCHAIN;
	recording->system_wide = event->attr.sample_type & PERF_SAMPLE_CPU;
	if (!event_is_clock(event)) {
		profile->anchor = ANCHOR_SHARES;
	} else if (event_period_is_ns(event)) {
		profile->anchor = ANCHOR_GAPS;
		profile->period_ns = frequency ? 1e9 / (double)frequency : (double)period;
		if (!frequency && period)
			frequency = (1000000000ULL + period / 2) / period;
	} else {
		profile->anchor = ANCHOR_CYCLES;
	}
	recording->frequency_hz = frequency;
}

/* Which events' samples are counted. */
static int select_events(struct recording *recording, struct error *error)
{
	const struct event_table *events = recording->events;
	const struct perf_data_event *chosen = NULL;

	for (size_t i = 0; !chosen && i < events->count; i++)
		if (recording->event ? is_named(&events->events[i], recording->event)
				     : event_is_clock(&events->events[i]))
			chosen = &events->events[i];
	/* No event counts time: shares of what the first one counts. */
	for (size_t i = 0; !chosen && !recording->event && i < events->count; i++)
		if (strncmp(events->events[i].name, "dummy", 5) != 0)
			chosen = &events->events[i];
	if (!chosen && recording->event && events->count)
		return error_set(error, -ENOENT,
				 "the recording has no event '%s', but for example %s",
				 recording->event, events->events[0].name);
	if (!chosen)
		return perf_data_fail(recording->data, -EBADMSG, error,
				      "no event was described up to here");
	if (array_reserve(&recording->selected, &recording->selected_room, events->count,
			  sizeof(*recording->selected)))
		return error_set(error, -ENOMEM, "no memory for the events");
	for (size_t i = 0; i < events->count; i++)
		recording->selected[i] = &events->events[i] == chosen ||
					 completes(&events->events[i].attr, &chosen->attr);
	recording->selected_count = events->count;
	set_anchor(recording, chosen);
	return 0;
}

static enum sample_mode mode_of(uint16_t misc)
{
	static const uint8_t modes[PERF_RECORD_MISC_CPUMODE_MASK + 1] = {
		[PERF_RECORD_MISC_CPUMODE_UNKNOWN] = SAMPLE_KERNEL,
		[PERF_RECORD_MISC_KERNEL] = SAMPLE_KERNEL,
		[PERF_RECORD_MISC_USER] = SAMPLE_USER,
		[PERF_RECORD_MISC_HYPERVISOR] = SAMPLE_KERNEL,
		[PERF_RECORD_MISC_GUEST_KERNEL] = SAMPLE_GUEST_KERNEL,
		[PERF_RECORD_MISC_GUEST_USER] = SAMPLE_GUEST_USER,
		SAMPLE_KERNEL,
		SAMPLE_KERNEL,
	};

	return (enum sample_mode)modes[misc & PERF_RECORD_MISC_CPUMODE_MASK];
}

/* The kernel's part of the callchain says whether it is interrupt work. */
static enum sample_mode mode_in_kernel(const struct recording *recording,
				       const struct recorded_sample *sample,
				       enum shared_work *work)
{
	size_t length = 0;

	while (length < CHAIN_MAX && length < sample->callchain_length) {
		uint64_t address = get64(sample->callchain + length * 8);
		if (address == PERF_CONTEXT_USER)
			break;
		recording->chain[length++] = address;
	}
	switch (interrupt_context_mode(recording->interrupts, recording->chain, length, work)) {
	case MODE_SOFTIRQ: return SAMPLE_SOFTIRQ;
	case MODE_HARDIRQ: return SAMPLE_HARDIRQ;
	default: return SAMPLE_KERNEL;
	}
}

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "no memory for the profile");
}

/* Mode and kind of work, as struct queued has them together. */
static uint8_t mode_and_work(const struct recording *recording,
			     const struct recorded_sample *sample)
{
	enum shared_work work = WORK_NONE;
	enum sample_mode mode = mode_of(sample->cpumode);

	if (mode == SAMPLE_KERNEL && sample->callchain && recording->interrupts)
		mode = mode_in_kernel(recording, sample, &work);
	return (uint8_t)((uint32_t)work << 3 | mode);
}

/* Is the sample one of many that read_alike() can take? */
static void set_alike(struct recording *recording, const struct perf_data_event *event,
		      const uint8_t *record, size_t size)
{
	const struct event_table *events = recording->events;
	const struct event_layout *layout = &event->layout;
	bool has_callchain = event->attr.sample_type & PERF_SAMPLE_CALLCHAIN;
	size_t least = layout->variable + (has_callchain ? 8U : 0);

	recording->alike.event = NULL;
	/* Another event may have its id behind what this one has at least. */
	if (!layout->complete || (events->by_id && events->id_at + 8U > least) ||
	    (has_callchain && (recording->keeps_stacks || recording->interrupts ||
			       (event->attr.sample_type & PERF_SAMPLE_READ))))
		return;
	recording->alike = (struct alike_samples){
		.event = event,
		.id = events->by_id ? get64(record + events->id_at) : 0,
		.size = least,
		.fixed = !has_callchain && size == least,
		.has_callchain = has_callchain,
	};
}

/*
 * Queues samples from the run as read_sample() would, as long as they are like the last one
 * that it read. Returns how many.
 */
static size_t read_alike(struct recording *recording, struct record_run *run)
{
	const struct alike_samples *alike = &recording->alike;
	const struct event_layout layout = alike->event->layout;
	const bool by_id = recording->events->by_id, has_callchain = alike->has_callchain;
	const size_t id_at = recording->events->id_at, least = alike->size;
	const uint64_t id = alike->id;
	const uint8_t *record = run->at, *last = run->last;
	size_t room, size = least;
	struct queued *first = sample_queue_places(&recording->queue, &room);
	uint64_t newest = recording->queue.last;

	if (!room)
		return 0;
	struct queued *place = first, *end = first + room;
	for (; place < end && (size_t)(run->end - record) >= least; place++) {
		uint64_t header = get64(record);
		if ((uint32_t)header != PERF_RECORD_SAMPLE)
			break;
		/* The processor goes on with the next record before this one's size is read. */
		if (!alike->fixed)
			size = header >> 48;
		else if (header >> 48 != least)
			break;
		if (size < least || size > (size_t)(run->end - record) ||
		    (has_callchain && get64(record + layout.variable) > (size - least) / 8))
			break;
		uint64_t time = get64(record + layout.time), ip = get64(record + layout.ip);
		uint32_t cpu = get32(record + layout.cpu), pid = get32(record + layout.tid);
		if (time < newest || time == SAMPLE_NO_TIME || cpu > UINT16_MAX ||
		    (by_id && get64(record + id_at) != id))
			break;
		if (cpu != recording->queue.cpu &&
		    !sample_queue_turn(&recording->queue, cpu, newest, time))
			break;
		enum sample_mode mode = mode_of((uint16_t)(header >> 32));
		*place = (struct queued){
			.time = time,
			.value = ip,
			.pid = pid,
			.tid = get32(record + layout.tid + 4),
			.weight = get64(record + layout.period),
			.memo = sample_memo_number(ip, pid, mode),
			.cpu = (uint16_t)cpu,
			.kind = QUEUED_SAMPLE,
			.mode = (uint8_t)mode,
		};
		newest = time;
		last = record;
		record += size;
	}
	run->at = record;
	run->last = last;
	sample_queue_placed(&recording->queue, (size_t)(place - first), newest);
	return (size_t)(place - first);
}

static int read_sample(struct recording *recording, const uint8_t *record, size_t size,
		       struct error *error)
{
	struct event_table *events = recording->events;
	const struct perf_data_event *event = event_table_of_sample(events, record, size);
	struct recorded_sample sample;

	/* In a pipe events may still come after the first sample. */
	if (recording->selected_count != events->count) {
		int code = select_events(recording, error);
		if (code)
			return code;
	}
	if (!event || !recording->selected[event->number]) {
		recording->other_samples++;
		return 0;
	}
	if (!sample_decode(event, record, size, &sample))
		return perf_data_fail(recording->data, -EBADMSG, error,
				      "a sample of %zu bytes is too short for its event", size);
	if (sample.cpu == SAMPLE_NO_CPU)
		sample.cpu = 0;
	if (sample.cpu > UINT16_MAX)
		return perf_data_fail(recording->data, -EBADMSG, error, "a sample of CPU %u",
				      sample.cpu);
	set_alike(recording, event, record, size);
	bool stack = recording->keeps_stacks && sample.callchain_length;
	uint8_t both = mode_and_work(recording, &sample);
	struct queued queued = {
		.time = sample.time == SAMPLE_NO_TIME ? 0 : sample.time,
		.value = sample.ip,
		.weight = sample.period,
		.pid = sample.pid,
		.tid = sample.tid,
		.memo = sample_memo_number(sample.ip, sample.pid, both),
		.cpu = (uint16_t)sample.cpu,
		.kind = stack ? QUEUED_STACK : QUEUED_SAMPLE,
		.mode = both,
	};
	return sample_queue_add(&recording->queue, &queued, sample.callchain,
				stack ? (size_t)sample.callchain_length * 8 : 0)
		       ? no_memory(error)
		       : 0;
}

/* A lost record: id, count. LOST_SAMPLES: count. */
static int read_lost(struct recording *recording, const uint8_t *record, size_t size,
		     const struct perf_data_event *event)
{
	size_t at = get32(record) == PERF_RECORD_LOST ? 16 : 8;
	uint32_t cpu = record_cpu(event, record, size);
	uint64_t time = record_time(event, record, size);
	struct queued queued = {
		.time = time == SAMPLE_NO_TIME ? 0 : time,
		.kind = QUEUED_LOST,
		.value = size >= at + 8 ? get64(record + at) : 0,
		.cpu = (uint16_t)cpu,
	};

	if (cpu > UINT16_MAX)
		return profile_add_lost(recording->profile, time, SAMPLE_NO_CPU, queued.value);
	return sample_queue_add(&recording->queue, &queued, NULL, 0);
}

/* A part of what `kvmperf record` knows. */
static int read_text(struct recording *recording, const uint8_t *record, size_t size,
		     struct error *error)
{
	struct recording_text *text = &recording->text;
	int code = recording_text_take(text, record, size);

	if (code == -ENOMEM)
		return error_set(error, code, "no memory for kvmperf's records");
	if (code < 0)
		return perf_data_fail(recording->data, code, error,
				      "kvmperf's record is malformed");
	if (code == 0 || !recording->take_text)
		return 0;
	return recording->take_text(recording->take_text_context, text->text, text->length,
				    error);
}

static int read_record(struct recording *recording, const uint8_t *record, struct error *error)
{
	size_t size = get16(record + offsetof(struct perf_data_record, size));
	uint32_t type = get32(record);
	const struct perf_data_event *event;
	uint64_t time;
	int code = 0;

	switch (type) {
	case PERF_RECORD_SAMPLE: return read_sample(recording, record, size, error);
	case PERF_RECORD_EVENT_UPDATE: return read_text(recording, record, size, error);
	case PERF_RECORD_FINISHED_ROUND:
		code = sample_queue_end_round(&recording->queue);
		break;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		event = event_table_of_other(recording->events, record, size);
		code = read_lost(recording, record, size, event);
		break;
	case PERF_RECORD_COMM:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
	case PERF_RECORD_KSYMBOL:
		event = event_table_of_other(recording->events, record, size);
		time = record_time(event, record, size);
		/* What was there before has time 0: perf made it up from /proc. */
		if (time == 0 || time == SAMPLE_NO_TIME)
			code = change_apply(recording, record, size, 0);
		else
			code = sample_queue_add(
				&recording->queue,
				&(struct queued){.time = time, .kind = QUEUED_CHANGE}, record,
				size);
		break;
	default: break;
	}
	return code ? no_memory(error) : 0;
}

/* Reads on in the run of records that perf_data_next() found; counts them. */
static int read_run(struct recording *recording, uint64_t *count, struct error *error)
{
	struct record_run *run = perf_data_run(recording->data);
	const uint8_t *record;
	int code = 0;

	while (!code) {
		if (recording->alike.event)
			*count += read_alike(recording, run);
		record = record_run_next(run);
		if (!record)
			break;
		code = read_record(recording, record, error);
		++*count;
	}
	return code;
}

int recording_read(struct recording *recording, struct error *error)
{
	const uint8_t *record;
	uint64_t count = 0, shown = 0;
	int code;

	while ((code = perf_data_next(recording->data, &record, error)) == 1) {
		/* There may be more events now, at other places. */
		recording->alike.event = NULL;
		code = read_record(recording, record, error);
		if (!code)
			code = read_run(recording, &count, error);
		if (code)
			return code;
		if (recording->progress && count - shown >= PROGRESS_RECORDS) {
			recording->progress(perf_data_progress(recording->data));
			shown = count;
		}
	}
	if (!code && sample_queue_finish(&recording->queue))
		code = no_memory(error);
	/* Without a sample the events have not been looked at. */
	if (!code && recording->selected_count == 0)
		code = select_events(recording, error);
	return code;
}

void recording_build_id(void *context, const char *path, struct build_id *id)
{
	const struct recording *recording = context;
	const struct perf_data_features *features = perf_data_features(recording->data);

	id->size = 0;
	for (size_t i = 0; i < features->build_id_count; i++) {
		const struct recorded_build_id *known = &features->build_ids[i];
		if (strcmp(known->filename, path) == 0) {
			memcpy(id->bytes, known->id, sizeof(id->bytes));
			id->size = known->size;
		}
	}
	uint32_t file = names_find(&recording->profile->names, path, strlen(path));
	if (file < recording->file_id_room && recording->file_ids[file].size) {
		memcpy(id->bytes, recording->file_ids[file].id, sizeof(id->bytes));
		id->size = recording->file_ids[file].size;
	}
}

void recording_close(struct recording *recording)
{
	perf_data_close(recording->data);
	sample_queue_clear(&recording->queue);
	free(recording->selected);
	free(recording->chain);
	free(recording->file_ids);
	free(recording->deferred);
	recording_text_clear(&recording->text);
	recording->data = NULL;
}
