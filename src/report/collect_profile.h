/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_COLLECT_PROFILE_H
#define KVMPERF_REPORT_COLLECT_PROFILE_H

#include "collect/collector.h"
#include "report/report.h"

/*
 * Turns a profile into what a collector would have collected in that time, for the ledger to be
 * made of. collection (zero before) is owned by the caller. The subsystems of the profile's
 * kernel map become labels of the report. -ENOMEM.
 */
int collect_profile(struct collection *collection, struct report *report,
		    const struct report_input *input);

/* Adds the samples by account to the interval of a report. -ENOMEM. */
int collect_sample_counts(struct report *report, const struct report_input *input);

/* Whose samples a group's are. */
struct group_owner {
	uint32_t vm; /* NO_VM: none */
	pid_t pid, tid;
	bool kernel_thread;
	bool idle;
};
struct group_owner owner_of_group(const struct report *report, const struct profile *profile,
				  const struct tally_group *group);

/* The mode of the account that a sample's time is in. */
enum account_mode account_mode_of(uint32_t sample_mode);

#endif
