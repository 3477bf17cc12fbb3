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

struct interrupt_context;
struct sample_queue;

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
	struct sample_queue *queue;
	bool *selected; /* events, by number */
	size_t selected_count, selected_room;
	uint64_t *chain; /* room for a callchain */
	struct recording_text text;
	struct recorded_file_id {
		uint32_t file; /* name */
		uint8_t id[20];
		uint8_t size;
	} * file_ids;
	size_t file_id_count, file_id_room;
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
