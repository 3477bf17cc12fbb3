/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_CLAIMS_H
#define KVMPERF_DISCOVER_CLAIMS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "discover/source.h"

/* Which process owns which VM: the files of a scan, grouped by struct kvm. */

/* The records of one struct kvm: files.records[first .. first + count - 1]. */
struct claim {
	pid_t owner;
	uint64_t start_ns;
	size_t first, count;
};

struct claim_list {
	struct claim *claims; /* by owner */
	size_t count, room;
};

/*
 * Fills list, one claim for each struct kvm; the owner is the process that may run its vCPUs,
 * else (it has ended, another still holds the file) the holder with the lowest pid. Sorts
 * files: taps first, then by VM. Returns 0 or -ENOMEM.
 */
int claims_make(struct claim_list *list, struct vm_file_list *files);

/* The first claim of the owner; further ones follow. NULL when there is none. */
const struct claim *claims_find(const struct claim_list *list, pid_t owner);

#endif
