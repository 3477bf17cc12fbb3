/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/discover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "discover/internal.h"
#include "discover/identity.h"
#include "discover/vcpu_threads.h"

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "no memory for the VMs of this host");
}

static int compare_tracked(const void *left, const void *right)
{
	const struct tracked_vm *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static struct tracked_vm *find_tracked(const struct discoverer *discoverer, pid_t pid)
{
	struct tracked_vm key = {.pid = pid};

	if (!discoverer->tracked_count)
		return NULL;
	return bsearch(&key, discoverer->tracked, discoverer->tracked_count, sizeof(key),
		       compare_tracked);
}

static int compare_vms(const void *left, const void *right)
{
	const struct vm *a = left, *b = right;
	int names = strcmp(a->name, b->name);

	if (names)
		return names;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->start_time > b->start_time) - (a->start_time < b->start_time);
}

/* Restores both orders and the links between them. */
static void relink(struct discoverer *discoverer)
{
	struct vm_list *list = &discoverer->list;

	if (list->count)
		qsort(list->vms, list->count, sizeof(*list->vms), compare_vms);
	if (discoverer->tracked_count)
		qsort(discoverer->tracked, discoverer->tracked_count, sizeof(struct tracked_vm),
		      compare_tracked);
	for (size_t i = 0; i < list->count; i++)
		if (!list->vms[i].gone)
			find_tracked(discoverer, list->vms[i].pid)->vm = &list->vms[i];
}

void discoverer_drop_gone(struct discoverer *discoverer)
{
	struct vm_list *list = &discoverer->list;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->vms[i].gone)
			vm_clear(&list->vms[i]);
		else
			list->vms[kept++] = list->vms[i];
	}
	list->count = kept;
	relink(discoverer);
}

/* Marks the VMs that ended. True when there is one. */
static bool retire(struct discoverer *discoverer)
{
	size_t kept = 0;

	for (size_t i = 0; i < discoverer->tracked_count; i++) {
		struct tracked_vm *tracked = &discoverer->tracked[i];
		const struct claim *claim = claims_find(&discoverer->claims, tracked->pid);

		if (claim && claim->start_ns == tracked->start_ns) {
			discoverer->tracked[kept++] = *tracked;
			continue;
		}
		tracked->vm->gone = true;
		tracked_clear(tracked);
	}
	if (kept == discoverer->tracked_count)
		return false;
	discoverer->tracked_count = kept;
	return true;
}

static int add_vm(struct discoverer *discoverer, const struct claim *claim, struct error *error)
{
	struct vm vm = {
		.pid = claim->owner,
		.start_time = claim->start_ns / discoverer->tick_ns,
	};
	int result;

	if (array_reserve(&discoverer->list.vms, &discoverer->list_room,
			  discoverer->list.count + 1, sizeof(vm)) ||
	    array_reserve(&discoverer->tracked, &discoverer->tracked_room,
			  discoverer->tracked_count + 1, sizeof(struct tracked_vm)))
		return no_memory(error);
	result = identity_read(discoverer->proc_root, &vm, error);
	if (result) {
		vm_clear(&vm);
		return result;
	}
	discoverer->list.vms[discoverer->list.count++] = vm;
	discoverer->tracked[discoverer->tracked_count++] = (struct tracked_vm){
		.pid = claim->owner,
		.start_ns = claim->start_ns,
	};
	return 0;
}

/* Adds the VMs that are new; *changed is set when there is one. */
static int add_new_vms(struct discoverer *discoverer, bool *changed, struct error *error)
{
	size_t known = discoverer->tracked_count;
	int result = 0;

	for (size_t i = 0; i < discoverer->claims.count && !result; i++) {
		const struct claim *claim = &discoverer->claims.claims[i];
		struct tracked_vm key = {.pid = claim->owner};

		if (i && claim[-1].owner == claim->owner)
			continue;
		if (known &&
		    bsearch(&key, discoverer->tracked, known, sizeof(key), compare_tracked))
			continue;
		*changed = true;
		result = add_vm(discoverer, claim, error);
	}
	return result;
}

/* Takes vCPUs and processes over from the records; *changed is set when there are others. */
static int update_vm(struct discoverer *discoverer, struct tracked_vm *tracked, bool *changed)
{
	const struct claim *end = discoverer->claims.claims + discoverer->claims.count;
	size_t vcpus = 0, processes = tracked->process_count;

	if (tracked_add_process(tracked, tracked->pid))
		return -ENOMEM;
	for (const struct claim *claim = claims_find(&discoverer->claims, tracked->pid);
	     claim < end && claim->owner == tracked->pid; claim++) {
		if (array_reserve(&discoverer->vcpus, &discoverer->vcpu_room,
				  vcpus + claim->count, sizeof(struct tracked_vcpu)))
			return -ENOMEM;
		for (size_t i = 0; i < claim->count; i++) {
			const struct vm_file *file =
				&discoverer->files.records[claim->first + i];

			if (tracked_add_process(tracked, (pid_t)file->tgid))
				return -ENOMEM;
			if (file->kind != VM_FILE_VCPU)
				continue;
			discoverer->vcpus[vcpus++] = (struct tracked_vcpu){
				.kvm = file->kvm,
				.index = file->index,
				.fd = file->fd,
				.runner = (pid_t)file->runner,
				.has_stats = file->flags & VM_FILE_HAS_STATS,
				.exits = file->exits,
				.halt_poll_ns = file->halt_poll_ns,
				.classified = file->flags & VM_FILE_HAS_EXIT_CLASSES,
				.user_exits = file->user_exits,
				.interrupt_exits = file->interrupt_exits,
			};
		}
	}
	if (array_reserve(&tracked->vcpus, &tracked->vcpu_room, vcpus,
			  sizeof(struct tracked_vcpu)) ||
	    array_reserve(&tracked->vm->counters, &tracked->counter_room, vcpus,
			  sizeof(struct vm_vcpu)))
		return -ENOMEM;
	*changed |= tracked_update_vcpus(tracked, discoverer->vcpus, vcpus);
	*changed |= tracked->process_count != processes;
	tracked->vm->kvm_stats_known &= discoverer->bpf != NULL;
	return 0;
}

int discoverer_scan(struct discoverer *discoverer, bool relist_threads, struct error *error)
{
	bool changed = relist_threads;
	int result;

	if (discoverer->bpf)
		result = bpf_source_files(discoverer->bpf, &discoverer->files, error);
	else
		result = proc_source_files(discoverer->proc, relist_threads, &discoverer->files,
					   error);
	if (result)
		return result;
	if (claims_make(&discoverer->claims, &discoverer->files))
		return no_memory(error);
	changed |= retire(discoverer);
	result = add_new_vms(discoverer, &changed, error);
	relink(discoverer);
	if (result)
		return result;

	for (size_t i = 0; i < discoverer->tracked_count; i++) {
		if (relist_threads)
			discoverer->tracked[i].process_count = 0;
		if (update_vm(discoverer, &discoverer->tracked[i], &changed))
			return no_memory(error);
	}
	if (discoverer_index_members(discoverer))
		return no_memory(error);
	if (changed) {
		result = discoverer_list_threads(discoverer, error);
		if (result)
			return result;
	} else if (discoverer->proc) {
		for (size_t i = 0; i < discoverer->tracked_count; i++)
			if (!vcpu_threads_complete(&discoverer->tracked[i]))
				vcpu_threads_assign(&discoverer->tracked[i],
						    discoverer->proc_root);
	}
	return discoverer_update_taps(discoverer) ? no_memory(error) : 0;
}

static int open_source(struct discoverer *discoverer, const struct discover_options *options,
		       struct error *error)
{
	struct error reason = {0};
	bool live = !strcmp(discoverer->proc_root, "/proc");
	int result;

	if (live && access("/proc/1/stat", R_OK))
		return error_set(error, -EPERM,
				 "/proc hides the processes of other users (mount option "
				 "hidepid): needs CAP_SYS_PTRACE (run as root)");
	if (options->source == DISCOVER_PROC || (options->source == DISCOVER_AUTO && !live))
		return proc_source_new(&discoverer->proc, discoverer->proc_root, error);
	if (!live)
		return error_set(error, -EOPNOTSUPP,
				 "BPF tells of the running kernel only, not of %s",
				 discoverer->proc_root);
	result = bpf_source_new(&discoverer->bpf, options->classify_exits, &reason);
	if (!result)
		return 0;
	if (options->source == DISCOVER_BPF || result == -ENOMEM)
		return error_set(error, result, "%s", reason.message);
	memcpy(discoverer->note, reason.message, sizeof(discoverer->note));
	return proc_source_new(&discoverer->proc, discoverer->proc_root, error);
}

int discoverer_new(struct discoverer **out, const struct discover_options *options,
		   struct error *error)
{
	struct discoverer *discoverer = calloc(1, sizeof(*discoverer));
	int result;

	if (!discoverer)
		return no_memory(error);
	discoverer->tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	discoverer->proc_root = strdup(options->proc_root ? options->proc_root : "/proc");
	result = discoverer->proc_root ? open_source(discoverer, options, error)
				       : no_memory(error);
	if (result) {
		discoverer_free(discoverer);
		return result;
	}
	*out = discoverer;
	return 0;
}

struct vm_list *discoverer_vms(struct discoverer *discoverer)
{
	return &discoverer->list;
}

enum discover_source discoverer_source(const struct discoverer *discoverer)
{
	return discoverer->bpf ? DISCOVER_BPF : DISCOVER_PROC;
}

const char *discoverer_note(const struct discoverer *discoverer)
{
	return discoverer->note;
}

void discoverer_free(struct discoverer *discoverer)
{
	if (!discoverer)
		return;
	for (size_t i = 0; i < discoverer->tracked_count; i++)
		tracked_clear(&discoverer->tracked[i]);
	vm_list_clear(&discoverer->list);
	bpf_source_free(discoverer->bpf);
	proc_source_free(discoverer->proc);
	free(discoverer->tracked);
	free(discoverer->members);
	free(discoverer->files.records);
	free(discoverer->tasks.records);
	free(discoverer->claims.claims);
	free(discoverer->vcpus);
	free(discoverer->pids);
	free(discoverer->proc_root);
	free(discoverer);
}
