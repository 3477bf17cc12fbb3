/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_RECORDED_FACTS_H
#define KVMPERF_REPORT_RECORDED_FACTS_H

/* What `kvmperf record` wrote beside the samples: docs/recording-format.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "calibrate/calibration.h"
#include "collect/collector.h"
#include "discover/vm.h"
#include "report/recorded_exits.h"
#include "traffic/traffic.h"

struct recorded_facts;

/*
 * Takes one JSON text: the section, or one of its parts; *facts (NULL at first) gets what it
 * tells and is owned by the caller (recorded_facts_free). Errors: -EBADMSG for what is no such
 * text, -ENOMEM.
 */
int recorded_facts_take(struct recorded_facts **facts, const char *text, size_t length,
			struct error *error);

/* The VM of a pid, or NULL; and all of them, in no order. Owned by the facts. */
const struct vm *recorded_facts_vm(const struct recorded_facts *facts, uint32_t pid);
const struct vm *recorded_facts_vms(const struct recorded_facts *facts, size_t *count);

/* Wall clock (s since 1970) at a time of the samples' clock; NAN when it isn't known. */
double recorded_facts_wall(const struct recorded_facts *facts, uint64_t ns);

/* What the recorder calibrated, for the recorded exits; NULL: none. Owned by the facts. */
const struct calibration *recorded_facts_calibration(const struct recorded_facts *facts);

/* What happened to one VM in a stretch of time; unknown where not told. */
struct recorded_counters {
	uint32_t pid;
	bool exits_known, traffic_known;
	uint64_t exits, halt_poll_ns;
	struct traffic traffic;
};

/* The exact times of a stretch of time. */
struct recorded_times {
	uint64_t start_ns, end_ns; /* 0: no interval lies in it whole */
	bool sums_known;	   /* processes, kernel, shared; else what is left is theirs */
	uint64_t idle_ns;
	struct collection collection; /* tasks and sums; owned: recorded_times_clear() */
	uint32_t *task_places; /* hash table of the tasks' numbers + 1, by tid; 0: free */
	size_t task_place_count;
	struct recorded_counters *counters;
	size_t counter_count, counter_room;
	struct recorded_exits exits;
	uint64_t unowned_bytes, unowned_packets;
	size_t cpus; /* 0: not known */
};

/*
 * Adds those intervals that were taken since the last call and lie between start and stop (ns)
 * whole to *sum, and forgets them all. -ENOMEM.
 */
int recorded_facts_sum(struct recorded_facts *facts, uint64_t start, uint64_t stop,
		       struct recorded_times *sum);

void recorded_times_clear(struct recorded_times *times);

void recorded_facts_free(struct recorded_facts *facts);

#endif
