/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_BPF_TASKS_H
#define KVMPERF_COLLECT_BPF_TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "collect/collector.h"

/*
 * The exact CPU and ready times of all tasks, by a BPF iterator, and the last parts of those
 * that end, by a tracing program (bpf/tasks.bpf.c).
 */
struct bpf_tasks;

/*
 * Loads the programs. vm_tgids: a map of VMs' thread groups that somebody else keeps, or -1 for
 * one of its own, see bpf_tasks_track(). *out is owned by the caller (bpf_tasks_free). Errors:
 * as bpf_sampler_new().
 */
int bpf_tasks_new(struct bpf_tasks **out, int vm_tgids, struct error *error);

/*
 * Takes a reading. Into the collection goes what ran since the last one: the tasks of VMs and
 * kernel threads one by one, processes_run_ns, kernel_run_ns and self_run_ns as sums, and
 * start_ns and end_ns, the times of both readings. A baseline only remembers; it is the first.
 */
int bpf_tasks_read(struct bpf_tasks *tasks, bool baseline, struct collection *collection,
		   struct error *error);

/* Adds the last parts of the tasks that have ended. -ENOMEM. */
int bpf_tasks_take_ended(struct bpf_tasks *tasks, struct collection *collection);

/* From now on the threads of this group are handed out one by one (or no more). -errno. */
int bpf_tasks_track(struct bpf_tasks *tasks, pid_t tgid);
void bpf_tasks_untrack(struct bpf_tasks *tasks, pid_t tgid);

void bpf_tasks_free(struct bpf_tasks *tasks);

#endif
