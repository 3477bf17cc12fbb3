/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_TRACKED_VM_H
#define KVMPERF_DISCOVER_TRACKED_VM_H

#include "discover/vm.h"

struct tracked_vcpu {
	uint64_t kvm; /* as in struct vm_file */
	int index;
	unsigned fd;  /* in the VMM */
	pid_t runner; /* the thread proven to run it; 0 when unknown */
	bool has_stats;
	uint64_t exits, halt_poll_ns;
	bool classified;
	uint64_t user_exits, interrupt_exits; /* when classified */
};

/* What the discoverer keeps of a VM from scan to scan, beside what callers see. */
struct tracked_vm {
	pid_t pid;
	uint64_t start_ns;
	struct vm *vm;		    /* in the discoverer's list */
	pid_t inner_pid;	    /* pid in its own pid namespace; 0 until it is asked for */
	struct tracked_vcpu *vcpus; /* by kvm, then index */
	size_t vcpu_count, vcpu_room;
	size_t counter_room; /* of vm->counters */
	pid_t *processes; /* the VMM first, then others that hold its files or were forked off
			   */
	size_t process_count, process_room;
	uint64_t retired_exits, retired_halt_poll_ns; /* of vCPUs that were closed */
};

/* Adds a process unless it is there. Returns 0 or -ENOMEM. */
int tracked_add_process(struct tracked_vm *tracked, pid_t pid);

/*
 * Takes the vCPUs of a new scan (in any order, also double; overwritten) over into the VM and
 * sums their counters, which never fall: what a vCPU had when it was closed stays counted.
 * tracked->vcpu_room and counter_room must be enough for count. True when vCPUs or their
 * runners changed.
 */
bool tracked_update_vcpus(struct tracked_vm *tracked, struct tracked_vcpu *vcpus, size_t count);

void tracked_clear(struct tracked_vm *tracked);

#endif
