/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Made records wait here; more than the longest of them (64 KiB). */
#define BUFFER_SIZE (128 * 1024)

struct perf_data_writer {
	struct perf_data_target target;
	struct perf_data_header header; /* as it is, or will be with the next flush, on disk */
	uint64_t end;	   /* of the whole records that were written, from the file's start */
	uint64_t event_id; /* any of the event */
	size_t trailer;	   /* of made records, bytes */
	size_t waiting;	   /* bytes in the buffer */
	bool failed;	   /* a write did not succeed: what is behind end is no record */
	char buffer[BUFFER_SIZE];
};

static int fail(struct perf_data_writer *writer, struct error *error)
{
	int code = errno ? -errno : -EIO;

	writer->failed = true;
	/* A file that can't be written is no missing privilege: error_exit_code(). */
	if (code == -EACCES || code == -EPERM || code == -EINVAL)
		code = -EIO;
	return error_set(error, code, "cannot write %s: %m", writer->target.name);
}

/* Writes all of the parts at the file's position; changes them. */
static int write_all(struct perf_data_writer *writer, struct iovec *parts, size_t count,
		     struct error *error)
{
	while (count > 0) {
		if (parts->iov_len == 0) {
			parts++;
			count--;
			continue;
		}
		errno = 0;
		ssize_t length = writev(writer->target.fd, parts, (int)count);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return fail(writer, error);
		for (size_t left = (size_t)length; left > 0;) {
			size_t step = left < parts->iov_len ? left : parts->iov_len;
			parts->iov_base = (char *)parts->iov_base + step;
			parts->iov_len -= step;
			left -= step;
			if (parts->iov_len == 0) {
				parts++;
				count--;
			}
		}
	}
	return 0;
}

static int write_header(struct perf_data_writer *writer, struct error *error)
{
	const char *bytes = (const char *)&writer->header;
	size_t done = 0;

	while (done < sizeof(writer->header)) {
		errno = 0;
		ssize_t length = pwrite(writer->target.fd, bytes + done,
					sizeof(writer->header) - done, (off_t)done);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return fail(writer, error);
		done += (size_t)length;
	}
	return 0;
}

/* The fields at the end of each record but samples: perf_event_open(2), sample_id. */
static size_t trailer_size(uint64_t sample_type)
{
	return 8 * (size_t)__builtin_popcountll(sample_type &
						(PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
						 PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
						 PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER));
}

static int begin_file(struct perf_data_writer *writer, const struct perf_event_attr *attr,
		      const uint64_t *ids, size_t id_count, struct error *error)
{
	struct perf_data_header *header = &writer->header;
	uint64_t ids_size = id_count * sizeof(*ids);

	*header = (struct perf_data_header){
		.magic = PERF_DATA_MAGIC,
		.size = sizeof(*header),
		.attr_size = sizeof(*attr) + sizeof(struct perf_data_section),
	};
	struct perf_data_section ids_section = {.offset = sizeof(*header), .size = ids_size};
	header->attrs.offset = sizeof(*header) + ids_size;
	header->attrs.size = header->attr_size;
	header->data.offset = header->attrs.offset + header->attrs.size;
	struct iovec parts[] = {
		{header, sizeof(*header)},
		{(void *)ids, ids_size},
		{(void *)attr, sizeof(*attr)},
		{&ids_section, sizeof(ids_section)},
	};
	writer->end = header->data.offset;
	return write_all(writer, parts, 4, error);
}

static int begin_pipe(struct perf_data_writer *writer, const struct perf_event_attr *attr,
		      const uint64_t *ids, size_t id_count, struct error *error)
{
	uint64_t start[] = {PERF_DATA_MAGIC, PERF_DATA_PIPE_HEADER_SIZE};
	struct perf_data_record record = {.type = PERF_RECORD_HEADER_ATTR};
	size_t size = sizeof(record) + sizeof(*attr) + id_count * sizeof(*ids);

	if (size > UINT16_MAX)
		return error_set(error, -E2BIG,
				 "too many CPUs for perf's pipe format: write to a file");
	record.size = (uint16_t)size;
	struct iovec parts[] = {
		{start, sizeof(start)},
		{&record, sizeof(record)},
		{(void *)attr, sizeof(*attr)},
		{(void *)ids, id_count * sizeof(*ids)},
	};
	writer->end = sizeof(start) + size;
	return write_all(writer, parts, 4, error);
}

/* A file has the name in PERF_FEATURE_EVENT_DESC. */
static int write_name(struct perf_data_writer *writer, const char *name, struct error *error)
{
	struct {
		uint64_t type, id; /* as in struct perf_data_event_update */
		char name[64];
	} body = {.type = PERF_DATA_UPDATE_NAME, .id = writer->event_id};

	snprintf(body.name, sizeof(body.name), "%s", name);
	return perf_data_write_record(writer, PERF_RECORD_EVENT_UPDATE, 0, &body, sizeof(body),
				      false, error);
}

int perf_data_writer_new(struct perf_data_writer **out, const struct perf_data_target *target,
			 const struct perf_event_attr *attr, const uint64_t *ids,
			 size_t id_count, const char *event_name, struct error *error)
{
	struct perf_data_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return error_set(error, -ENOMEM, "no memory to write %s", target->name);
	writer->target = *target;
	writer->event_id = id_count ? ids[0] : 0;
	writer->trailer = trailer_size(attr->sample_type);
	int code = target->pipe ? begin_pipe(writer, attr, ids, id_count, error)
				: begin_file(writer, attr, ids, id_count, error);
	if (!code && target->pipe)
		code = write_name(writer, event_name, error);
	if (code) {
		perf_data_writer_free(writer);
		return code;
	}
	*out = writer;
	return 0;
}

int perf_data_write_records(struct perf_data_writer *writer, const struct iovec *parts,
			    size_t count, struct error *error)
{
	struct iovec all[3] = {{writer->buffer, writer->waiting}};
	size_t length = writer->waiting;

	for (size_t i = 0; i < count; i++) {
		all[i + 1] = parts[i];
		length += parts[i].iov_len;
	}
	int code = write_all(writer, all, count + 1, error);
	if (code)
		return code;
	writer->waiting = 0;
	writer->end += length;
	return 0;
}

int perf_data_write_record(struct perf_data_writer *writer, uint32_t type, uint16_t misc,
			   const void *body, size_t length, bool trailer, struct error *error)
{
	struct perf_data_record record = {.type = type, .misc = misc};
	size_t padded = (length + 7) / 8 * 8;
	size_t size = sizeof(record) + padded + (trailer ? writer->trailer : 0);

	if (size > UINT16_MAX)
		return error_set(error, -EMSGSIZE, "a record of type %u is too long for %s",
				 type, writer->target.name);
	record.size = (uint16_t)size;
	if (writer->waiting + size > sizeof(writer->buffer)) {
		int code = perf_data_write_records(writer, NULL, 0, error);
		if (code)
			return code;
	}
	char *to = writer->buffer + writer->waiting;
	memset(to, 0, size);
	memcpy(to, &record, sizeof(record));
	if (length)
		memcpy(to + sizeof(record), body, length);
	writer->waiting += size;
	return 0;
}

int perf_data_write_recording(struct perf_data_writer *writer, const char *text, size_t length,
			      struct error *error)
{
	const size_t room = 32 * 1024;
	struct perf_data_recording_part *part = malloc(sizeof(*part) + room);
	int code = 0;

	if (!part)
		return error_set(error, -ENOMEM, "no memory to write %s", writer->target.name);
	*part = (struct perf_data_recording_part){
		.type = PERF_DATA_UPDATE_KVMPERF,
		.id = writer->event_id,
		.parts = (uint32_t)((length + room - 1) / room),
	};
	for (size_t done = 0; !code && done < length; done += part->size, part->part++) {
		part->size = (uint32_t)(length - done < room ? length - done : room);
		memcpy(part->text, text + done, part->size);
		code = perf_data_write_record(writer, PERF_RECORD_EVENT_UPDATE, 0,
					      (char *)part + sizeof(part->header),
					      sizeof(*part) - sizeof(part->header) + part->size,
					      false, error);
	}
	free(part);
	return code;
}

int perf_data_writer_flush(struct perf_data_writer *writer, struct error *error)
{
	int code = writer->waiting ? perf_data_write_records(writer, NULL, 0, error) : 0;

	if (code || writer->target.pipe)
		return code;
	writer->header.data.size = writer->end - writer->header.data.offset;
	return write_header(writer, error);
}

static int write_features(struct perf_data_writer *writer,
			  const struct perf_data_feature_section *features, size_t count,
			  struct error *error)
{
	struct perf_data_section *table = calloc(count + 1, sizeof(*table));
	struct iovec *parts = calloc(count + 1, sizeof(*parts));
	uint64_t offset = writer->end + count * sizeof(*table);
	int code = 0;

	if (!table || !parts)
		code = error_set(error, -ENOMEM, "no memory to write %s", writer->target.name);
	if (!code)
		parts[0] = (struct iovec){table, count * sizeof(*table)};
	for (size_t i = 0; !code && i < count; i++) {
		table[i] = (struct perf_data_section){offset, features[i].size};
		parts[i + 1] = (struct iovec){(void *)features[i].data, features[i].size};
		offset += features[i].size;
	}
	if (!code)
		code = write_all(writer, parts, count + 1, error);
	free(parts);
	free(table);
	if (code)
		return code;
	for (size_t i = 0; i < count; i++)
		writer->header.features[features[i].bit / 64] |= 1ULL << features[i].bit % 64;
	return write_header(writer, error);
}

/* Cuts off what is no whole record, and goes on from there. */
static int return_to_end(struct perf_data_writer *writer, struct error *error)
{
	if (ftruncate(writer->target.fd, (off_t)writer->end) < 0 ||
	    lseek(writer->target.fd, (off_t)writer->end, SEEK_SET) < 0)
		return fail(writer, error);
	return 0;
}

int perf_data_writer_finish(struct perf_data_writer *writer,
			    const struct perf_data_feature_section *features, size_t count,
			    struct error *error)
{
	if (writer->target.pipe)
		return writer->failed ? 0 : perf_data_writer_flush(writer, error);
	int code = 0;
	if (!writer->failed)
		code = perf_data_writer_flush(writer, error);
	if (writer->failed) {
		struct error second = {0};
		writer->waiting = 0;
		if (return_to_end(writer, &second) || perf_data_writer_flush(writer, &second))
			return code ? code
				    : error_set(error, second.code, "%s", second.message);
	}
	int features_code = write_features(writer, features, count, code ? NULL : error);
	if (features_code) {
		memset(writer->header.features, 0, sizeof(writer->header.features));
		(void)return_to_end(writer, NULL);
		(void)write_header(writer, NULL);
	}
	return code ? code : features_code;
}

uint64_t perf_data_writer_size(const struct perf_data_writer *writer)
{
	return writer->end + writer->waiting;
}

void perf_data_writer_free(struct perf_data_writer *writer)
{
	free(writer);
}
