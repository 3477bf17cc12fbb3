/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/exit_counts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct reading {
	struct vm_vcpu vcpu;
	bool asked; /* since exit_counts_forget() */
};

struct exit_counts {
	struct reading *readings; /* by kvm, then index */
	size_t count, room;
};

struct exit_counts *exit_counts_new(void)
{
	return calloc(1, sizeof(struct exit_counts));
}

static int compare(const struct vm_vcpu *a, const struct vm_vcpu *b)
{
	if (a->kvm != b->kvm)
		return a->kvm < b->kvm ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* The vCPU's reading, made from zero when it is not there; NULL without memory. */
static struct reading *find_or_add(struct exit_counts *counts, const struct vm_vcpu *vcpu)
{
	size_t low = 0, high = counts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&counts->readings[middle].vcpu, vcpu);
		if (order == 0)
			return &counts->readings[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (array_reserve(&counts->readings, &counts->room, counts->count + 1,
			  sizeof(*counts->readings)))
		return NULL;
	struct reading *place = &counts->readings[low];
	memmove(place + 1, place, (counts->count++ - low) * sizeof(*place));
	*place = (struct reading){.vcpu = {.kvm = vcpu->kvm, .index = vcpu->index}};
	return place;
}

/* A counter that fell was started anew (the modules, or another VM at the same address). */
static uint64_t rise(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

int exit_counts_take(struct exit_counts *counts, const struct vm_vcpu *vcpu,
		     uint64_t by_class[VM_EXIT_CLASSES])
{
	struct reading *last;

	memset(by_class, 0, VM_EXIT_CLASSES * sizeof(by_class[0]));
	if (!vcpu->known)
		return 0;
	last = find_or_add(counts, vcpu);
	if (!last)
		return -ENOMEM;
	correction_classify(rise(last->vcpu.exits, vcpu->exits),
			    rise(last->vcpu.user_exits, vcpu->user_exits),
			    rise(last->vcpu.interrupt_exits, vcpu->interrupt_exits), by_class);
	last->vcpu = *vcpu;
	last->asked = true;
	return 0;
}

void exit_counts_forget(struct exit_counts *counts)
{
	size_t kept = 0;

	for (size_t i = 0; i < counts->count; i++) {
		if (!counts->readings[i].asked)
			continue;
		counts->readings[kept] = counts->readings[i];
		counts->readings[kept++].asked = false;
	}
	counts->count = kept;
}

void exit_counts_free(struct exit_counts *counts)
{
	if (counts)
		free(counts->readings);
	free(counts);
}
