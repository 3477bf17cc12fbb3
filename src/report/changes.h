/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_CHANGES_H
#define KVMPERF_REPORT_CHANGES_H

#include "report/recording.h"

/*
 * Takes a record that tells of processes, their names and mappings, or of the kernel's code:
 * COMM, FORK, EXIT, MMAP, MMAP2, KSYMBOL. time: ns, 0 for what perf made up from /proc. A
 * record that is cut is passed over. -ENOMEM.
 */
int change_apply(struct recording *recording, const uint8_t *record, size_t size,
		 uint64_t time);

#endif
