/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_RECORDED_EXITS_H
#define KVMPERF_REPORT_RECORDED_EXITS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account/correction.h"
#include "discover/vm.h"

struct json_t;

/* VM exits of one vCPU thread, summed over the intervals that were added. */
struct recorded_vcpu {
	pid_t tid;
	uint64_t by_class[VM_EXIT_CLASSES];
};

/* Those of all vCPU threads; all zero is none. Owned: recorded_exits_clear(). */
struct recorded_exits {
	struct recorded_vcpu *vcpus; /* in rising order of tid */
	size_t count, room;
};

/*
 * Adds the exits of one VM in one interval: its vcpu_exits in docs/recording-format.md. What
 * is not of that form counts as not known. -ENOMEM.
 */
int recorded_exits_add(struct recorded_exits *exits, const struct json_t *vcpu_exits);

/*
 * Gives the VM the counters of its vCPUs (vm->counters, which must be empty), as if they had
 * been at zero when the exits began: what a live VM's are to interval_build(). -ENOMEM.
 */
int recorded_exits_give(const struct recorded_exits *exits, struct vm *vm);

void recorded_exits_clear(struct recorded_exits *exits);

#endif
