/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_SHARED_CAUSES_H
#define KVMPERF_MEASURE_SHARED_CAUSES_H

#include "account/shared_policy.h"
#include "discover/vm.h"
#include "traffic/host_traffic.h"
#include "traffic/traffic.h"

/*
 * What causes shared work: reads what each VM and the host as a whole sent, received, read and
 * wrote from one interval to the next, and makes the weights by which shared work is divided.
 */

/* The last readings of one VM. All zero: none yet; freed with vm_causes_free(). */
struct vm_causes {
	struct vm_traffic traffic;
	uint64_t disk_bytes;
	bool disk_known;
	unsigned unseen; /* enum unseen_path: where its traffic is not seen */
	uint64_t unseen_read_ns;
};

/*
 * What the VM did since the last reading: *use, and its traffic by itself with whether it is
 * known. The first reading of a VM gives nothing. -ENOMEM.
 */
int vm_causes_read(struct vm_causes *causes, const struct vm *vm, struct net_dev_texts *texts,
		   struct shared_use *use, struct traffic *traffic, bool *traffic_known);

void vm_causes_free(struct vm_causes *causes);

/* The last readings of the host. */
struct host_causes {
	struct host_traffic traffic;
	uint64_t disk_bytes;
};

void host_causes_begin(struct host_causes *causes);

/* What of the host's traffic since the last reading is none of the count VMs': *nobody. */
void host_causes_read(struct host_causes *causes, const struct shared_use *vms, size_t count,
		      struct shared_use *nobody);

/* The weights of all kinds of work for a number of users, the last of which is nobody. */
struct shared_weights {
	uint64_t *of[WORK_COUNT];
	enum shared_policy used; /* the policy that network work was divided by */
	uint64_t *room;
};

/* *out is owned by the caller (shared_weights_free). -ENOMEM. */
int shared_weights_make(struct shared_weights *out, enum shared_policy policy,
			const struct affine_model *model, const struct shared_use *users,
			size_t count);

void shared_weights_free(struct shared_weights *weights);

#endif
