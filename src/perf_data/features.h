/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_FEATURES_H
#define KVMPERF_PERF_DATA_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf_data/event.h"
#include "perf_data/format.h"

/* The build id of a file that samples hit. */
struct recorded_build_id {
	char *filename;
	uint8_t id[20];
	uint8_t size;
};

/* What a recording tells about its making; empty, 0 and NULL where it doesn't. */
struct perf_data_features {
	char hostname[64];
	char release[65]; /* of the kernel, as uname -r */
	char arch[32];
	char version[64]; /* of perf */
	uint32_t cpus_online;
	uint64_t first_ns, last_ns; /* times of the first and the last sample */
	uint64_t wall_ns, clock_ns; /* the same instant on the wall clock and the samples' */
	char *kvmperf;		    /* JSON; ends with 0 */
	size_t kvmperf_length;
	struct recorded_build_id *build_ids;
	size_t build_id_count, build_id_room;
};

/*
 * Takes what is of use from a feature's bytes: a section of a file, or what follows the id in a
 * PERF_RECORD_HEADER_FEATURE. Names of events go to the table. Returns 0; -EBADMSG when the
 * bytes are no such feature; -ENOMEM.
 */
int features_take(struct perf_data_features *features, struct event_table *events,
		  enum perf_data_feature feature, const uint8_t *bytes, size_t size);

/* Takes one PERF_RECORD_HEADER_BUILD_ID. Errors as above. */
int features_take_build_id(struct perf_data_features *features, const uint8_t *record,
			   size_t size);

/* Is it worth reading? */
bool features_wants(enum perf_data_feature feature);

void features_clear(struct perf_data_features *features);

#endif
