/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_RECORDING_TIMES_H
#define KVMPERF_REPORT_RECORDING_TIMES_H

/* When and for how long a recording ran, and what `kvmperf record` knew of that. */

#include "base/error.h"
#include "report/recorded_facts.h"
#include "report/recording.h"
#include "report/report.h"

struct recording_times {
	struct recorded_facts *facts; /* NULL: none */
	struct recorded_times times;  /* of the whole intervals in the window */
	struct error left_out;	      /* why the section was not taken; code 0: it was */
	/* The rest is its own. */
	struct recording *recording;
};

/*
 * After recording_open(): takes the facts of the file's section, has those of a file without
 * it taken while it is read, and sets the profile's window to time (NULL: all). Errors:
 * those of time_window_parse(); -ENOMEM.
 */
int recording_times_open(struct recording_times *times, struct recording *recording,
			 const char *time, struct error *error);

/*
 * After recording_read(): what report_build() must know of the recording. -ENODATA when nothing
 * tells how long it was, -EBADMSG for a time that no recording took.
 */
int recording_times_describe(struct recording_times *times, struct report_input *input,
			     struct error *error);

void recording_times_clear(struct recording_times *times);

#endif
