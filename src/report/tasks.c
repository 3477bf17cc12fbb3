/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "discover/vmm_options.h"
#include "report/vmm_names.h"

/* How long a thread is remembered that ended: its last samples come after its EXIT record. */
#define KEEP_ENDED_NS 1000000000ULL
#define KEEP_ENDED    4096

static int put(struct task_place **table, size_t *places, size_t *used, uint32_t id,
	       uint32_t index)
{
	if (4 * (*used + 1) > *places) {
		size_t count = *places ? 2 * *places : 256;
		struct task_place *larger = calloc(count, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		for (size_t i = 0; i < *places; i++) {
			size_t at = task_slot((*table)[i].id, count);
			if (!(*table)[i].index)
				continue;
			while (larger[at].index)
				at = (at + 1) & (count - 1);
			larger[at] = (*table)[i];
		}
		free(*table);
		*table = larger;
		*places = count;
	}
	size_t at = task_slot(id, *places);
	while ((*table)[at].index && (*table)[at].id != id)
		at = (at + 1) & (*places - 1);
	if (!(*table)[at].index)
		++*used;
	(*table)[at] = (struct task_place){id, index + 1};
	return 0;
}

/* Takes an id out and closes the gap that it leaves in its run. */
static void take_out(struct task_place *table, size_t places, size_t *used, uint32_t id)
{
	size_t mask = places - 1, hole = task_slot(id, places);

	while (table[hole].index && table[hole].id != id)
		hole = (hole + 1) & mask;
	if (!table[hole].index)
		return;
	for (size_t i = (hole + 1) & mask; table[i].index; i = (i + 1) & mask) {
		size_t home = task_slot(table[i].id, places);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			table[hole] = table[i];
			hole = i;
		}
	}
	table[hole] = (struct task_place){0};
	--*used;
}

int tasks_init(struct tasks *tasks, struct names *names, struct tally *tally)
{
	*tasks = (struct tasks){.names = names,
				.tally = tally,
				.free_process = TASK_NONE,
				.free_thread = TASK_NONE};
	tasks->swapper = names_intern(names, "swapper", 7);
	tasks->nameless = names_intern(names, "?", 1);
	return tasks->swapper == NAME_NONE || tasks->nameless == NAME_NONE ? -ENOMEM : 0;
}

uint32_t tasks_find_process(const struct tasks *tasks, uint32_t pid)
{
	return task_find(tasks->by_pid, tasks->pid_places, pid);
}

static uint32_t process_of(struct tasks *tasks, uint32_t pid)
{
	uint32_t index = tasks_find_process(tasks, pid);

	if (index != TASK_NONE)
		return index;
	index = tasks->free_process;
	if (index != TASK_NONE) {
		tasks->free_process = tasks->processes[index].parent;
	} else {
		if (array_reserve(&tasks->processes, &tasks->process_room,
				  tasks->process_count + 1, sizeof(*tasks->processes)))
			return TASK_NONE;
		index = (uint32_t)tasks->process_count++;
	}
	tasks->processes[index] =
		(struct recorded_process){.pid = pid, .program = NAME_NONE, .used = true};
	if (put(&tasks->by_pid, &tasks->pid_places, &tasks->pid_used, pid, index)) {
		tasks->processes[index].used = false;
		return TASK_NONE;
	}
	return index;
}

bool tasks_may_be_vm(const struct tasks *tasks, uint32_t process)
{
	const struct recorded_process *it = &tasks->processes[process];

	return it->ran_guest || it->vcpu_named || it->vmm_program || it->serves_vm;
}

/* The group of a process's threads that ended under this name; made if need be. */
static uint32_t ended_group(struct tasks *tasks, uint32_t process, uint32_t comm)
{
	struct recorded_process *it = &tasks->processes[process];

	for (uint32_t g = it->groups; g; g = tasks->tally->groups[g].next)
		if (tasks->tally->groups[g].tid == 0 && tasks->tally->groups[g].comm == comm)
			return g;
	uint32_t group = tally_add_group(tasks->tally, process, 0, comm);
	if (group != GROUP_NONE) {
		tasks->tally->groups[group].next = it->groups;
		it->groups = group;
	}
	return group;
}

/* A host process's threads are many, and nobody asks for one of them when it has ended. */
static int fold_thread(struct tasks *tasks, uint32_t index)
{
	const struct recorded_thread *thread = &tasks->threads[index];
	struct recorded_process *process = &tasks->processes[thread->process];

	if (tasks_may_be_vm(tasks, thread->process))
		return 0;
	for (uint32_t *link = &process->groups; *link;) {
		uint32_t group = *link;
		struct tally_group *it = &tasks->tally->groups[group];
		if (it->thread != index) {
			link = &it->next;
			continue;
		}
		*link = it->next;
		uint32_t into = ended_group(tasks, thread->process, it->comm);
		if (into == GROUP_NONE || tally_fold(tasks->tally, group, into))
			return -ENOMEM;
		/* A group may have been put in front. */
		link = &process->groups;
	}
	return 0;
}

/* The group of all processes that are gone and had this name. */
static uint32_t gone_group(struct tasks *tasks, uint32_t comm, bool kernel)
{
	size_t at = 2 * (size_t)comm + kernel;

	if (array_reserve(&tasks->gone, &tasks->gone_room, at + 1, sizeof(*tasks->gone)))
		return GROUP_NONE;
	if (!tasks->gone[at]) {
		uint32_t group = tally_add_group(tasks->tally, TASK_NONE, 0, comm);
		if (group == GROUP_NONE)
			return group;
		tasks->tally->groups[group].kernel = kernel;
		tasks->tally->groups[group].next = tasks->gone_groups;
		tasks->gone_groups = group;
		tasks->gone[at] = group;
	}
	return tasks->gone[at];
}

/* One user of the new space more, of the old one less. */
static void set_space(struct recorded_process *process, struct address_space *space)
{
	address_space_use(space);
	address_space_release(process->space);
	process->space = space;
	process->space_serial = space ? space->serial : 0;
}

/* The process is gone. What may be a VM stays, with its pid free for the next one. */
static int forget_process(struct tasks *tasks, uint32_t index)
{
	struct recorded_process *process = &tasks->processes[index];
	int code = 0;

	take_out(tasks->by_pid, tasks->pid_places, &tasks->pid_used, process->pid);
	set_space(process, NULL);
	process->ended = true;
	if (tasks_may_be_vm(tasks, index))
		return 0;
	while (!code && process->groups) {
		uint32_t group = process->groups;
		struct tally_group *it = &tasks->tally->groups[group];
		process->groups = it->next;
		uint32_t into = gone_group(tasks, it->comm, process->kernel_thread);
		code = into == GROUP_NONE ? -ENOMEM : tally_fold(tasks->tally, group, into);
	}
	*process = (struct recorded_process){.parent = tasks->free_process};
	tasks->free_process = index;
	return code;
}

static int forget_thread(struct tasks *tasks, uint32_t index)
{
	struct recorded_thread *thread = &tasks->threads[index];
	uint32_t process = thread->process;
	int code = fold_thread(tasks, index);

	if (task_find(tasks->by_tid, tasks->tid_places, thread->tid) == index)
		take_out(tasks->by_tid, tasks->tid_places, &tasks->tid_used, thread->tid);
	thread->process = tasks->free_thread;
	thread->tid = 0;
	tasks->free_thread = index;
	if (--tasks->processes[process].live == 0 && !code)
		code = forget_process(tasks, process);
	return code;
}

static uint32_t add_thread(struct tasks *tasks, uint32_t pid, uint32_t tid, uint32_t comm)
{
	uint32_t process = process_of(tasks, pid), index = tasks->free_thread;

	if (process == TASK_NONE)
		return TASK_NONE;
	if (index != TASK_NONE) {
		tasks->free_thread = tasks->threads[index].process;
	} else {
		if (array_reserve(&tasks->threads, &tasks->thread_room, tasks->thread_count + 1,
				  sizeof(*tasks->threads)))
			return TASK_NONE;
		index = (uint32_t)tasks->thread_count++;
	}
	tasks->threads[index] = (struct recorded_thread){.pid = pid,
							 .tid = tid,
							 .process = process,
							 .comm = comm,
							 .group = GROUP_NONE,
							 .group_serial = GROUP_NONE};
	tasks->processes[process].live++;
	return put(&tasks->by_tid, &tasks->tid_places, &tasks->tid_used, tid, index) ? TASK_NONE
										     : index;
}

/* A thread whose number another one has now is forgotten. */
static int replace_thread(struct tasks *tasks, uint32_t tid)
{
	uint32_t index = task_find(tasks->by_tid, tasks->tid_places, tid);

	if (index == TASK_NONE)
		return 0;
	/* One that ended is still in the ring of those: it goes there. */
	if (tasks->threads[index].ended) {
		take_out(tasks->by_tid, tasks->tid_places, &tasks->tid_used, tid);
		return fold_thread(tasks, index);
	}
	return forget_thread(tasks, index);
}

uint32_t tasks_thread(struct tasks *tasks, uint32_t pid, uint32_t tid)
{
	uint32_t index = task_find(tasks->by_tid, tasks->tid_places, tid);

	if (index != TASK_NONE) {
		if (tasks->threads[index].pid == pid)
			return index;
		if (replace_thread(tasks, tid))
			return TASK_NONE;
	}
	/* A thread that is not told of has the name of its process. */
	uint32_t main =
		tid == pid ? TASK_NONE : task_find(tasks->by_tid, tasks->tid_places, pid);
	uint32_t comm = tid == 0	    ? tasks->swapper
			: main != TASK_NONE ? tasks->threads[main].comm
					    : tasks->nameless;
	return add_thread(tasks, pid, tid, comm);
}

/* No group keeps its serial. */
static void take_serials_back(struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->thread_count; i++)
		tasks->threads[i].group_serial = GROUP_NONE;
	tasks->group_serial = 0;
	tasks->serial_rounds++;
}

uint32_t tasks_group(struct tasks *tasks, uint32_t thread)
{
	struct recorded_thread *it = &tasks->threads[thread];
	struct recorded_process *process = &tasks->processes[it->process];

	if (it->group_serial != GROUP_NONE)
		return it->group;
	if (it->group == GROUP_NONE) {
		it->group = tally_add_group(tasks->tally, it->process, it->tid, it->comm);
		if (it->group == GROUP_NONE)
			return GROUP_NONE;
		tasks->tally->groups[it->group].next = process->groups;
		tasks->tally->groups[it->group].thread = thread;
		process->groups = it->group;
	}
	if (tasks->group_serial == GROUP_NONE - 1)
		take_serials_back(tasks);
	it->group_serial = ++tasks->group_serial;
	return it->group;
}

int tasks_fork(struct tasks *tasks, uint32_t pid, uint32_t tid, uint32_t parent_pid,
	       uint32_t parent_tid, bool copies_space)
{
	uint32_t parent = task_find(tasks->by_tid, tasks->tid_places, parent_tid);
	uint32_t comm = parent != TASK_NONE ? tasks->threads[parent].comm : tasks->nameless;

	if (tid == 0)
		return 0;
	/* A new process has a pid that no process had. */
	if (replace_thread(tasks, tid))
		return -ENOMEM;
	uint32_t old = pid == tid ? tasks_find_process(tasks, pid) : TASK_NONE;
	if (old != TASK_NONE)
		take_out(tasks->by_pid, tasks->pid_places, &tasks->pid_used, pid);
	uint32_t index = add_thread(tasks, pid, tid, comm);
	if (index == TASK_NONE)
		return -ENOMEM;
	if (pid == parent_pid)
		return 0;
	struct recorded_process *process = &tasks->processes[tasks->threads[index].process];
	process->parent = parent_pid;
	process->kernel_thread = pid == 2 || parent_pid == 2;
	uint32_t from = tasks_find_process(tasks, parent_pid);
	if (from != TASK_NONE && copies_space && !process->kernel_thread) {
		process->program = tasks->processes[from].program;
		process->vmm_program = tasks->processes[from].vmm_program;
		set_space(process, tasks->processes[from].space);
	}
	return 0;
}

int tasks_name(struct tasks *tasks, uint32_t pid, uint32_t tid, const char *comm, size_t length,
	       bool exec)
{
	uint32_t name = names_intern(tasks->names, comm, length);
	uint32_t index = tasks_thread(tasks, pid, tid);

	if (name == NAME_NONE || index == TASK_NONE)
		return -ENOMEM;
	struct recorded_thread *thread = &tasks->threads[index];
	struct recorded_process *process = &tasks->processes[thread->process];
	if (thread->comm != name) {
		thread->group = GROUP_NONE;
		thread->group_serial = GROUP_NONE;
	}
	thread->comm = name;
	const char *text = tasks->names->texts[name];
	if (vmm_is_vcpu_name(text, process->vmm_program))
		process->vcpu_named = true;
	else if (vmm_is_emulated_vcpu_name(text))
		process->emulates = true;
	if (process->kernel_thread && vmm_is_served_by(text))
		process->serves_vm = true;
	if (exec) {
		set_space(process, NULL);
		process->program = NAME_NONE;
		process->vmm_program = false;
	}
	return 0;
}

int tasks_map(struct tasks *tasks, uint32_t pid, uint32_t tid, const struct mapping *mapping)
{
	uint32_t index = tasks_thread(tasks, pid, tid);

	if (index == TASK_NONE)
		return -ENOMEM;
	struct recorded_process *process = &tasks->processes[tasks->threads[index].process];
	const char *path = tasks->names->texts[mapping->file];
	/* The program is mapped before its interpreter and libraries (fs/binfmt_elf.c). */
	if (process->program == NAME_NONE && path[0] == '/') {
		process->program = mapping->file;
		process->vmm_program = vmm_of_executable(path) != NULL;
	}
	int code = address_space_add(&process->space, mapping, &tasks->serial);
	process->space_serial = process->space ? process->space->serial : 0;
	return code;
}

/* Forgets the threads that ended long ago, or too many. */
static int forget_ended(struct tasks *tasks, uint64_t now)
{
	int code = 0;

	while (!code && tasks->ended_count) {
		uint32_t index = tasks->ended[tasks->ended_first % tasks->ended_room];
		if (tasks->ended_count < KEEP_ENDED &&
		    tasks->threads[index].ended + KEEP_ENDED_NS > now)
			break;
		tasks->ended_first++;
		tasks->ended_count--;
		code = forget_thread(tasks, index);
	}
	return code;
}

int tasks_exit(struct tasks *tasks, uint32_t pid, uint32_t tid, uint64_t time)
{
	uint32_t index = tasks_thread(tasks, pid, tid);

	if (index == TASK_NONE)
		return -ENOMEM;
	if (tid == 0 || tasks->threads[index].ended)
		return 0;
	int code = forget_ended(tasks, time);
	if (code)
		return code;
	if (!tasks->ended) {
		tasks->ended = calloc(KEEP_ENDED, sizeof(*tasks->ended));
		tasks->ended_room = KEEP_ENDED;
		if (!tasks->ended)
			return -ENOMEM;
	}
	tasks->ended[(tasks->ended_first + tasks->ended_count++) % tasks->ended_room] = index;
	tasks->threads[index].ended = time ? time : 1;
	return 0;
}

void tasks_clear(struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->process_count; i++)
		address_space_release(tasks->processes[i].space);
	free(tasks->processes);
	free(tasks->threads);
	free(tasks->by_tid);
	free(tasks->by_pid);
	free(tasks->ended);
	free(tasks->gone);
	*tasks = (struct tasks){0};
}
