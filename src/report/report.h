/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_REPORT_H
#define KVMPERF_REPORT_REPORT_H

/* Makes the interval, as the views show it, of what a recording or a file of samples tells. */

#include "account/shared_policy.h"
#include "measure/interval.h"
#include "base/error.h"
#include "report/profile.h"
#include "report/recorded_facts.h"
#include "report/vm_finder.h"

/* The traffic of one VM, told by hand (--net and --tap). */
struct report_traffic {
	uint32_t pid;
	struct traffic traffic;
};

struct report_input {
	struct profile *profile;
	const struct recorded_facts *facts; /* NULL: none */
	/* The exact times of facts are of the window that was counted. */
	const struct recorded_times *times; /* NULL: the samples alone tell */
	/* Guest times are corrected by it and the exits of times; NULL: they are not. */
	const struct calibration *calibration;
	size_t cpus;
	uint64_t duration_ns; /* of what was counted */
	double start;	      /* wall clock, s; NAN */
	const char *collector, *event;
	unsigned frequency_hz;
	enum shared_policy policy;
	const char *const *vms; /* names, ids or pids to select */
	size_t vm_count;
	const struct report_traffic *traffic;
	size_t traffic_count;
	struct traffic_use unowned; /* of the host's devices and no VM's */
};

struct report {
	struct found_vms vms;
	struct labels *labels;
	struct interval interval;
	double ns_per_unit; /* what the cells' times are multiplied by */
};

/*
 * Sets duration_ns; cpus must be known. -ENODATA for none, -EBADMSG when CPUs x duration is
 * more than any machine had since there are clocks.
 */
int report_set_duration(struct report_input *input, double ns, struct error *error);

/* The anchor's name in output. */
const char *report_anchor_name(const struct report_input *input);

/*
 * Finds the VMs and fills report->vms; report_build() then makes the interval. Both: report is
 * owned by the caller (report_clear), on failure too. -ENOMEM.
 */
int report_find_vms(struct report *report, const struct report_input *input);
int report_build(struct report *report, const struct report_input *input);

void report_clear(struct report *report);

#endif
