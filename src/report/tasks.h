/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_TASKS_H
#define KVMPERF_REPORT_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/address_space.h"
#include "report/names.h"
#include "report/tally.h"

/* The processes and threads of a recording, as its records tell of them. */

#define TASK_NONE UINT32_MAX

struct recorded_process {
	uint32_t pid;
	uint32_t parent;  /* pid; 0: not known */
	uint32_t program; /* path of its first mapping, in names; NAME_NONE */
	uint32_t live;	  /* threads that have not ended */
	bool used;
	bool kernel_thread;
	bool ran_guest;	  /* samples in guest mode */
	bool vcpu_named;  /* a thread has the name of a vCPU */
	bool emulates;	  /* QEMU without KVM: its vCPU threads say so */
	bool vmm_program; /* it runs a known VMM */
	bool serves_vm;	  /* a kernel thread that works for a VM: vhost, kvm */
	bool ended;
	struct address_space *space;
	uint32_t space_serial; /* of space; 0: it has none */
	uint32_t groups;       /* list of tally groups, by next */
};

struct recorded_thread {
	uint32_t pid, tid;
	uint32_t process;      /* index */
	uint32_t comm;	       /* in names */
	uint32_t group;	       /* of its samples under this name; GROUP_NONE before the first */
	uint32_t group_serial; /* of group alone, in this round; GROUP_NONE: it has none */
	uint64_t ended;	       /* ns; 0: it lives */
};

struct tasks {
	struct names *names;
	struct tally *tally;
	struct recorded_process *processes;
	size_t process_count, process_room;
	uint32_t free_process; /* list by parent; TASK_NONE */
	struct recorded_thread *threads;
	size_t thread_count, thread_room;
	uint32_t free_thread; /* list by process */
	struct task_place {
		uint32_t id;
		uint32_t index; /* + 1; 0: free */
	} * by_tid, *by_pid;	/* hash tables, open addressing */
	size_t tid_places, tid_used, pid_places, pid_used;
	uint32_t *ended; /* a ring of threads that ended, oldest first */
	size_t ended_first, ended_count, ended_room;
	uint32_t *gone; /* groups of processes that are gone, by 2 x name + kernel thread */
	size_t gone_room;
	uint32_t gone_groups;	    /* list of them, by next */
	uint32_t serial;	    /* of address spaces */
	uint32_t group_serial;	    /* given out last; they begin with 1 */
	uint32_t serial_rounds;	    /* how often all serials were used up */
	uint32_t swapper, nameless; /* names */
};

/* Where the search for an id begins in a table of so many places. */
static inline size_t task_slot(uint32_t id, size_t places)
{
	return (size_t)(id * 0x9e3779b1U) & (places - 1);
}

/* The index of an id in such a table; TASK_NONE. */
static inline uint32_t task_find(const struct task_place *table, size_t places, uint32_t id)
{
	if (!places)
		return TASK_NONE;
	for (size_t i = task_slot(id, places); table[i].index; i = (i + 1) & (places - 1))
		if (table[i].id == id)
			return table[i].index - 1;
	return TASK_NONE;
}

/* The thread, if it was told of; NULL. Valid until the next change of tasks. */
static inline const struct recorded_thread *tasks_known_thread(const struct tasks *tasks,
							       uint32_t pid, uint32_t tid)
{
	uint32_t index = task_find(tasks->by_tid, tasks->tid_places, tid);

	return index != TASK_NONE && tasks->threads[index].pid == pid ? &tasks->threads[index]
								      : NULL;
}

/* names and tally are not owned. -ENOMEM. */
int tasks_init(struct tasks *tasks, struct names *names, struct tally *tally);

/* The thread, made when nobody told of it. TASK_NONE without memory. */
uint32_t tasks_thread(struct tasks *tasks, uint32_t pid, uint32_t tid);

/* The group of the thread's samples; GROUP_NONE without memory. */
uint32_t tasks_group(struct tasks *tasks, uint32_t thread);

/*
 * What the records of these names tell; time is theirs (ns). -ENOMEM. exec: the process begins
 * a new program, so that its mappings are gone.
 */
int tasks_fork(struct tasks *tasks, uint32_t pid, uint32_t tid, uint32_t parent_pid,
	       uint32_t parent_tid, bool copies_space);
int tasks_name(struct tasks *tasks, uint32_t pid, uint32_t tid, const char *comm, size_t length,
	       bool exec);
int tasks_map(struct tasks *tasks, uint32_t pid, uint32_t tid, const struct mapping *mapping);
int tasks_exit(struct tasks *tasks, uint32_t pid, uint32_t tid, uint64_t time);

/* Is it, or may it be, a VM's process: are its threads kept one by one? */
bool tasks_may_be_vm(const struct tasks *tasks, uint32_t process);

/* The process of a pid, or TASK_NONE. */
uint32_t tasks_find_process(const struct tasks *tasks, uint32_t pid);

void tasks_clear(struct tasks *tasks);

#endif
