/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_INTERNAL_H
#define KVMPERF_PERF_DATA_INTERNAL_H

/* For the files that make up struct perf_data. */

#include "perf_data/byte_source.h"
#include "perf_data/decompressor.h"
#include "perf_data/event.h"
#include "perf_data/features.h"
#include "perf_data/perf_data.h"

struct perf_data {
	struct record_run run; /* handed out; the rest is taken note of with the next call */
	const uint8_t *run_start;
	struct byte_source source;
	bool pipe;
	bool unfinished; /* perf was killed: the header doesn't tell where the data ends */
	uint64_t end;	 /* of the records */
	uint64_t offset; /* of run_start, or of a record outside of runs */
	bool ended;
	bool has_parts;	    /* of kvmperf's text: struct perf_data_recording_part */
	bool decompressing; /* records wait in the decompressor */
	struct decompressor *decompressor;
	struct event_table events;
	struct perf_data_features features;
	char warning[400];
};

/* Reads a file's header, attributes and features, and goes to its first record. */
int perf_data_read_file_header(struct perf_data *data, struct error *error);

/* As perf_data_fail(), for another place. */
int perf_data_malformed(const struct perf_data *data, uint64_t offset, struct error *error,
			const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Keeps the first warning. */
void perf_data_warn(struct perf_data *data, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
