/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_RECORDER_H
#define KVMPERF_RECORD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/collector.h"
#include "record/ring_records.h"

/*
 * The collector of `kvmperf record`: samples are not counted but go to a perf.data file as they
 * come from the rings; the exact times of threads are read as the other collectors read them.
 * Its collections have no counts and no splits.
 */
struct recorder;

enum recorder_times {
	RECORDER_TIMES_AUTO, /* by BPF; from /proc where BPF can't be had */
	RECORDER_TIMES_BPF,
	RECORDER_TIMES_PROC,
};

struct recorder_options {
	const char *path;	   /* "-": standard output, in perf's pipe format */
	char *const *command_line; /* of kvmperf, ends with NULL */
	enum recorder_times times;
	bool callchains;
	uint64_t max_size;  /* of a file, bytes; 0: no limit */
	unsigned max_files; /* kept, with the one that is written; see recorder_rotate() */
};

/*
 * Makes the recorder; collector_start() makes the file. The options' strings are referred to.
 * recorder_base() is the collector, and collector_free() frees the recorder.
 */
int recorder_new(struct recorder **out, const struct recorder_options *options,
		 const struct collector_options *collector_options, struct error *error);
struct collector *recorder_base(struct recorder *recorder);

/* What the last collector_read() gave, beside what is the same for all collectors. */
struct recorder_reading {
	const struct collection *collection;
	uint64_t idle_ns;     /* of the host's CPUs in the interval, in steps of 10 ms a CPU */
	bool sums_known;      /* processes_run_ns, kernel_run_ns and shared_run_ns */
	const char *times;    /* "bpf" or "proc" */
	const char *fallback; /* why not BPF, with RECORDER_TIMES_AUTO; NULL: it is BPF */
};
void recorder_last_reading(const struct recorder *recorder, struct recorder_reading *out);

/* Readable when recorder_full() or recorder_failure() has something to say. */
int recorder_wake_fd(const struct recorder *recorder);

/* Is the file as large as it may get? */
bool recorder_full(const struct recorder *recorder);

/* What went wrong between two readings; NULL: nothing. */
const struct error *recorder_failure(const struct recorder *recorder);

/* Writes a text for kvmperf itself into the data: see perf_data_write_recording(). */
int recorder_write_text(struct recorder *recorder, const char *text, size_t length,
			struct error *error);

/*
 * Takes what waits in the rings into the file, and what was lost so far: the file's tally is
 * then final, should recorder_rotate() or recorder_end() follow. stop: no more samples are
 * taken from now on.
 */
int recorder_drain(struct recorder *recorder, bool stop, struct error *error);

/* Of the file that is written. */
const struct record_tally *recorder_tally(const struct recorder *recorder);

/*
 * Ends the file, with kvmperf's section, and begins the next under the same name: PATH becomes
 * PATH.1, PATH.1 becomes PATH.2 and so on; the oldest one beyond max_files is overwritten. What
 * comes meanwhile is in the next file.
 */
int recorder_rotate(struct recorder *recorder, const char *section, size_t size,
		    struct error *error);

/*
 * Ends the file: also after a failure, for what could be written. section NULL: without
 * kvmperf's section.
 */
int recorder_end(struct recorder *recorder, const char *section, size_t size,
		 struct error *error);

/* Of all files: samples, records that were lost, and bytes. */
struct record_totals {
	uint64_t samples;
	uint64_t lost;
	uint64_t bytes;
	unsigned files;
};
void recorder_totals(const struct recorder *recorder, struct record_totals *out);

#endif
