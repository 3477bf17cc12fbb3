/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/recorded_exits.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static const char *const class_names[VM_EXIT_CLASSES] = {
	[VM_EXIT_KERNEL] = "kernel",
	[VM_EXIT_USER] = "user",
	[VM_EXIT_INTERRUPT] = "interrupt",
};

/* The thread's sums, made if it has none; NULL without memory. */
static struct recorded_vcpu *vcpu_of(struct recorded_exits *exits, pid_t tid)
{
	size_t place = ARRAY_PLACE(exits->vcpus, exits->count, tid, tid);

	if (place < exits->count && exits->vcpus[place].tid == tid)
		return &exits->vcpus[place];
	if (array_reserve(&exits->vcpus, &exits->room, exits->count + 1, sizeof(*exits->vcpus)))
		return NULL;
	struct recorded_vcpu *vcpu = &exits->vcpus[place];
	memmove(vcpu + 1, vcpu, (exits->count++ - place) * sizeof(*vcpu));
	*vcpu = (struct recorded_vcpu){.tid = tid};
	return vcpu;
}

/* A sum that stays below what correction_classify() adds up. */
static void add_count(uint64_t *sum, json_int_t count)
{
	const uint64_t most = UINT64_MAX / VM_EXIT_CLASSES;

	*sum = (uint64_t)count > most - *sum ? most : *sum + (uint64_t)count;
}

static int add_vcpu(struct recorded_exits *exits, const json_t *item)
{
	json_int_t tid = json_integer_value(json_object_get(item, "tid"));
	json_int_t counts[VM_EXIT_CLASSES];

	if (tid <= 0 || tid > INT32_MAX)
		return 0;
	for (int c = 0; c < VM_EXIT_CLASSES; c++) {
		const json_t *count = json_object_get(item, class_names[c]);
		counts[c] = json_integer_value(count);
		if (!json_is_integer(count) || counts[c] < 0)
			return 0;
	}
	struct recorded_vcpu *vcpu = vcpu_of(exits, (pid_t)tid);
	if (!vcpu)
		return -ENOMEM;
	for (int c = 0; c < VM_EXIT_CLASSES; c++)
		add_count(&vcpu->by_class[c], counts[c]);
	return 0;
}

int recorded_exits_add(struct recorded_exits *exits, const json_t *vcpu_exits)
{
	const json_t *item;
	size_t i;
	int code = 0;

	json_array_foreach(vcpu_exits, i, item)
	{
		if (!code)
			code = add_vcpu(exits, item);
	}
	return code;
}

int recorded_exits_give(const struct recorded_exits *exits, struct vm *vm)
{
	vm->counters = calloc(vm->thread_count + 1, sizeof(*vm->counters));
	if (!vm->counters)
		return -ENOMEM;
	for (size_t i = 0; i < vm->thread_count; i++) {
		pid_t tid = vm->threads[i].tid;
		size_t place = ARRAY_PLACE(exits->vcpus, exits->count, tid, tid);
		if (place == exits->count || exits->vcpus[place].tid != tid)
			continue;
		const uint64_t *by_class = exits->vcpus[place].by_class;
		/* The thread tells a recorded vCPU from every other. */
		vm->counters[vm->counter_count++] = (struct vm_vcpu){
			.kvm = (uint64_t)tid,
			.index = vm->threads[i].index,
			.tid = tid,
			.known = true,
			.exits = by_class[VM_EXIT_KERNEL] + by_class[VM_EXIT_USER] +
				 by_class[VM_EXIT_INTERRUPT],
			.user_exits = by_class[VM_EXIT_USER],
			.interrupt_exits = by_class[VM_EXIT_INTERRUPT],
		};
	}
	return 0;
}

void recorded_exits_clear(struct recorded_exits *exits)
{
	free(exits->vcpus);
	*exits = (struct recorded_exits){0};
}
