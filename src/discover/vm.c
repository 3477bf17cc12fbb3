/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/printable.h"
#include "discover/proc_file.h"

void vm_clear(struct vm *vm)
{
	free(vm->name);
	free(vm->id);
	free(vm->uuid);
	free(vm->display_name);
	free(vm->cgroup);
	free(vm->threads);
	free(vm->taps);
	free(vm->counters);
	*vm = (struct vm){0};
}

void vm_list_clear(struct vm_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		vm_clear(&list->vms[i]);
	free(list->vms);
	*list = (struct vm_list){0};
}

bool vm_matches(const struct vm *vm, const char *selector)
{
	char *end;
	long pid;

	if (!strcmp(selector, vm->name) || !strcmp(selector, vm->id))
		return true;
	if (vm->uuid && !strcasecmp(selector, vm->uuid))
		return true;
	if (vm->display_name && !strcmp(selector, vm->display_name))
		return true;
	if (selector[0] < '0' || selector[0] > '9')
		return false;
	errno = 0;
	pid = strtol(selector, &end, 10);
	return !errno && !*end && pid == vm->pid;
}

bool vm_is_selected(const struct vm *vm, const char *const *selectors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (vm_matches(vm, selectors[i]))
			return true;
	return count == 0;
}

static int compare_threads(const void *left, const void *right)
{
	const struct vm_thread *a = left, *b = right;

	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

void vm_sort_threads(struct vm *vm)
{
	if (vm->thread_count > 1)
		qsort(vm->threads, vm->thread_count, sizeof(*vm->threads), compare_threads);
}

struct vm_thread *vm_find_thread(const struct vm *vm, pid_t tid)
{
	for (size_t i = 0; i < vm->thread_count; i++)
		if (vm->threads[i].tid == tid)
			return &vm->threads[i];
	return NULL;
}

/*
 * Room for one thread more. The capacity is not kept: it is the power of two (8 at least) that
 * holds the count, and grows when the count reaches it.
 */
static int reserve_thread(struct vm *vm)
{
	size_t count = vm->thread_count;
	size_t capacity = count < 8 ? 8 : 2 * count;
	struct vm_thread *threads;

	if (count && (count < 8 || (count & (count - 1))))
		return 0;
	threads = realloc(vm->threads, capacity * sizeof(*threads));
	if (!threads)
		return -ENOMEM;
	vm->threads = threads;
	return 0;
}

struct vm_thread *vm_add_thread(struct vm *vm, pid_t tid, pid_t tgid, const char *name)
{
	struct vm_thread thread = {.tid = tid, .tgid = tgid};
	struct vm_thread *there = vm_find_thread(vm, tid);
	size_t at = 0;

	if (there)
		return there;
	if (reserve_thread(vm))
		return NULL;
	thread.role = thread_role_from_name(name, tid == vm->pid, &thread.index);
	memcpy(thread.name, name, strnlen(name, sizeof(thread.name) - 1));
	printable(thread.name);

	while (at < vm->thread_count && compare_threads(&vm->threads[at], &thread) < 0)
		at++;
	memmove(&vm->threads[at + 1], &vm->threads[at],
		(vm->thread_count - at) * sizeof(*vm->threads));
	vm->threads[at] = thread;
	vm->thread_count++;
	return &vm->threads[at];
}
