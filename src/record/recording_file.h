/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_RECORDING_FILE_H
#define KVMPERF_RECORD_RECORDING_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "collect/perf_events.h"
#include "perf_data/writer.h"
#include "record/mapped_files.h"
#include "record/ring_records.h"

/* One perf.data file in the making. */
struct recording_file {
	const char *path; /* "-": standard output */
	int fd;
	struct perf_data_writer *writer;
	struct mapped_files mapped;
	struct record_tally tally;
	uint64_t first_size; /* with what was there already when it began */
};

/*
 * Opens the file (an older one is kept as PATH.old, as perf does, unless replace says not to)
 * and records in it what already runs: kernel, modules, tasks; between is called now and then
 * with context, since that takes a while. Errors: with a line that names the file.
 */
int recording_file_begin(struct recording_file *file, const char *path, bool replace,
			 const struct perf_events *events, void (*between)(void *context),
			 void *context, struct error *error);

/*
 * Writes the features and closes the file, also after a failed write. command_line ends with
 * NULL; section is kvmperf's own (docs/recording-format.md), of section_size bytes; NULL: none.
 */
int recording_file_end(struct recording_file *file, const struct perf_events *events,
		       char *const *command_line, const char *section, size_t section_size,
		       struct error *error);

#endif
