/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_COUNTERS_H
#define KVMPERF_RECORD_COUNTERS_H

#include <stddef.h>

#include "measure/interval.h"
#include "record/recorder.h"

/*
 * What `kvmperf record` knows beside the samples: the VMs, and per interval the exact times of
 * threads and the counters of VMs. It becomes the JSON text that docs/recording-format.md
 * describes.
 */
struct counters;
struct calibration;

/* What is the same for all intervals. */
struct counters_source {
	unsigned frequency_hz;
	const char *const *selected; /* the arguments of --vm; not owned */
	size_t selected_count;
};

/* NULL without memory. */
struct counters *counters_new(const struct counters_source *source);

/*
 * What the recording's guest times can be corrected by: referred to by the texts that follow;
 * NULL, as before the call: nothing.
 */
void counters_set_calibration(struct counters *counters, const struct calibration *calibration);

/*
 * Adds an interval. When there are too many, neighbours become one, so that the text stays
 * under some 6 MB, however long the recording. -ENOMEM.
 */
int counters_add(struct counters *counters, const struct interval *interval,
		 const struct recorder_reading *reading);

/*
 * The text for the interval added last: it alone, and of the VMs those that are new or have
 * changed since the last call; with the calibration if it is the file's first. Owned by the
 * caller (free); NULL without memory.
 */
char *counters_last_text(struct counters *counters, size_t *length);

/*
 * The text for all intervals since the last counters_begin_file(), with what the file has in
 * all. Ownership as above.
 */
char *counters_text(struct counters *counters, const struct record_tally *tally,
		    size_t *length);

/* A new file begins: forgets the intervals, and all VMs and the calibration count as new. */
void counters_begin_file(struct counters *counters);

void counters_free(struct counters *counters);

#endif
