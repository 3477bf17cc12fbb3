/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/vcpu_threads.h"

#include <stdio.h>
#include <stdlib.h>

#include "discover/proc_file.h"

#define KVM_RUN 0xae80 /* _IO(0xAE, 0x80), include/uapi/linux/kvm.h */

bool vcpu_threads_parse_syscall(const char *text, unsigned *fd)
{
	unsigned long command;

	/* the number of ioctl differs between architectures; the command is telling enough */
	return sscanf(text, "%*d 0x%x 0x%lx", fd, &command) == 2 && command == KVM_RUN;
}

static void set_vcpu(struct vm_thread *thread, int index)
{
	thread->role = THREAD_VCPU;
	thread->index = index;
}

static bool has_thread(const struct tracked_vm *tracked, const struct tracked_vcpu *vcpu)
{
	for (size_t i = 0; i < tracked->vm->thread_count; i++) {
		const struct vm_thread *thread = &tracked->vm->threads[i];

		if (thread->role == THREAD_VCPU && thread->index == vcpu->index)
			return true;
	}
	return false;
}

bool vcpu_threads_complete(const struct tracked_vm *tracked)
{
	for (size_t i = 0; i < tracked->vcpu_count; i++)
		if (!has_thread(tracked, &tracked->vcpus[i]))
			return false;
	return true;
}

static const struct tracked_vcpu *vcpu_run_by(const struct tracked_vm *tracked, pid_t tid)
{
	for (size_t i = 0; i < tracked->vcpu_count; i++)
		if (tracked->vcpus[i].runner == tid)
			return &tracked->vcpus[i];
	return NULL;
}

/* Step 1 and 2, for one thread. */
static void assign_proven_or_named(struct tracked_vm *tracked, struct vm_thread *thread)
{
	const struct tracked_vcpu *vcpu = vcpu_run_by(tracked, thread->tid);
	int named;

	if (vcpu) {
		set_vcpu(thread, vcpu->index);
		return;
	}
	thread->role = thread_role_from_name(thread->name, thread->tid == tracked->pid, &named);
	thread->index = -1;
	if (thread->role != THREAD_VCPU)
		return;
	vcpu = (size_t)named < tracked->vcpu_count ? &tracked->vcpus[named] : NULL;
	if (vcpu && !(vcpu->runner && vm_find_thread(tracked->vm, vcpu->runner)))
		thread->index = vcpu->index;
	else
		thread->role = thread->tid == tracked->pid ? THREAD_VMM : THREAD_OTHER;
}

/* May the thread still turn out to run a vCPU? */
static bool is_candidate(const struct tracked_vm *tracked, const struct vm_thread *thread)
{
	return thread->tgid == tracked->pid &&
	       (thread->role == THREAD_OTHER || thread->role == THREAD_VMM);
}

static void assign_blocked(struct tracked_vm *tracked, const char *proc_root)
{
	for (size_t i = 0; i < tracked->vm->thread_count; i++) {
		struct vm_thread *thread = &tracked->vm->threads[i];
		unsigned fd;
		size_t length;
		char *text;
		bool inside;

		if (!is_candidate(tracked, thread))
			continue;
		text = proc_read(256, &length, "%s/%d/task/%d/syscall", proc_root, tracked->pid,
				 thread->tid);
		inside = text && vcpu_threads_parse_syscall(text, &fd);
		free(text);
		for (size_t n = 0; inside && n < tracked->vcpu_count; n++) {
			if (tracked->vcpus[n].fd != fd)
				continue;
			tracked->vcpus[n].runner = thread->tid;
			set_vcpu(thread, tracked->vcpus[n].index);
		}
	}
}

/* A thread that runs just now doesn't tell its system call, but its guest time does. */
static void assign_by_guest_time(struct tracked_vm *tracked, const char *proc_root)
{
	struct tracked_vcpu *left = NULL;
	struct vm_thread *last = NULL;
	size_t vcpus = 0, threads = 0;

	for (size_t i = 0; i < tracked->vm->thread_count; i++) {
		struct vm_thread *thread = &tracked->vm->threads[i];
		struct proc_stat fields;
		size_t length;
		char *text;

		if (!is_candidate(tracked, thread))
			continue;
		text = proc_read(4096, &length, "%s/%d/task/%d/stat", proc_root, tracked->pid,
				 thread->tid);
		if (text && !proc_parse_stat(text, &fields) && fields.guest_time_ticks) {
			set_vcpu(thread, -1);
			last = thread;
			threads++;
		}
		free(text);
	}
	for (size_t i = 0; i < tracked->vcpu_count; i++) {
		if (has_thread(tracked, &tracked->vcpus[i]))
			continue;
		left = &tracked->vcpus[i];
		vcpus++;
	}
	if (vcpus == 1 && threads == 1) {
		left->runner = last->tid;
		last->index = left->index;
	}
}

void vcpu_threads_assign(struct tracked_vm *tracked, const char *proc_root)
{
	for (size_t i = 0; i < tracked->vm->thread_count; i++)
		if (tracked->vm->threads[i].role != THREAD_VHOST &&
		    tracked->vm->threads[i].role != THREAD_KVM)
			assign_proven_or_named(tracked, &tracked->vm->threads[i]);
	if (proc_root && !vcpu_threads_complete(tracked))
		assign_blocked(tracked, proc_root);
	if (proc_root && !vcpu_threads_complete(tracked))
		assign_by_guest_time(tracked, proc_root);
	vm_sort_threads(tracked->vm);
}
