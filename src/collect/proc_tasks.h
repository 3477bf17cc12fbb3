/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_PROC_TASKS_H
#define KVMPERF_COLLECT_PROC_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/collector.h"

/*
 * The exact CPU and ready times of the threads of some thread groups, from their schedstat
 * files: for where BPF can't be had.
 */

/* The last reading of a thread of a tracked group. */
struct thread_reading {
	pid_t tgid;
	pid_t tid;
	uint64_t run_ns;
	uint64_t ready_ns;
	uint64_t samples; /* since that reading; the caller counts them */
	bool alive;	  /* found by the reading under way */
	bool kernel_thread;
	char name[16];
};

struct proc_tasks {
	pid_t *groups; /* tracked, in rising order */
	size_t group_count, group_room;
	struct thread_reading *threads; /* in rising order of tid */
	size_t thread_count, thread_room;
};

bool proc_tasks_is_tracked(const struct proc_tasks *tasks, pid_t tgid);
int proc_tasks_track(struct proc_tasks *tasks, pid_t tgid); /* -ENOMEM */
void proc_tasks_untrack(struct proc_tasks *tasks, pid_t tgid);

/* The reading of a thread, or NULL; and one that is added. NULL without memory. */
struct thread_reading *proc_tasks_find(const struct proc_tasks *tasks, pid_t tid);
struct thread_reading *proc_tasks_add(struct proc_tasks *tasks, pid_t tgid, pid_t tid);

/*
 * Reads all threads of the tracked groups and adds to the collection what each did since its
 * last reading; a baseline only remembers. The collection's start_ns and end_ns are those of
 * the interval. period_ns: the last part of a thread that ended is in no file any more; its
 * samples tell how long it was, to within a period for each. -ENOMEM.
 */
int proc_tasks_read(struct proc_tasks *tasks, bool baseline, uint64_t period_ns,
		    struct collection *collection);

/* PF_KTHREAD of the flags in /proc/TID/stat, and the name; false when the task has ended. */
bool proc_task_kind(pid_t tid, bool *kernel_thread, char name[16]);

void proc_tasks_clear(struct proc_tasks *tasks);

#endif
