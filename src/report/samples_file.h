/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SAMPLES_FILE_H
#define KVMPERF_REPORT_SAMPLES_FILE_H

#include <stdio.h>

#include "base/error.h"
#include "report/profile.h"
#include "report/report.h"

/* Samples of any profiler, as CSV or JSON Lines: docs/samples-format.md. */

enum weight_unit {
	WEIGHT_SAMPLES, /* a line stands for so many samples */
	WEIGHT_NS,	/* a line stands for so much time */
};

struct samples_file {
	char event[64];
	double frequency_hz; /* 0: not told */
	double duration_s;   /* 0: not told */
	double start;	     /* wall clock of time 0, s; NAN: not told */
	unsigned cpus;	     /* 0: not told */
	enum weight_unit unit;
	/* The reader's own. */
	struct profile *profile;
	const char *path;
	size_t line;
	unsigned columns[16]; /* of CSV: which field stands where */
	size_t column_count;
};

/* A line, taken apart. */
struct neutral_sample {
	bool has_time, has_cpu, has_pid, has_tid, has_address, has_mode, has_kernel_thread;
	uint64_t time_ns;
	uint64_t cpu, pid, tid, address;
	double weight; /* 1 when not given */
	enum sample_mode mode;
	bool idle;
	bool kernel_thread;
	char module[128];
	char comm[64];
};

/*
 * Reads the file at path ("-": standard input) into the profile; time: as --time, or NULL.
 * Errors: -errno of the file; -EBADMSG for a malformed line, with its number; those of
 * time_window_parse(); -ENOMEM.
 */
int samples_file_read(struct samples_file *file, struct profile *profile, const char *path,
		      const char *time, struct error *error);

/* Reads from an open stream. */
int samples_file_read_stream(struct samples_file *file, struct profile *profile, FILE *stream,
			     const char *name, struct error *error);

/* What the file tells of itself. Errors: those of report_set_duration(). */
int samples_file_describe(const struct samples_file *file, const struct profile *profile,
			  struct report_input *input, struct error *error);

#endif
