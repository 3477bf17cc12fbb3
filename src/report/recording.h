/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_RECORDING_H
#define KVMPERF_REPORT_RECORDING_H

/* Reads a recording of perf into a profile. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "perf_data/perf_data.h"
#include "perf_data/recording_text.h"
#include "report/profile.h"
#include "report/sample_queue.h"

struct interrupt_context;

struct recording {
	struct perf_data *data;
	struct profile *profile; /* not owned */
	const char *event;	 /* asked for; NULL: the first that counts time */
	const struct interrupt_context *interrupts; /* not owned; NULL: not told apart */
	bool keeps_stacks;
	void (*progress)(double done); /* called now and then; may be NULL */
	/*
	 * Takes each text that `kvmperf record` wrote between the samples of a file without the
	 * section; an error ends the reading. May be NULL.
	 */
	int (*take_text)(void *context, const char *text, size_t length, struct error *error);
	void *take_text_context;
	/* What was found. */
	char event_name[64];
	uint64_t frequency_hz;	/* 0: fixed period */
	uint64_t other_samples; /* of events that were left out */
	bool system_wide;	/* samples tell their CPU */
	bool has_callchains;
	/* The rest is the recording's own. */
	struct event_table *events; /* of data */
	/* What samples like the last one are; event NULL: that was none of many alike. */
	struct alike_samples {
		const struct perf_data_event *event;
		uint64_t id;
		size_t size;	    /* without the callchain's addresses */
		bool fixed;	    /* none is longer */
		bool has_callchain; /* at the event's layout.variable, and of no use */
	} alike;
	struct sample_queue queue;
	/* Samples whose thread, mode and address was not counted before, until their turn. */
	struct deferred_sample {
		const struct queued *sample;
		double stands_for; /* profile_time() */
	} * deferred;
	size_t deferred_count, deferred_room;
	bool *selected; /* events, by number */
	size_t selected_count, selected_room;
	uint64_t *chain; /* room for a callchain */
	struct recording_text text;
	struct recorded_file_id {
		uint8_t id[20];
		uint8_t size; /* 0: not recorded */
	} * file_ids;	      /* by name */
	size_t file_id_room;
};

/*
 * Opens the recording at path. What stands above in struct recording is set before. Errors:
 * those of perf_data_open().
 */
int recording_open(struct recording *recording, const char *path, struct error *error);

/*
 * Reads all of it. Errors: those of perf_data_next(); -ENOENT when no event has the name asked
 * for; -ENOMEM.
 */
int recording_read(struct recording *recording, struct error *error);

/* The build id that was recorded for a file. */
void recording_build_id(void *recording, const char *path, struct build_id *id);

void recording_close(struct recording *recording);

#endif
