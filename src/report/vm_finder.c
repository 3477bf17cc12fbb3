/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/vm_finder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "discover/vmm_options.h"

/* Programs that do nothing but run VMs: not qemu-img, qemu-ga, user-mode emulators. */
static bool runs_vms(const char *program)
{
	static const char *const prefixes[] = {"qemu-system-",	   "qemu-kvm", "firecracker",
					       "cloud-hypervisor", "crosvm",   "lkvm"};
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static bool is_there(const struct recorded_process *process)
{
	return process->used && (process->live || process->groups);
}

static bool is_vm(const struct profile *profile, const struct recorded_facts *facts,
		  const struct recorded_process *process)
{
	if (!is_there(process) || process->kernel_thread || process->pid == 0)
		return false;
	if (recorded_facts_vm(facts, process->pid) || process->ran_guest)
		return true;
	if (process->emulates)
		return false;
	return process->vcpu_named || (!process->ended && process->program != NAME_NONE &&
				       runs_vms(profile->names.texts[process->program]));
}

static int copy_taps(struct vm *vm, const struct vm *from)
{
	vm->taps = calloc(from->tap_count + 1, sizeof(*vm->taps));
	if (!vm->taps)
		return -ENOMEM;
	if (from->tap_count)
		memcpy(vm->taps, from->taps, from->tap_count * sizeof(*vm->taps));
	vm->tap_count = from->tap_count;
	return 0;
}

/* The names that kvmperf record found, or what can be told without. */
static int describe(struct vm *vm, const struct profile *profile,
		    const struct recorded_process *process, const struct vm *recorded)
{
	char text[24];
	const char *program =
		process->program != NAME_NONE ? profile->names.texts[process->program] : NULL;
	const char *vmm = program ? vmm_of_executable(program) : NULL;

	if (!vmm && program)
		vmm = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
	snprintf(vm->vmm, sizeof(vm->vmm), "%s", vmm ? vmm : "unknown");
	vm->gone = process->ended;
	if (recorded) {
		vm->start_time = recorded->start_time;
		vm->vcpus = recorded->vcpus;
		memcpy(vm->vmm, recorded->vmm, sizeof(vm->vmm));
		vm->name = strdup(recorded->name);
		vm->id = strdup(recorded->id);
		vm->uuid = recorded->uuid ? strdup(recorded->uuid) : NULL;
		if (recorded->uuid && !vm->uuid)
			return -ENOMEM;
		return vm->name && vm->id ? copy_taps(vm, recorded) : -ENOMEM;
	}
	snprintf(text, sizeof(text), "vm-%u", process->pid);
	vm->name = strdup(text);
	snprintf(text, sizeof(text), "%u", process->pid);
	vm->id = strdup(text);
	return vm->name && vm->id ? 0 : -ENOMEM;
}

static int add_vm(struct found_vms *out, const struct profile *profile,
		  const struct recorded_facts *facts, uint32_t index)
{
	const struct recorded_process *process = &profile->tasks.processes[index];

	if (array_reserve(&out->list.vms, &out->room, out->list.count + 1,
			  sizeof(*out->list.vms)))
		return -ENOMEM;
	struct vm *vm = &out->list.vms[out->list.count];
	*vm = (struct vm){.pid = (pid_t)process->pid, .start_time = index};
	out->of_process[index] = (uint32_t)out->list.count++;
	return describe(vm, profile, process, recorded_facts_vm(facts, process->pid));
}

/* Children that run the VM's program: crosvm's devices. */
static void add_children(struct found_vms *out, const struct profile *profile)
{
	const struct tasks *tasks = &profile->tasks;
	bool more = true;

	while (more) {
		more = false;
		for (uint32_t i = 0; i < tasks->process_count; i++) {
			const struct recorded_process *process = &tasks->processes[i];
			if (!is_there(process) || process->parent == 0)
				continue;
			uint32_t parent = tasks_find_process(tasks, process->parent);
			if (parent == TASK_NONE || parent == i ||
			    out->of_process[parent] == NO_VM || out->of_process[i] != NO_VM ||
			    process->program == NAME_NONE ||
			    tasks->processes[parent].program != process->program)
				continue;
			out->of_process[i] = out->of_process[parent];
			more = true;
		}
	}
}

/* A thread that ran the guest runs a vCPU, whatever its name. */
static bool ran_guest(const struct tally *tally, const struct tally_group *group)
{
	for (uint32_t c = group->cells; c != CELL_NONE; c = tally->cells[c].next_in_group)
		if (cell_mode(&tally->cells[c]) <= SAMPLE_GUEST)
			return true;
	return false;
}

static int add_thread(struct vm *vm, const struct profile *profile, uint32_t pid, uint32_t tid,
		      uint32_t comm, bool runs_guest)
{
	struct vm_thread *thread =
		vm_add_thread(vm, (pid_t)tid, (pid_t)pid, profile->names.texts[comm]);

	if (!thread)
		return -ENOMEM;
	if (runs_guest && thread->role != THREAD_VCPU)
		thread->role = THREAD_VCPU;
	return 0;
}

static int add_threads(struct found_vms *out, const struct profile *profile)
{
	const struct tasks *tasks = &profile->tasks;
	const struct tally *tally = &profile->tally;
	int code = 0;

	/* First those that live, by the name that they have now. */
	for (uint32_t t = 0; !code && t < tasks->thread_count; t++) {
		const struct recorded_thread *thread = &tasks->threads[t];
		if (thread->tid == 0 || thread->process >= tasks->process_count ||
		    out->of_process[thread->process] == NO_VM)
			continue;
		code = add_thread(&out->list.vms[out->of_process[thread->process]], profile,
				  tasks->processes[thread->process].pid, thread->tid,
				  thread->comm, false);
	}
	for (uint32_t p = 0; p < tasks->process_count; p++) {
		uint32_t pid = tasks->processes[p].pid;
		if (!tasks->processes[p].used || out->of_process[p] == NO_VM)
			continue;
		for (uint32_t g = tasks->processes[p].groups; !code && g;
		     g = tally->groups[g].next) {
			const struct tally_group *group = &tally->groups[g];
			code = add_thread(&out->list.vms[out->of_process[p]], profile, pid,
					  group->tid ? group->tid : pid, group->comm,
					  ran_guest(tally, group));
		}
	}
	for (size_t v = 0; !code && v < out->list.count; v++) {
		struct vm *vm = &out->list.vms[v];
		unsigned vcpus = 0;
		vm_sort_threads(vm);
		for (size_t i = 0; i < vm->thread_count; i++)
			vcpus += vm->threads[i].role == THREAD_VCPU;
		if (vm->vcpus == 0)
			vm->vcpus = vcpus;
	}
	return code;
}

/* vhost workers and KVM's kernel threads have the number of who they work for in their name. */
static int add_kernel_threads(struct found_vms *out, const struct profile *profile)
{
	const struct tasks *tasks = &profile->tasks;

	for (uint32_t t = 0; t < tasks->thread_count; t++) {
		const struct recorded_thread *thread = &tasks->threads[t];
		if (thread->tid == 0 || !tasks->processes[thread->process].serves_vm)
			continue;
		const char *name = profile->names.texts[thread->comm];
		pid_t master = thread_master_from_name(name);
		for (size_t v = 0; master && v < out->list.count; v++) {
			struct vm *vm = &out->list.vms[v];
			if (vm->pid != master && !vm_find_thread(vm, master))
				continue;
			out->of_process[thread->process] = (uint32_t)v;
			if (!vm_add_thread(vm, (pid_t)thread->tid, (pid_t)thread->tid, name))
				return -ENOMEM;
			break;
		}
	}
	return 0;
}

/* kvmperf record may know of threads that a file that was cut off doesn't. */
static int add_recorded_threads(struct found_vms *out, const struct recorded_facts *facts)
{
	for (size_t v = 0; v < out->list.count; v++) {
		struct vm *vm = &out->list.vms[v];
		const struct vm *recorded = recorded_facts_vm(facts, (uint32_t)vm->pid);
		for (size_t i = 0; recorded && i < recorded->thread_count; i++) {
			const struct vm_thread *from = &recorded->threads[i];
			struct vm_thread *to =
				vm_add_thread(vm, from->tid, from->tgid, from->name);
			if (!to)
				return -ENOMEM;
			to->role = from->role;
			to->index = from->index;
		}
		vm_sort_threads(vm);
	}
	return 0;
}

int vm_finder_find(const struct profile *profile, const struct recorded_facts *facts,
		   struct found_vms *out)
{
	size_t count = profile->tasks.process_count;
	int code = 0;

	*out = (struct found_vms){.of_process = malloc((count + 1) * sizeof(uint32_t))};
	if (!out->of_process)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		out->of_process[i] = NO_VM;
	for (uint32_t i = 0; !code && i < count; i++)
		if (is_vm(profile, facts, &profile->tasks.processes[i]))
			code = add_vm(out, profile, facts, i);
	if (!code) {
		add_children(out, profile);
		code = add_threads(out, profile);
	}
	if (!code)
		code = add_kernel_threads(out, profile);
	return code ? code : add_recorded_threads(out, facts);
}

void found_vms_clear(struct found_vms *found)
{
	vm_list_clear(&found->list);
	free(found->of_process);
	*found = (struct found_vms){0};
}
