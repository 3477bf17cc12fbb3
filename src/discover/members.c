/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of VMs, and what they bring: threads and taps. */
#include "discover/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/printable.h"
#include "discover/kernel_threads.h"
#include "discover/proc_file.h"
#include "discover/vcpu_threads.h"

static int compare_members(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int compare_members_owner_first(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner ? -1 : 1;
	return (a->tracked > b->tracked) - (a->tracked < b->tracked);
}

int discoverer_index_members(struct discoverer *discoverer)
{
	struct member *members;
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < discoverer->tracked_count; i++) {
		const struct tracked_vm *tracked = &discoverer->tracked[i];

		if (array_reserve(&discoverer->members, &discoverer->member_room,
				  count + tracked->process_count, sizeof(struct member)))
			return -ENOMEM;
		for (size_t n = 0; n < tracked->process_count; n++)
			discoverer->members[count++] = (struct member){
				.pid = tracked->processes[n],
				.owner = tracked->processes[n] == tracked->pid,
				.tracked = i,
			};
	}
	members = discoverer->members;
	if (count)
		qsort(members, count, sizeof(*members), compare_members_owner_first);
	for (size_t i = 0; i < count; i++)
		if (!kept || members[kept - 1].pid != members[i].pid)
			members[kept++] = members[i];
	discoverer->member_count = kept;
	return 0;
}

static struct tracked_vm *vm_of_process(const struct discoverer *discoverer, pid_t pid)
{
	struct member key = {.pid = pid}, *found = NULL;

	if (discoverer->member_count)
		found = bsearch(&key, discoverer->members, discoverer->member_count,
				sizeof(key), compare_members);
	return found ? &discoverer->tracked[found->tracked] : NULL;
}

/* Do both run the same program? Then the child was forked to work for its parent. */
static bool same_program(const char *proc_root, unsigned a, unsigned b)
{
	char first[PATH_MAX], second[PATH_MAX];

	return proc_link(first, sizeof(first), "%s/%u/exe", proc_root, a) > 0 &&
	       proc_link(second, sizeof(second), "%s/%u/exe", proc_root, b) > 0 &&
	       !strcmp(first, second);
}

static int read_tasks(struct discoverer *discoverer, struct error *error)
{
	size_t count = discoverer->member_count;

	if (array_reserve(&discoverer->pids, &discoverer->pid_room, count, sizeof(pid_t)))
		return error_set(error, -ENOMEM, "no memory for the threads of VMs");
	for (size_t i = 0; i < count; i++)
		discoverer->pids[i] = discoverer->members[i].pid;
	if (discoverer->bpf)
		return bpf_source_tasks(discoverer->bpf, discoverer->pids, count,
					&discoverer->tasks, error);
	return proc_source_tasks(discoverer->proc, discoverer->pids, count, &discoverer->tasks,
				 error);
}

/* Adds forked helpers to their VM; *added says whether there is a new one. */
static int adopt_children(struct discoverer *discoverer, bool *added)
{
	*added = false;
	for (size_t i = 0; i < discoverer->tasks.count; i++) {
		const struct vm_task *task = &discoverer->tasks.records[i];
		struct tracked_vm *parent;

		if (task->flags & VM_TASK_KERNEL || task->tid != task->tgid ||
		    vm_of_process(discoverer, (pid_t)task->tgid))
			continue;
		parent = vm_of_process(discoverer, (pid_t)task->parent);
		if (!parent || !same_program(discoverer->proc_root, task->parent, task->tgid))
			continue;
		if (tracked_add_process(parent, (pid_t)task->tgid))
			return -ENOMEM;
		*added = true;
	}
	return *added ? discoverer_index_members(discoverer) : 0;
}

int discoverer_list_threads(struct discoverer *discoverer, struct error *error)
{
	const char *evidence = discoverer->proc ? discoverer->proc_root : NULL;
	bool added = true;
	int result = 0;

	/* each round goes one generation down: crosvm's devices may have a jailer between */
	for (unsigned generation = 0; added && generation < 8; generation++) {
		result = read_tasks(discoverer, error);
		if (result)
			return result;
		if (adopt_children(discoverer, &added))
			return error_set(error, -ENOMEM, "no memory for the threads of VMs");
	}
	for (size_t i = 0; i < discoverer->tracked_count; i++)
		discoverer->tracked[i].vm->thread_count = 0;
	for (size_t i = 0; i < discoverer->tasks.count; i++) {
		const struct vm_task *task = &discoverer->tasks.records[i];
		struct tracked_vm *tracked = NULL;

		if (!(task->flags & VM_TASK_KERNEL))
			tracked = vm_of_process(discoverer, (pid_t)task->tgid);
		if (tracked && !vm_add_thread(tracked->vm, (pid_t)task->tid, (pid_t)task->tgid,
					      task->name))
			return error_set(error, -ENOMEM, "no memory for the threads of VMs");
	}
	if (kernel_threads_add(discoverer->tracked, discoverer->tracked_count,
			       &discoverer->tasks, discoverer->proc_root))
		return error_set(error, -ENOMEM, "no memory for the threads of VMs");
	for (size_t i = 0; i < discoverer->tracked_count; i++)
		vcpu_threads_assign(&discoverer->tracked[i], evidence);
	return 0;
}

static int compare_taps(const void *left, const void *right)
{
	const struct vm_tap *a = left, *b = right;
	int names = strcmp(a->name, b->name);

	return names ? names : (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

static int add_tap(struct vm *vm, const struct vm_file *file)
{
	struct vm_tap *taps;

	for (size_t i = 0; i < vm->tap_count; i++)
		if (vm->taps[i].ifindex == file->ifindex &&
		    !strcmp(vm->taps[i].name, file->name))
			return 0;
	taps = realloc(vm->taps, (vm->tap_count + 1) * sizeof(*taps));
	if (!taps)
		return -ENOMEM;
	vm->taps = taps;
	taps[vm->tap_count] = (struct vm_tap){.ifindex = file->ifindex};
	memcpy(taps[vm->tap_count].name, file->name, sizeof(file->name) - 1);
	printable(taps[vm->tap_count].name);
	vm->tap_count++;
	return 0;
}

int discoverer_update_taps(struct discoverer *discoverer)
{
	for (size_t i = 0; i < discoverer->tracked_count; i++)
		discoverer->tracked[i].vm->tap_count = 0;
	for (size_t i = 0; i < discoverer->files.count; i++) {
		const struct vm_file *file = &discoverer->files.records[i];
		struct tracked_vm *tracked = NULL;

		if (file->kind == VM_FILE_TAP)
			tracked = vm_of_process(discoverer, (pid_t)file->tgid);
		if (tracked && add_tap(tracked->vm, file))
			return -ENOMEM;
	}
	for (size_t i = 0; i < discoverer->tracked_count; i++) {
		struct vm *vm = discoverer->tracked[i].vm;

		if (vm->tap_count > 1)
			qsort(vm->taps, vm->tap_count, sizeof(*vm->taps), compare_taps);
	}
	return 0;
}
