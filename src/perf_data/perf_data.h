/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_PERF_DATA_H
#define KVMPERF_PERF_DATA_PERF_DATA_H

/*
 * Reads a recording of perf (or of kvmperf record), record by record, in memory that doesn't
 * depend on its size: files and pipes, plain and compressed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "perf_data/bytes.h"
#include "perf_data/event.h"
#include "perf_data/features.h"

struct perf_data;

/* Records that stand one behind the other in memory; the last of them may be cut. */
struct record_run {
	const uint8_t *last; /* handed out last */
	const uint8_t *at;   /* the next */
	const uint8_t *end;
};

/*
 * The next record of a run, whole and one of the kernel's (its type is below
 * PERF_RECORD_HEADER_ATTR). NULL: what comes next is for perf_data_next() to tell.
 */
static inline const uint8_t *record_run_next(struct record_run *run)
{
	const uint8_t *record = run->at;
	size_t left = (size_t)(run->end - record);

	if (left < sizeof(struct perf_data_record) || get32(record) >= PERF_RECORD_HEADER_ATTR)
		return NULL;
	size_t size = get16(record + offsetof(struct perf_data_record, size));
	if (size < sizeof(struct perf_data_record) || size > left)
		return NULL;
	run->last = record;
	run->at = record + size;
	return record;
}

/*
 * Opens path ("-": standard input, a pipe) and reads what stands before the records; of a
 * regular file the features at its end, too. *out is owned by the caller (perf_data_close).
 * Errors: -errno of open(2) and read(2); -EBADMSG for what is no recording, is cut before the
 * first record or is malformed, with the offset of what is wrong; -ENOMEM.
 */
int perf_data_open(struct perf_data **out, const char *path, struct error *error);

/*
 * The next record: 1, with *record (its size is in its header, and all of it is there) valid
 * until the next call; 0 at the end. What describes the recording itself (attributes, features,
 * compressed records, traces) is taken in and not returned, but for parts of kvmperf's text
 * (PERF_RECORD_EVENT_UPDATE, see recording_text.h) where there is no section of it. Errors: as
 * perf_data_open(), with the offset.
 */
int perf_data_next(struct perf_data *data, const uint8_t **record, struct error *error);

/*
 * The run behind the record that was returned last. What is taken from it with
 * record_run_next(), perf_data_next() doesn't return any more. Valid as that record.
 */
struct record_run *perf_data_run(struct perf_data *data);

/* Where the record stands that was returned last (for a compressed one: the outer one). */
uint64_t perf_data_offset(const struct perf_data *data);

/* The events and features; what is known so far, in a pipe. */
struct event_table *perf_data_events(struct perf_data *data);
const struct perf_data_features *perf_data_features(const struct perf_data *data);

/*
 * What was found missing: the file is cut off, or its features can't be read. One line, or
 * NULL; known for sure when all records have been read.
 */
const char *perf_data_warning(const struct perf_data *data);

/* The part of the file that was read, 0 to 1; -1 when the size isn't known. */
double perf_data_progress(const struct perf_data *data);

/* "FILE: byte N: " and the text, as an error of this recording at the last record. */
int perf_data_fail(const struct perf_data *data, int code, struct error *error,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));

void perf_data_close(struct perf_data *data);

#endif
