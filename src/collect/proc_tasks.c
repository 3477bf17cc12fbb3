/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/proc_tasks.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

bool proc_tasks_is_tracked(const struct proc_tasks *self, pid_t tgid)
{
	size_t place = array_place(self->groups, self->group_count, sizeof(pid_t), 0, tgid);

	return place < self->group_count && self->groups[place] == tgid;
}

struct thread_reading *proc_tasks_find(const struct proc_tasks *self, pid_t tid)
{
	size_t place = ARRAY_PLACE(self->threads, self->thread_count, tid, tid);
	if (place == self->thread_count || self->threads[place].tid != tid)
		return NULL;
	return &self->threads[place];
}

struct thread_reading *proc_tasks_add(struct proc_tasks *self, pid_t tgid, pid_t tid)
{
	if (array_reserve(&self->threads, &self->thread_room, self->thread_count + 1,
			  sizeof(*self->threads)))
		return NULL;
	size_t place = ARRAY_PLACE(self->threads, self->thread_count, tid, tid);
	struct thread_reading *thread = &self->threads[place];
	memmove(thread + 1, thread, (self->thread_count++ - place) * sizeof(*thread));
	*thread = (struct thread_reading){.tgid = tgid, .tid = tid};
	return thread;
}

bool proc_task_kind(pid_t tid, bool *kernel_thread, char name[16])
{
	char path[64], line[512];
	unsigned flags;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t length = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[length] = '\0';
	char *open = strchr(line, '('), *close = strrchr(line, ')');
	if (!open || !close || sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		return false;
	*kernel_thread = flags & 0x00200000; /* include/linux/sched.h, PF_KTHREAD */
	snprintf(name, 16, "%.*s", (int)(close - open - 1), open + 1);
	return true;
}

int proc_tasks_track(struct proc_tasks *self, pid_t tgid)
{
	size_t place = array_place(self->groups, self->group_count, sizeof(pid_t), 0, tgid);

	if (place < self->group_count && self->groups[place] == tgid)
		return 0;
	if (array_reserve(&self->groups, &self->group_room, self->group_count + 1,
			  sizeof(*self->groups)))
		return -ENOMEM;
	memmove(&self->groups[place + 1], &self->groups[place],
		(self->group_count++ - place) * sizeof(*self->groups));
	self->groups[place] = tgid;
	return 0;
}

void proc_tasks_untrack(struct proc_tasks *self, pid_t tgid)
{
	size_t place = array_place(self->groups, self->group_count, sizeof(pid_t), 0, tgid);

	if (place == self->group_count || self->groups[place] != tgid)
		return;
	memmove(&self->groups[place], &self->groups[place + 1],
		(--self->group_count - place) * sizeof(*self->groups));
}

/* Fields 1 and 2 of schedstat; false when the thread has ended. */
static bool read_schedstat(pid_t tgid, pid_t tid, uint64_t *run_ns, uint64_t *ready_ns)
{
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", tgid, tid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool good = fgets(line, sizeof(line), file) &&
		    sscanf(line, "%" SCNu64 " %" SCNu64, run_ns, ready_ns) == 2;
	fclose(file);
	return good;
}

/* Hands out what a thread did since its last reading. */
static int report_thread(struct collection *collection, const struct thread_reading *thread,
			 uint64_t run_ns, uint64_t ready_ns)
{
	struct collected_task *task = collection_add_task(collection);

	if (!task)
		return -ENOMEM;
	*task = (struct collected_task){
		.tgid = thread->tgid,
		.tid = thread->tid,
		.run_ns = run_ns,
		.ready_ns = ready_ns,
		.kernel_thread = thread->kernel_thread,
	};
	memcpy(task->name, thread->name, sizeof(task->name));
	return 0;
}

static int read_thread(struct proc_tasks *self, pid_t tgid, pid_t tid, bool baseline,
		       struct collection *collection)
{
	uint64_t run_ns, ready_ns;

	if (!read_schedstat(tgid, tid, &run_ns, &ready_ns))
		return 0;
	struct thread_reading *thread = proc_tasks_find(self, tid);
	bool first = !thread || thread->run_ns == 0;
	if (!thread)
		thread = proc_tasks_add(self, tgid, tid);
	if (!thread)
		return -ENOMEM;
	/* A thread that ran for longer than the interval has a past that is not ours. */
	if (first && run_ns > collection->end_ns - collection->start_ns)
		baseline = true;
	if (thread->name[0] == '\0')
		(void)proc_task_kind(tid, &thread->kernel_thread, thread->name);
	uint64_t run = run_ns > thread->run_ns ? run_ns - thread->run_ns : 0;
	uint64_t ready = ready_ns > thread->ready_ns ? ready_ns - thread->ready_ns : 0;
	thread->run_ns = run_ns;
	thread->ready_ns = ready_ns;
	thread->samples = 0;
	thread->alive = true;
	return baseline ? 0 : report_thread(collection, thread, run, ready);
}

static int read_group(struct proc_tasks *self, pid_t tgid, bool baseline,
		      struct collection *collection)
{
	char path[64];
	int error = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", tgid);
	DIR *directory = opendir(path);
	if (!directory)
		return 0;
	for (struct dirent *entry; !error && (entry = readdir(directory));)
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			error = read_thread(self, tgid, (pid_t)atoi(entry->d_name), baseline,
					    collection);
	closedir(directory);
	return error;
}

/*
 * Threads that ended: their last part is in no file any more. Their samples since the last
 * reading tell how long it was, to within a period for each.
 */
static int report_ended(struct proc_tasks *self, uint64_t period_ns,
			struct collection *collection)
{
	size_t kept = 0;
	int error = 0;

	for (size_t i = 0; !error && i < self->thread_count; i++) {
		struct thread_reading *thread = &self->threads[i];
		if (thread->alive) {
			thread->alive = false;
			self->threads[kept++] = *thread;
		} else if (thread->samples) {
			error = report_thread(collection, thread, thread->samples * period_ns,
					      0);
		}
	}
	if (!error)
		self->thread_count = kept;
	return error;
}

int proc_tasks_read(struct proc_tasks *self, bool baseline, uint64_t period_ns,
		    struct collection *collection)
{
	int error = 0;

	for (size_t i = 0; !error && i < self->group_count; i++)
		error = read_group(self, self->groups[i], baseline, collection);
	if (!error)
		error = report_ended(self, period_ns, collection);
	return error;
}

void proc_tasks_clear(struct proc_tasks *self)
{
	free(self->groups);
	free(self->threads);
	*self = (struct proc_tasks){0};
}
