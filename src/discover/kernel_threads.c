/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/kernel_threads.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "discover/identity.h"
#include "discover/proc_file.h"

/* How a kernel thread's name tells its VM. */
enum origin { ORIGIN_THREAD, ORIGIN_NAMESPACED_PROCESS };

static const struct {
	const char *prefix;
	enum origin origin;
	bool follows_cgroup;
} kinds[] = {
	{"vhost-", ORIGIN_THREAD, true},
	{"kvm-nx-lpage-recovery-", ORIGIN_THREAD, true},
	{"kvm-nx-lpage-re", ORIGIN_THREAD, true},
	{"kvm-pit/", ORIGIN_NAMESPACED_PROCESS, false},
};

static struct tracked_vm *owner_of_thread(struct tracked_vm *vms, size_t count, pid_t tid)
{
	for (size_t i = 0; i < count; i++)
		if (vms[i].pid == tid || vm_find_thread(vms[i].vm, tid))
			return &vms[i];
	return NULL;
}

/* The pid of a process in its innermost pid namespace, or 0. */
static pid_t inner_pid(const char *proc_root, struct tracked_vm *tracked)
{
	size_t length;
	char *text, *line;

	if (tracked->inner_pid)
		return tracked->inner_pid;
	text = proc_read(16384, &length, "%s/%d/status", proc_root, tracked->pid);
	line = text ? strstr(text, "\nNSpid:") : NULL;
	if (line) {
		char *end = strchr(line + 1, '\n');

		if (end)
			*end = '\0';
		line = strrchr(line, '\t');
		tracked->inner_pid = line ? (pid_t)strtol(line, NULL, 10) : 0;
	}
	free(text);
	return tracked->inner_pid;
}

static struct tracked_vm *owner_of_inner_pid(struct tracked_vm *vms, size_t count, pid_t pid,
					     const char *proc_root)
{
	struct tracked_vm *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (inner_pid(proc_root, &vms[i]) != pid)
			continue;
		if (found)
			return NULL;
		found = &vms[i];
	}
	return found;
}

/* The only VM in the cgroup of the kernel thread, or NULL. */
static int owner_by_cgroup(struct tracked_vm *vms, size_t count, pid_t tid,
			   const char *proc_root, struct tracked_vm **owner)
{
	size_t length;
	char *text = proc_read(65536, &length, "%s/%d/cgroup", proc_root, tid);
	char *path = NULL;
	int result = text ? identity_cgroup_path(text, &path) : 0;
	bool telling = path && strcmp(path, "/") != 0;

	*owner = NULL;
	for (size_t i = 0; telling && i < count; i++) {
		if (!vms[i].vm->cgroup || strcmp(vms[i].vm->cgroup, path))
			continue;
		if (*owner) {
			*owner = NULL;
			break;
		}
		*owner = &vms[i];
	}
	free(path);
	free(text);
	return result;
}

static int find_owner(struct tracked_vm *vms, size_t count, const struct vm_task *task,
		      const char *proc_root, struct tracked_vm **owner)
{
	*owner = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t length = strlen(kinds[i].prefix);
		unsigned long number;

		if (strncmp(task->name, kinds[i].prefix, length))
			continue;
		if (proc_parse_number(task->name + length, INT_MAX, &number))
			*owner = kinds[i].origin == ORIGIN_THREAD
					 ? owner_of_thread(vms, count, (pid_t)number)
					 : owner_of_inner_pid(vms, count, (pid_t)number,
							      proc_root);
		if (*owner || !kinds[i].follows_cgroup)
			return 0;
		return owner_by_cgroup(vms, count, (pid_t)task->tid, proc_root, owner);
	}
	return 0;
}

int kernel_threads_add(struct tracked_vm *vms, size_t count, const struct vm_task_list *tasks,
		       const char *proc_root)
{
	for (size_t i = 0; i < tasks->count; i++) {
		const struct vm_task *task = &tasks->records[i];
		struct tracked_vm *owner;
		int result;

		if (!(task->flags & VM_TASK_KERNEL))
			continue;
		result = find_owner(vms, count, task, proc_root, &owner);
		if (result)
			return result;
		if (owner &&
		    !vm_add_thread(owner->vm, (pid_t)task->tid, (pid_t)task->tid, task->name))
			return -ENOMEM;
	}
	return 0;
}
