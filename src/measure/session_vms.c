/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The place in the list (in rising order of pid, then start time) where the VM is or would be.
 */
static size_t tracked_place(const struct session *session, pid_t pid, uint64_t start_time)
{
	size_t low = 0, high = session->tracked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tracked_vm *vm = &session->tracked[middle];
		if (vm->pid < pid || (vm->pid == pid && vm->start_time < start_time))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct tracked_vm *session_find_tracked(const struct session *session, const struct vm *vm)
{
	size_t place = tracked_place(session, vm->pid, vm->start_time);

	if (place < session->tracked_count && session->tracked[place].pid == vm->pid &&
	    session->tracked[place].start_time == vm->start_time)
		return &session->tracked[place];
	return NULL;
}

static int track_group(struct session *session, struct tracked_vm *tracked, pid_t tgid)
{
	for (size_t i = 0; i < tracked->group_count; i++)
		if (tracked->groups[i] == tgid)
			return 0;
	if (array_reserve(&tracked->groups, &tracked->group_room, tracked->group_count + 1,
			  sizeof(*tracked->groups)))
		return -ENOMEM;
	tracked->groups[tracked->group_count++] = tgid;
	return collector_track(session->collector, tgid);
}

/*
 * Starts to keep a VM. One that was there when the session began has a past that is not ours;
 * one that came later has all its exits in the session.
 */
static struct tracked_vm *track_vm(struct session *session, const struct vm *vm)
{
	if (array_reserve(&session->tracked, &session->tracked_room, session->tracked_count + 1,
			  sizeof(*session->tracked)))
		return NULL;
	size_t place = tracked_place(session, vm->pid, vm->start_time);
	struct tracked_vm *tracked = &session->tracked[place];
	memmove(tracked + 1, tracked, (session->tracked_count++ - place) * sizeof(*tracked));
	*tracked = (struct tracked_vm){
		.pid = vm->pid, .start_time = vm->start_time, .owner = ++session->last_owner};
	if (!session->first_scan_done) {
		tracked->exits = vm->exits;
		tracked->halt_poll_ns = vm->halt_poll_ns;
	}
	/* Where it starts from. */
	struct shared_use use;
	struct traffic traffic;
	bool known;
	if (vm_causes_read(&tracked->causes, vm, session->net_dev_texts, &use, &traffic,
			   &known))
		return NULL;
	return tracked;
}

/* Tells causal tagging which device and thread group belongs to which VM. */
static int tell_owners(struct session *session, struct error *error)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);
	int code = 0;

	if (!session->tagging)
		return 0;
	causal_tagging_clear_vms(session->tagging);
	for (size_t i = 0; !code && i < list->count; i++) {
		const struct tracked_vm *tracked = session_find_tracked(session, &list->vms[i]);
		if (tracked && !list->vms[i].gone)
			code = causal_tagging_add_vm(session->tagging, &list->vms[i],
						     &tracked->causes, tracked->owner);
	}
	if (!code)
		code = causal_tagging_use_vms(session->tagging);
	return code ? error_set(error, code, "cannot hand the VMs' devices to BPF: %s",
				strerror(-code))
		    : 0;
}

int session_scan(struct session *session, struct error *error)
{
	int code = discoverer_scan(session->discoverer, false, error);

	if (code)
		return code;
	net_dev_texts_clear(session->net_dev_texts);
	const struct vm_list *list = discoverer_vms(session->discoverer);
	for (size_t i = 0; i < list->count; i++) {
		const struct vm *vm = &list->vms[i];
		struct tracked_vm *tracked = session_find_tracked(session, vm);
		if (!tracked)
			tracked = track_vm(session, vm);
		if (!tracked)
			return error_set(error, -ENOMEM, "no memory for VM %s", vm->name);
		code = track_group(session, tracked, vm->pid);
		for (size_t j = 0; !code && j < vm->thread_count; j++)
			code = track_group(session, tracked, vm->threads[j].tgid);
		if (code)
			return error_set(error, code, "cannot follow the threads of VM %s",
					 vm->name);
	}
	session->first_scan_done = true;
	return tell_owners(session, error);
}

static void untrack_vm(struct session *session, struct tracked_vm *tracked)
{
	for (size_t i = 0; i < tracked->group_count; i++)
		collector_untrack(session->collector, tracked->groups[i]);
	free(tracked->groups);
	vm_causes_free(&tracked->causes);
	size_t place = (size_t)(tracked - session->tracked);
	memmove(tracked, tracked + 1, (--session->tracked_count - place) * sizeof(*tracked));
}

void session_forget_ended(struct session *session)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);

	for (size_t i = 0; i < list->count; i++) {
		struct tracked_vm *tracked = session_find_tracked(session, &list->vms[i]);
		if (list->vms[i].gone && tracked)
			untrack_vm(session, tracked);
	}
	discoverer_drop_gone(session->discoverer);
	for (size_t i = 0; i < session->unseen_count; i++) {
		collector_untrack(session->collector, session->unseen[i].pid);
		vm_clear(&session->unseen[i]);
	}
	session->unseen_count = 0;
}

/* A VM that is known from its guest-mode samples alone: all that is left of it is its pid. */
static int add_unseen(struct session *session, pid_t pid)
{
	char text[24];

	if (array_reserve(&session->unseen, &session->unseen_room, session->unseen_count + 1,
			  sizeof(*session->unseen)))
		return -ENOMEM;
	struct vm *vm = &session->unseen[session->unseen_count];
	*vm = (struct vm){.pid = pid, .gone = true};
	snprintf(text, sizeof(text), "vm-%d", pid);
	vm->name = strdup(text);
	snprintf(text, sizeof(text), "%d", pid);
	vm->id = strdup(text);
	snprintf(vm->vmm, sizeof(vm->vmm), "unknown");
	session->unseen_count++;
	return vm->name && vm->id ? 0 : -ENOMEM;
}

static bool is_vm_group(const struct session *session, pid_t tgid)
{
	size_t place = tracked_place(session, tgid, 0);

	if (place < session->tracked_count && session->tracked[place].pid == tgid)
		return true;
	for (size_t i = 0; i < session->tracked_count; i++)
		for (size_t j = 0; j < session->tracked[i].group_count; j++)
			if (session->tracked[i].groups[j] == tgid)
				return true;
	for (size_t i = 0; i < session->unseen_count; i++)
		if (session->unseen[i].pid == tgid)
			return true;
	return false;
}

int session_find_unseen(struct session *session, const struct collection *collection)
{
	int error = 0;

	for (size_t i = 0; !error && i < collection->count_count; i++)
		if (collection->counts[i].mode == MODE_GUEST &&
		    !is_vm_group(session, collection->counts[i].tgid))
			error = add_unseen(session, collection->counts[i].tgid);
	return error;
}

/* The rise of a VM's counters in the interval. */
static int count_vm(struct session *session, const struct vm *vm, struct interval_vm *out,
		    struct shared_use *use)
{
	struct tracked_vm *tracked = session_find_tracked(session, vm);

	if (!tracked)
		return 0;
	if (vm->kvm_stats_known) {
		out->kvm_stats_known = true;
		out->exits = vm->exits - tracked->exits;
		out->halt_poll_ns = vm->halt_poll_ns - tracked->halt_poll_ns;
		tracked->exits = vm->exits;
		tracked->halt_poll_ns = vm->halt_poll_ns;
	}
	int error = vm_causes_read(&tracked->causes, vm, session->net_dev_texts, use,
				   &out->traffic, &out->traffic_known);
	out->unseen = tracked->causes.unseen;
	/* 0 would say that it has no traffic. */
	if (out->unseen && !vm->tap_count)
		out->traffic_known = false;
	return error;
}

int session_describe_vm(struct session *session, struct vm *vm, struct interval_vm *out,
			struct shared_use *use)
{
	int error =
		interval_vm_describe(out, vm, session->options.vms, session->options.vm_count);

	return error ? error : count_vm(session, vm, out, use);
}

void session_free_vms(struct session *session)
{
	for (size_t i = 0; i < session->tracked_count; i++) {
		free(session->tracked[i].groups);
		vm_causes_free(&session->tracked[i].causes);
	}
	free(session->tracked);
	for (size_t i = 0; i < session->unseen_count; i++)
		vm_clear(&session->unseen[i]);
	free(session->unseen);
}
