/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_COUNTERS_JSON_H
#define KVMPERF_RECORD_COUNTERS_JSON_H

#include "record/counters_data.h"
#include "record/ring_records.h"

struct calibration;

struct counters_document {
	unsigned frequency_hz;
	const char *const *selected; /* the arguments of --vm */
	size_t selected_count;
	const struct counted_vm *vms;
	size_t vm_count;
	bool changed_only;		       /* leave the VMs out that have not changed */
	const struct calibration *calibration; /* NULL: none */
	bool calibration_told;		       /* leave it out */
	const struct record_tally *tally;      /* of the file; NULL: not known yet */
	const struct counted_interval *intervals;
	size_t interval_count;
};

/* As docs/recording-format.md has it. Owned by the caller (free); NULL without memory. */
char *counters_json(const struct counters_document *document, size_t *length);

#endif
