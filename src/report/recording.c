/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collect/interrupt_context.h"
#include "perf_data/sample.h"
#include "report/changes.h"
#include "report/sample_queue.h"
#include "symbols/file_symbols.h"

/* The deepest callchain that is looked at; kernel.perf_event_max_stack can be made larger. */
#define CHAIN_MAX 1024

/* Records between two calls of progress. */
#define PROGRESS_RECORDS (1U << 18)

static int take(void *context, const struct queued *queued);

int recording_open(struct recording *recording, const char *path, struct error *error)
{
	recording->queue = sample_queue_new(take, recording);
	recording->chain = calloc(CHAIN_MAX, sizeof(*recording->chain));
	if (!recording->queue || !recording->chain)
		return error_set(error, -ENOMEM, "no memory to read %s", path);
	return perf_data_open(&recording->data, path, error);
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
	const struct event_table *events = perf_data_events(recording->data);
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

static enum sample_mode mode_of(uint16_t cpumode)
{
	switch (cpumode) {
	case PERF_RECORD_MISC_GUEST_USER: return SAMPLE_GUEST_USER;
	case PERF_RECORD_MISC_GUEST_KERNEL: return SAMPLE_GUEST_KERNEL;
	case PERF_RECORD_MISC_USER: return SAMPLE_USER;
	default: return SAMPLE_KERNEL;
	}
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

static int read_sample(struct recording *recording, const uint8_t *record, size_t size,
		       struct error *error)
{
	struct event_table *events = perf_data_events(recording->data);
	const struct perf_data_event *event = event_table_of_sample(events, record, size);
	struct recorded_sample sample;

	/* In a pipe events may still come after the first sample. */
	if (recording->selected_count != events->count) {
		int code = select_events(recording, error);
		if (code)
			return code;
	}
	if (!event || !recording->selected[event - events->events]) {
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
	struct queued queued = {
		.time = sample.time == SAMPLE_NO_TIME ? 0 : sample.time,
		.value = sample.ip,
		.weight = sample.period,
		.pid = sample.pid,
		.tid = sample.tid,
		.cpu = (uint16_t)sample.cpu,
		.kind = QUEUED_SAMPLE,
		.mode = (uint8_t)mode_of(sample.cpumode),
	};
	if (queued.mode == SAMPLE_KERNEL && sample.callchain && recording->interrupts) {
		enum shared_work work = WORK_NONE;
		enum sample_mode mode = mode_in_kernel(recording, &sample, &work);
		queued.mode = (uint8_t)(work << 3 | mode);
	}
	size_t kept = recording->keeps_stacks ? (size_t)sample.callchain_length * 8 : 0;
	return sample_queue_add(recording->queue, &queued, sample.callchain, kept)
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
	return sample_queue_add(recording->queue, &queued, NULL, 0);
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
	case PERF_RECORD_FINISHED_ROUND: code = sample_queue_end_round(recording->queue); break;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		event = event_table_of_other(perf_data_events(recording->data), record, size);
		code = read_lost(recording, record, size, event);
		break;
	case PERF_RECORD_COMM:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
	case PERF_RECORD_KSYMBOL:
		event = event_table_of_other(perf_data_events(recording->data), record, size);
		time = record_time(event, record, size);
		/* What was there before has time 0: perf made it up from /proc. */
		if (time == 0 || time == SAMPLE_NO_TIME)
			code = change_apply(recording, record, size, 0);
		else
			code = sample_queue_add(
				recording->queue,
				&(struct queued){.time = time, .kind = QUEUED_CHANGE}, record,
				size);
		break;
	default: break;
	}
	return code ? no_memory(error) : 0;
}

/* Takes what the queue hands on, in the order of time. */
static int take(void *context, const struct queued *queued)
{
	struct recording *recording = context;
	size_t size;
	const uint8_t *bytes = sample_queue_bytes(recording->queue, queued, &size);

	if (queued->kind == QUEUED_CHANGE)
		return change_apply(recording, bytes, size, queued->time);
	if (queued->kind == QUEUED_LOST)
		return profile_add_lost(recording->profile, queued->time, queued->cpu,
					queued->value);
	struct profile_sample sample = {
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
	if (size) {
		sample.callchain_length = size / 8 < CHAIN_MAX ? size / 8 : CHAIN_MAX;
		memcpy(recording->chain, bytes, sample.callchain_length * 8);
		sample.callchain = recording->chain;
	}
	return profile_add(recording->profile, &sample);
}

int recording_read(struct recording *recording, struct error *error)
{
	const uint8_t *record;
	unsigned count = 0;
	int code;

	while ((code = perf_data_next(recording->data, &record, error)) == 1) {
		code = read_record(recording, record, error);
		if (code)
			return code;
		if (++count % PROGRESS_RECORDS == 0 && recording->progress)
			recording->progress(perf_data_progress(recording->data));
	}
	if (!code && sample_queue_finish(recording->queue))
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
	for (size_t i = 0; i < recording->file_id_count; i++) {
		const struct recorded_file_id *known = &recording->file_ids[i];
		if (strcmp(recording->profile->names.texts[known->file], path) == 0) {
			memcpy(id->bytes, known->id, sizeof(id->bytes));
			id->size = known->size;
		}
	}
}

void recording_close(struct recording *recording)
{
	perf_data_close(recording->data);
	sample_queue_free(recording->queue);
	free(recording->selected);
	free(recording->chain);
	free(recording->file_ids);
	recording_text_clear(&recording->text);
	recording->data = NULL;
	recording->queue = NULL;
}
