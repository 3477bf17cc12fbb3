/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_VM_FINDER_H
#define KVMPERF_REPORT_VM_FINDER_H

#include "discover/vm.h"
#include "report/profile.h"
#include "report/recorded_facts.h"

/*
 * Which processes of a profile are VMs. What `kvmperf record` wrote comes first; without it a
 * process is a VM when it ran in guest mode, or a thread has the name of a vCPU, or it runs a
 * VMM and doesn't emulate. Its children that run the same program belong to it.
 */

#define NO_VM UINT32_MAX

struct found_vms {
	struct vm_list list;
	size_t room;
	uint32_t *of_process; /* for each process of the profile: index in the list, or NO_VM */
};

/* facts may be NULL. out is owned by the caller (found_vms_clear), on failure too. -ENOMEM. */
int vm_finder_find(const struct profile *profile, const struct recorded_facts *facts,
		   struct found_vms *out);

void found_vms_clear(struct found_vms *found);

#endif
