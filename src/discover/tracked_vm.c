/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/tracked_vm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

int tracked_add_process(struct tracked_vm *tracked, pid_t pid)
{
	for (size_t i = 0; i < tracked->process_count; i++)
		if (tracked->processes[i] == pid)
			return 0;
	if (array_reserve(&tracked->processes, &tracked->process_room,
			  tracked->process_count + 1, sizeof(pid_t)))
		return -ENOMEM;
	tracked->processes[tracked->process_count++] = pid;
	return 0;
}

static int compare_vcpus(const void *left, const void *right)
{
	const struct tracked_vcpu *a = left, *b = right;

	if (a->kvm != b->kvm)
		return a->kvm < b->kvm ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* The vCPU among vcpus, which are in order. */
static struct tracked_vcpu *find_vcpu(struct tracked_vcpu *vcpus, size_t count,
				      const struct tracked_vcpu *wanted)
{
	return count ? bsearch(wanted, vcpus, count, sizeof(*vcpus), compare_vcpus) : NULL;
}

/* Sorts, and leaves one of those that are the same. Returns how many there are. */
static size_t sort_unique(struct tracked_vcpu *vcpus, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(vcpus, count, sizeof(*vcpus), compare_vcpus);
	for (size_t i = 0; i < count; i++)
		if (!kept || compare_vcpus(&vcpus[kept - 1], &vcpus[i]))
			vcpus[kept++] = vcpus[i];
	return kept;
}

bool tracked_update_vcpus(struct tracked_vm *tracked, struct tracked_vcpu *vcpus, size_t count)
{
	struct vm *vm = tracked->vm;
	bool changed, known = true;

	count = sort_unique(vcpus, count);
	changed = count != tracked->vcpu_count;
	for (size_t i = 0; i < tracked->vcpu_count; i++) {
		struct tracked_vcpu *old = &tracked->vcpus[i];
		struct tracked_vcpu *new = find_vcpu(vcpus, count, old);

		if (!new) {
			tracked->retired_exits += old->exits;
			tracked->retired_halt_poll_ns += old->halt_poll_ns;
			changed = true;
			continue;
		}
		if (!new->runner)
			new->runner = old->runner;
		changed |= new->runner != old->runner;
	}
	vm->exits = tracked->retired_exits;
	vm->halt_poll_ns = tracked->retired_halt_poll_ns;
	for (size_t i = 0; i < count; i++) {
		vm->exits += vcpus[i].exits;
		vm->halt_poll_ns += vcpus[i].halt_poll_ns;
		known &= vcpus[i].has_stats;
		tracked->vcpus[i] = vcpus[i];
		vm->counters[i] = (struct vm_vcpu){
			.kvm = vcpus[i].kvm,
			.index = vcpus[i].index,
			.tid = vcpus[i].runner,
			.known = vcpus[i].has_stats && vcpus[i].classified,
			.exits = vcpus[i].exits,
			.user_exits = vcpus[i].user_exits,
			.interrupt_exits = vcpus[i].interrupt_exits,
		};
	}
	vm->counter_count = count;
	tracked->vcpu_count = count;
	vm->vcpus = (unsigned)count;
	vm->kvm_stats_known = known;
	return changed;
}

void tracked_clear(struct tracked_vm *tracked)
{
	free(tracked->vcpus);
	free(tracked->processes);
	*tracked = (struct tracked_vm){0};
}
