/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/features.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/printable.h"
#include "perf_data/bytes.h"

/* More than any host has programs and libraries. */
#define BUILD_IDS_MAX 100000

/* Bytes that are used up from the front. */
struct reader {
	const uint8_t *at;
	size_t left;
};

static const uint8_t *take(struct reader *reader, size_t size)
{
	const uint8_t *at = reader->at;

	if (reader->left < size)
		return NULL;
	reader->at += size;
	reader->left -= size;
	return at;
}

static bool take32(struct reader *reader, uint32_t *value)
{
	const uint8_t *at = take(reader, sizeof(*value));

	if (at)
		*value = get32(at);
	return at != NULL;
}

static bool take64(struct reader *reader, uint64_t *value)
{
	const uint8_t *at = take(reader, sizeof(*value));

	if (at)
		*value = get64(at);
	return at != NULL;
}

/* A string with its length in front; cut to what fits. */
static bool take_string(struct reader *reader, char *to, size_t room)
{
	uint32_t length;
	const uint8_t *at = take32(reader, &length) ? take(reader, length) : NULL;

	if (!at)
		return false;
	size_t used = strnlen((const char *)at, length);
	if (used >= room)
		used = room - 1;
	memcpy(to, at, used);
	to[used] = '\0';
	printable(to);
	return true;
}

/* uint32_t events, uint32_t attr_size; for each: attr, uint32_t ids, name, uint64_t ids[] */
static bool take_event_names(struct reader *reader, struct event_table *events)
{
	uint32_t count, attr_size, ids;

	if (!take32(reader, &count) || !take32(reader, &attr_size))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		char name[sizeof(events->events->name)];
		if (!take(reader, attr_size) || !take32(reader, &ids) ||
		    !take_string(reader, name, sizeof(name)) || ids > reader->left / 8)
			return false;
		struct perf_data_event *event = i < events->count ? &events->events[i] : NULL;
		if (ids) {
			struct perf_data_event *found =
				event_table_find(events, get64(reader->at));
			event = found ? found : event;
		}
		if (event)
			memcpy(event->name, name, sizeof(name));
		take(reader, (size_t)ids * 8);
	}
	return true;
}

static bool take_clock(struct reader *reader, struct perf_data_features *features)
{
	uint32_t version, clock;

	return take32(reader, &version) && take32(reader, &clock) &&
	       take64(reader, &features->wall_ns) && take64(reader, &features->clock_ns);
}

static int take_kvmperf(struct reader *reader, struct perf_data_features *features)
{
	char *text = malloc(reader->left + 1);

	if (!text)
		return -ENOMEM;
	memcpy(text, reader->at, reader->left);
	text[reader->left] = '\0';
	free(features->kvmperf);
	features->kvmperf = text;
	features->kvmperf_length = reader->left;
	return 0;
}

int features_take_build_id(struct perf_data_features *features, const uint8_t *record,
			   size_t size)
{
	const size_t fixed = offsetof(struct perf_data_build_id, filename);

	if (size <= fixed)
		return -EBADMSG;
	if (features->build_id_count >= BUILD_IDS_MAX)
		return 0;
	if (array_reserve(&features->build_ids, &features->build_id_room,
			  features->build_id_count + 1, sizeof(*features->build_ids)))
		return -ENOMEM;
	struct recorded_build_id *to = &features->build_ids[features->build_id_count];
	bool sized = get16(record + offsetof(struct perf_data_record, misc)) &
		     PERF_DATA_MISC_BUILD_ID_SIZE;
	uint8_t id_size = record[offsetof(struct perf_data_build_id, build_id_size)];

	to->filename = strndup((const char *)record + fixed, size - fixed);
	if (!to->filename)
		return -ENOMEM;
	memcpy(to->id, record + offsetof(struct perf_data_build_id, build_id), sizeof(to->id));
	to->size = sized && id_size <= sizeof(to->id) ? id_size : sizeof(to->id);
	features->build_id_count++;
	return 0;
}

static int take_build_ids(struct reader *reader, struct perf_data_features *features)
{
	int code = 0;

	while (!code && reader->left >= sizeof(struct perf_data_record)) {
		uint16_t size = get16(reader->at + offsetof(struct perf_data_record, size));
		const uint8_t *record = take(reader, size);
		if (!record || size < sizeof(struct perf_data_record))
			return -EBADMSG;
		code = features_take_build_id(features, record, size);
	}
	return code;
}

bool features_wants(enum perf_data_feature feature)
{
	switch (feature) {
	case PERF_FEATURE_BUILD_ID:
	case PERF_FEATURE_HOSTNAME:
	case PERF_FEATURE_OSRELEASE:
	case PERF_FEATURE_VERSION:
	case PERF_FEATURE_ARCH:
	case PERF_FEATURE_NRCPUS:
	case PERF_FEATURE_EVENT_DESC:
	case PERF_FEATURE_SAMPLE_TIME:
	case PERF_FEATURE_CLOCK_DATA:
	case PERF_FEATURE_KVMPERF: return true;
	default: return false;
	}
}

int features_take(struct perf_data_features *features, struct event_table *events,
		  enum perf_data_feature feature, const uint8_t *bytes, size_t size)
{
	struct reader reader = {bytes, size};
	uint32_t configured;
	bool good = true;

	switch (feature) {
	case PERF_FEATURE_BUILD_ID: return take_build_ids(&reader, features);
	case PERF_FEATURE_KVMPERF: return take_kvmperf(&reader, features);
	case PERF_FEATURE_HOSTNAME:
		good = take_string(&reader, features->hostname, sizeof(features->hostname));
		break;
	case PERF_FEATURE_OSRELEASE:
		good = take_string(&reader, features->release, sizeof(features->release));
		break;
	case PERF_FEATURE_VERSION:
		good = take_string(&reader, features->version, sizeof(features->version));
		break;
	case PERF_FEATURE_ARCH:
		good = take_string(&reader, features->arch, sizeof(features->arch));
		break;
	case PERF_FEATURE_NRCPUS:
		good = take32(&reader, &configured) && take32(&reader, &features->cpus_online);
		break;
	case PERF_FEATURE_EVENT_DESC: good = take_event_names(&reader, events); break;
	case PERF_FEATURE_SAMPLE_TIME:
		good = take64(&reader, &features->first_ns) &&
		       take64(&reader, &features->last_ns);
		break;
	case PERF_FEATURE_CLOCK_DATA: good = take_clock(&reader, features); break;
	default: break;
	}
	return good ? 0 : -EBADMSG;
}

void features_clear(struct perf_data_features *features)
{
	for (size_t i = 0; i < features->build_id_count; i++)
		free(features->build_ids[i].filename);
	free(features->build_ids);
	free(features->kvmperf);
	*features = (struct perf_data_features){0};
}
