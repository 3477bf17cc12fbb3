/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_INTERNAL_H
#define KVMPERF_DISCOVER_INTERNAL_H

#include "discover/claims.h"
#include "discover/discover.h"
#include "discover/source.h"
#include "discover/tracked_vm.h"

/* The inside of a discoverer, for the files that make it up. */

/* Which VM a process belongs to. */
struct member {
	pid_t pid;
	bool owner; /* it is the VMM; a process that also holds another VM's files stays with
		       its own */
	size_t tracked;
};

struct discoverer {
	char *proc_root;
	struct bpf_source *bpf; /* one of the two */
	struct proc_source *proc;
	char note[sizeof(((struct error *)0)->message)];
	uint64_t tick_ns;
	struct vm_list list;
	size_t list_room;
	struct tracked_vm *tracked; /* by pid; one for each VM of the list that isn't gone */
	size_t tracked_count, tracked_room;
	struct member *members; /* by pid, each once */
	size_t member_count, member_room;
	struct vm_file_list files;
	struct vm_task_list tasks;
	struct claim_list claims;
	struct tracked_vcpu *vcpus;
	size_t vcpu_room;
	pid_t *pids;
	size_t pid_room;
};

/* Rebuilds members from the processes of the VMs. Returns 0 or -ENOMEM. */
int discoverer_index_members(struct discoverer *discoverer);

/*
 * Lists the threads of all VMs anew and adds the processes that were forked off a VMM. The
 * members must be up to date, and are afterwards.
 */
int discoverer_list_threads(struct discoverer *discoverer, struct error *error);

/* Takes the taps over from the files of the last scan. Returns 0 or -ENOMEM. */
int discoverer_update_taps(struct discoverer *discoverer);

#endif
