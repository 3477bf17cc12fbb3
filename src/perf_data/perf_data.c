/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/perf_data.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "perf_data/byte_source.h"
#include "perf_data/bytes.h"
#include "perf_data/decompressor.h"
#include "perf_data/internal.h"

#define MAGIC_VERSION_1 0x454c494646524550ULL /* "PERFFILE": perf before 3.0 */
#define MAGIC_SWAPPED	0x50455246494c4532ULL

static int fail_at(const struct perf_data *data, uint64_t offset, int code, struct error *error,
		   const char *format, va_list arguments)
{
	char text[256];

	vsnprintf(text, sizeof(text), format, arguments);
	return error_set(error, code, "%s: byte %" PRIu64 ": %s", data->source.name, offset,
			 text);
}

int perf_data_fail(const struct perf_data *data, int code, struct error *error,
		   const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	code = fail_at(data, perf_data_offset(data), code, error, format, arguments);
	va_end(arguments);
	return code;
}

int perf_data_malformed(const struct perf_data *data, uint64_t offset, struct error *error,
			const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int code = fail_at(data, offset, -EBADMSG, error, format, arguments);
	va_end(arguments);
	return code;
}

void perf_data_warn(struct perf_data *data, const char *format, ...)
{
	va_list arguments;

	if (data->warning[0])
		return;
	va_start(arguments, format);
	vsnprintf(data->warning, sizeof(data->warning), format, arguments);
	va_end(arguments);
}

/* The source ends here, though the recording does not. */
static int cut_off(struct perf_data *data)
{
	perf_data_warn(data, "%s is cut off at byte %" PRIu64, data->source.name,
		       data->source.offset + data->source.available);
	data->ended = true;
	return 0;
}

static void empty_run(struct perf_data *data)
{
	data->run_start = data->source.at;
	data->run = (struct record_run){data->source.at, data->source.at, data->source.at};
}

int perf_data_open(struct perf_data **out, const char *path, struct error *error)
{
	struct perf_data *data = calloc(1, sizeof(*data));

	if (!data)
		return error_set(error, -ENOMEM, "no memory to read %s", path);
	int code = byte_source_open(&data->source, path, error);
	if (!code)
		code = byte_source_need(&data->source, PERF_DATA_HEADER_SIZE, error);
	if (!code && data->source.available < PERF_DATA_PIPE_HEADER_SIZE)
		code = perf_data_malformed(data, data->source.available, error,
					   "too short for a recording of perf");
	if (!code) {
		uint64_t magic = get64(data->source.at), size = get64(data->source.at + 8);
		if (magic == MAGIC_SWAPPED)
			code = perf_data_malformed(data, 0, error,
						   "a recording of a big-endian machine; only "
						   "little-endian ones can be read");
		else if (magic == MAGIC_VERSION_1)
			code = perf_data_malformed(data, 0, error,
						   "a recording of perf before 3.0; it can't "
						   "be read");
		else if (magic != PERF_DATA_MAGIC)
			code = perf_data_malformed(data, 0, error, "no recording of perf");
		else if (size == PERF_DATA_PIPE_HEADER_SIZE)
			data->pipe = true;
		else
			code = perf_data_read_file_header(data, error);
	}
	if (!code && data->pipe) {
		data->end = UINT64_MAX;
		byte_source_advance(&data->source, PERF_DATA_PIPE_HEADER_SIZE);
	}
	if (code) {
		perf_data_close(data);
		return code;
	}
	empty_run(data);
	*out = data;
	return 0;
}

/* PERF_RECORD_HEADER_ATTR: the attribute, then the ids of its events. */
static int take_attribute(struct perf_data *data, const uint8_t *record, size_t size,
			  struct error *error)
{
	const size_t at = sizeof(struct perf_data_record);
	const size_t size_field = offsetof(struct perf_event_attr, size);

	if (size < at + PERF_ATTR_SIZE_VER0)
		return perf_data_fail(data, -EBADMSG, error, "the attribute is cut");
	uint32_t attr_size = get32(record + at + size_field);
	if (attr_size == 0)
		attr_size = PERF_ATTR_SIZE_VER0;
	if (attr_size > size - at)
		return perf_data_fail(data, -EBADMSG, error, "the attribute's size is %" PRIu32,
				      attr_size);
	int event = event_table_add(&data->events, record + at, attr_size);
	if (event == -ENOMEM)
		return error_set(error, event, "no memory for the events");
	if (event < 0)
		return perf_data_fail(data, -EBADMSG, error, "not an attribute of an event");
	for (size_t id = at + attr_size; id + 8 <= size; id += 8)
		if (event_table_add_id(&data->events, (uint32_t)event, get64(record + id)))
			return perf_data_fail(data, -ENOMEM, error, "too many events");
	return 0;
}

/*
 * PERF_RECORD_EVENT_UPDATE: uint64_t type, uint64_t id, then a name, or a part of kvmperf's
 * text. 1: the record is for the caller.
 */
static int take_update(struct perf_data *data, const uint8_t *record, size_t size)
{
	const size_t at = sizeof(struct perf_data_record);

	if (size <= at + 16)
		return 0;
	switch (get64(record + at)) {
	case PERF_DATA_UPDATE_NAME: {
		struct perf_data_event *event =
			event_table_find(&data->events, get64(record + at + 8));
		if (event) {
			snprintf(event->name, sizeof(event->name), "%.*s",
				 (int)(size - at - 16), (const char *)record + at + 16);
			printable(event->name);
		}
		return 0;
	}
	case PERF_DATA_UPDATE_KVMPERF:
		data->has_parts = true;
		/* The section has all of them. */
		return !data->features.kvmperf;
	default: return 0;
	}
}

static int take_feature(struct perf_data *data, const uint8_t *record, size_t size,
			struct error *error)
{
	const size_t at = sizeof(struct perf_data_record);

	if (size < at + 8)
		return perf_data_fail(data, -EBADMSG, error, "the feature is cut");
	uint64_t feature = get64(record + at);
	int code = feature < PERF_DATA_FEATURE_BITS
			   ? features_take(&data->features, &data->events,
					   (enum perf_data_feature)feature, record + at + 8,
					   size - at - 8)
			   : 0;
	if (code == -ENOMEM)
		return error_set(error, code, "no memory for the features");
	if (code)
		perf_data_warn(data, "%s: byte %" PRIu64 ": feature %" PRIu64 " is malformed",
			       data->source.name, data->offset, feature);
	return 0;
}

/* A payload that stands behind its record. */
static int skip_payload(struct perf_data *data, uint64_t size, struct error *error)
{
	bool ended;

	if (size > data->end - data->source.offset && !data->unfinished)
		return perf_data_fail(data, -EBADMSG, error,
				      "a payload of %" PRIu64 " bytes goes beyond the data",
				      size);
	int code = byte_source_skip(&data->source, size, &ended, error);
	if (!code && ended)
		code = cut_off(data);
	return code;
}

static int feed(struct perf_data *data, const uint8_t *record, size_t size, bool sized,
		struct error *error)
{
	const size_t at = sizeof(struct perf_data_record) + (sized ? 8 : 0);
	size_t payload = size < at ? 0 : size - at;

	if (size < at)
		return perf_data_fail(data, -EBADMSG, error, "the compressed record is cut");
	if (sized) {
		uint64_t told = get64(record + sizeof(struct perf_data_record));
		if (told > payload)
			return perf_data_fail(data, -EBADMSG, error,
					      "the compressed record is cut");
		payload = (size_t)told;
	}
	if (!data->decompressor)
		data->decompressor = decompressor_new();
	if (!data->decompressor)
		return error_set(error, -ENOMEM, "no memory to decompress");
	decompressor_feed(data->decompressor, record + at, payload);
	data->decompressing = true;
	return 0;
}

/* Takes in what describes the recording. 1: the record is for the caller. */
static int take_in(struct perf_data *data, const uint8_t *record, size_t size,
		   struct error *error)
{
	uint32_t type = get32(record);
	int code = 0;

	switch (type) {
	case PERF_RECORD_HEADER_ATTR:
		code = data->pipe ? take_attribute(data, record, size, error) : 0;
		break;
	case PERF_RECORD_EVENT_UPDATE: return take_update(data, record, size);
	case PERF_RECORD_HEADER_FEATURE: code = take_feature(data, record, size, error); break;
	case PERF_RECORD_HEADER_BUILD_ID:
		code = features_take_build_id(&data->features, record, size);
		if (code)
			perf_data_fail(data, code, error, "the build id is cut");
		break;
	case PERF_RECORD_HEADER_TRACING_DATA:
		if (size < sizeof(struct perf_data_payload))
			return perf_data_fail(data, -EBADMSG, error, "the record is cut");
		code = skip_payload(
			data, get32(record + offsetof(struct perf_data_payload, size)), error);
		break;
	case PERF_RECORD_AUXTRACE:
		if (size < sizeof(struct perf_data_auxtrace))
			return perf_data_fail(data, -EBADMSG, error, "the record is cut");
		code = skip_payload(
			data, get64(record + offsetof(struct perf_data_auxtrace, size)), error);
		break;
	case PERF_RECORD_COMPRESSED:
	case PERF_RECORD_COMPRESSED2:
		code = feed(data, record, size, type == PERF_RECORD_COMPRESSED2, error);
		break;
	default: return 1;
	}
	return code;
}

/* Hands out the record at the beginning of so many bytes; those behind it are its run. */
static int begin_run(struct perf_data *data, const uint8_t *bytes, size_t size)
{
	data->run_start = bytes;
	data->run.last = bytes;
	data->run.at = bytes + get16(bytes + offsetof(struct perf_data_record, size));
	data->run.end = bytes + size;
	return 1;
}

/* Goes to behind what was handed out of the run. */
static void end_run(struct perf_data *data)
{
	size_t size = (size_t)(data->run.at - data->run_start);

	if (data->decompressing)
		decompressor_advance(data->decompressor, size);
	else
		byte_source_advance(&data->source, size);
	empty_run(data);
}

/* A whole record that stands in the file itself: 1, at the source's place; 0 at the end. */
static int find_record(struct perf_data *data, size_t *size, struct error *error)
{
	struct byte_source *source = &data->source;
	uint64_t left = data->end - source->offset;

	data->offset = source->offset;
	if (left == 0)
		return 0;
	int code = byte_source_need(source, sizeof(struct perf_data_record), error);
	if (code)
		return code;
	if (source->available == 0 && (data->pipe || data->unfinished))
		return 0;
	if (source->available < sizeof(struct perf_data_record))
		return cut_off(data);
	*size = get16(source->at + offsetof(struct perf_data_record, size));
	if (*size < sizeof(struct perf_data_record) && data->unfinished &&
	    get64(source->at) == 0)
		return cut_off(data);
	if (*size < sizeof(struct perf_data_record))
		return perf_data_fail(data, -EBADMSG, error,
				      "a record of %zu bytes, less than its header", *size);
	if (*size > left)
		return perf_data_fail(data, -EBADMSG, error,
				      "a record of %zu bytes goes beyond the data", *size);
	code = byte_source_need(source, *size, error);
	if (code)
		return code;
	return source->available < *size ? cut_off(data) : 1;
}

/* The next record of the file itself, unless it was taken in: 1; 0: it was, or the end. */
static int next_outer(struct perf_data *data, const uint8_t **record, struct error *error)
{
	struct byte_source *source = &data->source;
	size_t size = 0;
	int code = find_record(data, &size, error);

	if (code == 0)
		data->ended = true;
	if (code <= 0)
		return code;
	empty_run(data);
	*record = source->at;
	if (get32(*record) < PERF_RECORD_HEADER_ATTR) {
		uint64_t left = data->end - source->offset;
		return begin_run(data, source->at,
				 left < source->available ? (size_t)left : source->available);
	}
	byte_source_advance(source, size);
	empty_run(data);
	return take_in(data, *record, size, error);
}

/* The next record of a compressed one: 1; 0: it has no more. */
static int next_inner(struct perf_data *data, const uint8_t **record, struct error *error)
{
	size_t size;
	int code = decompressor_next(data->decompressor, record, &size);

	if (code == 0)
		data->decompressing = false;
	if (code < 0)
		return perf_data_fail(data, code, error, "the compressed record is broken");
	/* What the kernel makes; nothing inside describes the recording. */
	return code ? begin_run(data, *record, size) : 0;
}

int perf_data_next(struct perf_data *data, const uint8_t **record, struct error *error)
{
	int code = 0;

	*record = record_run_next(&data->run);
	if (*record)
		return 1;
	end_run(data);
	while (!code && !data->ended)
		code = data->decompressing ? next_inner(data, record, error)
					   : next_outer(data, record, error);
	if (code)
		return code;
	if (data->decompressor && decompressor_holds_part(data->decompressor))
		perf_data_warn(data, "%s: the last compressed record is cut off",
			       data->source.name);
	/* kvmperf keeps the header true while it records; the section comes at the end. */
	if (data->has_parts && !data->pipe && !data->features.kvmperf)
		perf_data_warn(data, "%s was not finished (kvmperf record was killed?)",
			       data->source.name);
	return 0;
}

struct record_run *perf_data_run(struct perf_data *data)
{
	return &data->run;
}

uint64_t perf_data_offset(const struct perf_data *data)
{
	return data->offset +
	       (data->decompressing ? 0 : (uint64_t)(data->run.last - data->run_start));
}

struct event_table *perf_data_events(struct perf_data *data)
{
	return &data->events;
}

const struct perf_data_features *perf_data_features(const struct perf_data *data)
{
	return &data->features;
}

const char *perf_data_warning(const struct perf_data *data)
{
	return data->warning[0] ? data->warning : NULL;
}

double perf_data_progress(const struct perf_data *data)
{
	if (!data->source.regular || !data->source.file_size)
		return -1;
	return (double)perf_data_offset(data) / (double)data->source.file_size;
}

void perf_data_close(struct perf_data *data)
{
	if (!data)
		return;
	byte_source_close(&data->source);
	decompressor_free(data->decompressor);
	event_table_clear(&data->events);
	features_clear(&data->features);
	free(data);
}
