/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/stacks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "account/apportion.h"
#include "base/array.h"
#include "report/collect_profile.h"

static int add(struct stacks *stacks, const struct stack *stack)
{
	if (array_reserve(&stacks->items, &stacks->room, stacks->count + 1,
			  sizeof(*stacks->items)))
		return -ENOMEM;
	stacks->items[stacks->count++] = *stack;
	return 0;
}

static int add_group(void *context, const struct tally_group *group)
{
	struct stacks *stacks = context;
	const struct profile *profile = stacks->profile;
	struct group_owner owner = owner_of_group(stacks->report, profile, group);
	int code = 0;

	for (uint32_t c = group->cells; !code && c != CELL_NONE;
	     c = profile->tally.cells[c].next_in_group) {
		const struct tally_cell *cell = &profile->tally.cells[c];
		struct stack stack = {
			.owner = owner.vm != NO_VM     ? STACK_OF_VM
				 : owner.idle	       ? STACK_OF_IDLE
				 : owner.kernel_thread ? STACK_OF_KERNEL
						       : STACK_OF_PROCESS,
			.vm = owner.vm,
			.comm = owner.vm == NO_VM ? group->comm : NAME_NONE,
			.mode = cell_mode(cell),
			.place = cell_label(cell),
			.samples = cell->samples,
		};
		code = add(stacks, &stack);
	}
	return code;
}

static int compare_stacks(const void *left, const void *right)
{
	const struct stack *a = left, *b = right;

	if (a->vm != b->vm)
		return a->vm < b->vm ? -1 : 1;
	if (a->comm != b->comm)
		return a->comm < b->comm ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (a->mode != b->mode)
		return a->mode < b->mode ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

/* Sorts, and makes one of those of the same stack. */
static void merge(struct stacks *stacks)
{
	size_t kept = 0;

	if (stacks->count)
		qsort(stacks->items, stacks->count, sizeof(*stacks->items), compare_stacks);
	for (size_t i = 0; i < stacks->count; i++) {
		struct stack *last = kept ? &stacks->items[kept - 1] : NULL;
		if (last && compare_stacks(last, &stacks->items[i]) == 0)
			last->samples += stacks->items[i].samples;
		else
			stacks->items[kept++] = stacks->items[i];
	}
	stacks->count = kept;
}

/*
 * What the correction took from a VM's guest time was sampled as guest: takes as large a part
 * of the samples of its count guest stacks, which is *moved.
 */
static int move_world_switches(const struct ledger_vm *ledger, struct stack *items,
			       size_t count, uint64_t *moved)
{
	uint64_t *weights = calloc(count + 1, sizeof(*weights));
	uint64_t *parts = calloc(count + 1, sizeof(*parts));
	double sampled_ns = (double)ledger->guest_ns + (double)ledger->corrected_ns;
	uint64_t samples = 0;
	int code = weights && parts ? 0 : -ENOMEM;

	for (size_t i = 0; !code && i < count; i++)
		samples += weights[i] = items[i].samples;
	*moved = 0;
	if (!code && samples)
		*moved = (uint64_t)llround((double)samples * (double)ledger->corrected_ns /
					   sampled_ns);
	if (*moved)
		apportion(*moved, weights, count, parts);
	for (size_t i = 0; !code && i < count; i++)
		items[i].samples -= parts[i];
	free(weights);
	free(parts);
	return code;
}

/* Adds the stacks of one VM, count of them, guest stacks first; or those of the host. */
static int add_corrected(struct stacks *stacks, struct stack *items, size_t count)
{
	uint32_t vm = items[0].vm;
	const struct ledger_vm *ledger =
		vm == NO_VM ? NULL : &stacks->report->interval.ledger.vms[vm];
	struct stack world_switch = items[0];
	size_t guest = 0;
	int code = 0;

	world_switch.mode = SAMPLE_KERNEL;
	world_switch.place = stacks->world_switch;
	world_switch.samples = 0;
	while (guest < count && items[guest].mode <= SAMPLE_GUEST)
		guest++;
	if (ledger && ledger->corrected_ns)
		code = move_world_switches(ledger, items, guest, &world_switch.samples);
	for (size_t i = 0; !code && i < count; i++)
		if (items[i].samples)
			code = add(stacks, &items[i]);
	if (!code && world_switch.samples)
		code = add(stacks, &world_switch);
	return code;
}

static bool is_selected(const struct report_input *input, const struct report *report,
			uint32_t vm)
{
	if (vm == NO_VM)
		return input->vm_count == 0;
	return vm_is_selected(&report->vms.list.vms[vm], input->vms, input->vm_count);
}

static int name_world_switch(struct stacks *stacks, struct profile *profile)
{
	static const char name[] = "kvm/world-switch";
	uint32_t module = names_intern(&profile->names, name, strlen(name));

	if (module == NAME_NONE)
		return -ENOMEM;
	stacks->world_switch = places_intern(&profile->places, PLACE_NONE, module, NAME_NONE);
	return stacks->world_switch == PLACE_NONE ? -ENOMEM : 0;
}

int stacks_make(struct stacks *stacks, const struct report *report,
		const struct report_input *input)
{
	struct stacks sampled = {.report = report, .profile = input->profile};

	*stacks = sampled;
	int code = name_world_switch(stacks, input->profile);
	if (!code)
		code = profile_each_group(input->profile, add_group, &sampled);
	merge(&sampled);
	for (size_t i = 0, count; !code && i < sampled.count; i += count) {
		uint32_t vm = sampled.items[i].vm;
		for (count = 1; i + count < sampled.count && sampled.items[i + count].vm == vm;)
			count++;
		if (is_selected(input, report, vm))
			code = add_corrected(stacks, &sampled.items[i], count);
	}
	stacks_clear(&sampled);
	return code;
}

void stacks_clear(struct stacks *stacks)
{
	free(stacks->items);
	*stacks = (struct stacks){0};
}

const char *stack_mode_name(const struct stack *stack)
{
	static const char *const modes[SAMPLE_MODE_COUNT] = {
		"guest user", "guest kernel", "guest", "user", "kernel", "softirq", "hardirq",
	};

	if (stack->mode == SAMPLE_USER && stack->owner == STACK_OF_VM)
		return "vmm";
	return modes[stack->mode];
}

size_t stack_outer_frames(const struct stacks *stacks, const struct stack *stack,
			  const char *frames[STACK_OUTER_FRAMES])
{
	size_t count = 0;

	switch (stack->owner) {
	case STACK_OF_VM: frames[count++] = stacks->report->vms.list.vms[stack->vm].name; break;
	case STACK_OF_IDLE: frames[count++] = "idle"; break;
	case STACK_OF_KERNEL:
	case STACK_OF_PROCESS:
		frames[count++] =
			stack->owner == STACK_OF_KERNEL ? "host kernel" : "host processes";
		frames[count++] = stacks->profile->names.texts[stack->comm];
		break;
	}
	frames[count++] = stack_mode_name(stack);
	return count;
}

const char *stack_place_name(const struct stacks *stacks, uint32_t place)
{
	uint32_t symbol = stacks->profile->places.places[place].symbol;

	return symbol != NAME_NONE ? stacks->profile->names.texts[symbol]
				   : stack_module_name(stacks, place);
}

const char *stack_module_name(const struct stacks *stacks, uint32_t place)
{
	return stacks->profile->names.texts[stacks->profile->places.places[place].module];
}
