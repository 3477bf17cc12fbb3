/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "perf_data/bytes.h"
#include "perf_data/internal.h"

/* The largest feature section that is read: kvmperf's own of a day-long recording fits. */
#define FEATURE_MAX ((uint64_t)256 << 20)
#define IDS_MAX	    ((uint64_t)1 << 20)

/* Reads size bytes at offset, all or none: 1, or 0 when the file is too short. */
static int read_exactly(const struct perf_data *data, uint64_t offset, void *to, size_t size,
			struct error *error)
{
	size_t got;
	int code = byte_source_read_at(&data->source, offset, to, size, &got, error);

	return code ? code : got == size;
}

static int cut(const struct perf_data *data, struct error *error)
{
	return perf_data_malformed(data, data->source.file_size, error,
				   "cut off before the first record");
}

static int read_ids(struct perf_data *data, uint32_t event,
		    const struct perf_data_section *section, struct error *error)
{
	uint64_t count = section->size / 8;

	if (count > IDS_MAX)
		return perf_data_malformed(data, section->offset, error,
					   "%" PRIu64 " ids of one event", count);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t id;
		int code = read_exactly(data, section->offset + i * 8, &id, sizeof(id), error);
		if (code <= 0)
			return code ? code : cut(data, error);
		if (event_table_add_id(&data->events, event, id))
			return perf_data_malformed(data, section->offset, error,
						   "too many events");
	}
	return 0;
}

static int read_attributes(struct perf_data *data, const struct perf_data_header *header,
			   struct error *error)
{
	uint8_t entry[1024];
	uint64_t size = header->attr_size;

	if (size < PERF_ATTR_SIZE_VER0 + sizeof(struct perf_data_section) ||
	    size > sizeof(entry))
		return perf_data_malformed(data, offsetof(struct perf_data_header, attr_size),
					   error, "an attribute of %" PRIu64 " bytes", size);
	if (header->attrs.size % size)
		return perf_data_malformed(data, offsetof(struct perf_data_header, attrs),
					   error,
					   "%" PRIu64 " bytes are no attributes of %" PRIu64,
					   header->attrs.size, size);
	for (uint64_t at = 0; at < header->attrs.size; at += size) {
		struct perf_data_section ids;
		uint64_t offset = header->attrs.offset + at;
		size_t attr_size = (size_t)size - sizeof(ids);
		int code = read_exactly(data, offset, entry, (size_t)size, error);
		if (code <= 0)
			return code ? code : cut(data, error);
		int event = event_table_add(&data->events, entry, attr_size);
		if (event == -ENOMEM)
			return error_set(error, event, "no memory for the events");
		if (event < 0)
			return perf_data_malformed(data, offset, error,
						   "too many events, or none");
		ids.offset = get64(entry + attr_size);
		ids.size = get64(entry + attr_size + 8);
		code = read_ids(data, (uint32_t)event, &ids, error);
		if (code)
			return code;
	}
	return data->events.count
		       ? 0
		       : perf_data_malformed(data, offsetof(struct perf_data_header, attrs),
					     error, "the recording has no event");
}

static int read_feature(struct perf_data *data, unsigned feature,
			const struct perf_data_section *section, struct error *error)
{
	if (section->size > FEATURE_MAX || section->size > data->source.file_size) {
		perf_data_warn(data, "%s: byte %" PRIu64 ": feature %u can't be read",
			       data->source.name, section->offset, feature);
		return 0;
	}
	uint8_t *bytes = malloc((size_t)section->size + 1);
	if (!bytes)
		return error_set(error, -ENOMEM, "no memory for feature %u of %s", feature,
				 data->source.name);
	int code = read_exactly(data, section->offset, bytes, (size_t)section->size, error);
	if (code == 1)
		code = features_take(&data->features, &data->events,
				     (enum perf_data_feature)feature, bytes,
				     (size_t)section->size);
	else if (code == 0)
		code = -EBADMSG;
	free(bytes);
	if (code != -EBADMSG)
		return code;
	perf_data_warn(data, "%s: byte %" PRIu64 ": feature %u is malformed or cut off",
		       data->source.name, section->offset, feature);
	return 0;
}

static int read_features(struct perf_data *data, const struct perf_data_header *header,
			 struct error *error)
{
	uint64_t at = header->data.offset + header->data.size;

	for (unsigned feature = 0; feature < PERF_DATA_FEATURE_BITS; feature++) {
		struct perf_data_section section;
		if (!(header->features[feature / 64] & (1ULL << (feature % 64))))
			continue;
		int code = read_exactly(data, at, &section, sizeof(section), error);
		if (code < 0)
			return code;
		if (code == 0) {
			perf_data_warn(data, "%s is cut off behind its data, at byte %" PRIu64,
				       data->source.name, data->source.file_size);
			return 0;
		}
		at += sizeof(section);
		if (section.offset > data->source.file_size ||
		    section.size > data->source.file_size - section.offset)
			perf_data_warn(data, "%s is cut off behind its data, at byte %" PRIu64,
				       data->source.name, data->source.file_size);
		code = features_wants((enum perf_data_feature)feature)
			       ? read_feature(data, feature, &section, error)
			       : 0;
		if (code)
			return code;
	}
	return 0;
}

int perf_data_read_file_header(struct perf_data *data, struct error *error)
{
	struct perf_data_header header;

	if (!data->source.regular)
		return perf_data_malformed(data, 8, error,
					   "not written to a pipe (perf record -o -), so it "
					   "can't be read from one; name the file");
	if (data->source.available < sizeof(header))
		return cut(data, error);
	memcpy(&header, data->source.at, sizeof(header));
	if (header.size != sizeof(header))
		return perf_data_malformed(data, offsetof(struct perf_data_header, size), error,
					   "a header of %" PRIu64 " bytes, not %zu",
					   header.size, sizeof(header));
	int code = read_attributes(data, &header, error);
	if (code)
		return code;
	if (header.data.offset > data->source.file_size)
		return cut(data, error);
	if (header.data.size > UINT64_MAX - header.data.offset)
		return perf_data_malformed(data, offsetof(struct perf_data_header, data), error,
					   "the data's size is %" PRIu64, header.data.size);
	data->unfinished = header.data.size == 0;
	data->end = data->unfinished ? UINT64_MAX : header.data.offset + header.data.size;
	if (!data->unfinished && data->end <= data->source.file_size) {
		code = read_features(data, &header, error);
		if (code)
			return code;
	} else if (data->unfinished) {
		perf_data_warn(data, "%s was not finished (perf was killed?)",
			       data->source.name);
	}
	byte_source_seek(&data->source, header.data.offset);
	return 0;
}
