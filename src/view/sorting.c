/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/sorting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const interval_sort_keys[] = {"name",   "total",  "guest",	    "vmm",
					  "kernel", "shared", "hypervisor", NULL};

static uint64_t figure(const struct ledger_vm *vm, const char *key)
{
	switch (key[0]) {
	case 't': return ledger_vm_total_ns(vm);
	case 'g': return vm->guest_ns;
	case 'v': return vm->vmm.total_ns;
	case 'k': return vm->kernel.total_ns;
	case 's': return vm->shared.total_ns;
	case 'h': return ledger_vm_hypervisor_ns(vm);
	default: return 0;
	}
}

struct order {
	uint32_t from;
	uint64_t figure;
	const char *name;
};

static int compare(const void *left, const void *right)
{
	const struct order *a = left, *b = right;

	if (a->figure != b->figure)
		return a->figure > b->figure ? -1 : 1;
	int names = strcmp(a->name, b->name);
	return names ? names : (a->from > b->from) - (a->from < b->from);
}

/* Threads stand in the order of their VMs, behind those that are no VM's. */
static void move_threads(struct interval *interval, const struct order *order,
			 struct interval_thread *threads, struct ledger_thread *times)
{
	struct ledger *ledger = &interval->ledger;
	size_t count = 0;

	for (size_t i = 0; i < ledger->thread_count; i++)
		if (interval->threads[i].owner != OWNER_VM) {
			threads[count] = interval->threads[i];
			times[count++] = ledger->threads[i];
		}
	for (uint32_t v = 0; v < ledger->vm_count; v++)
		for (size_t i = 0; i < ledger->thread_count; i++) {
			if (interval->threads[i].owner != OWNER_VM ||
			    interval->threads[i].vm != order[v].from)
				continue;
			threads[count] = interval->threads[i];
			threads[count].vm = v;
			times[count++] = ledger->threads[i];
		}
}

int interval_sort(struct interval *interval, const char *key)
{
	struct ledger *ledger = &interval->ledger;
	size_t vms = ledger->vm_count, thread_count = ledger->thread_count;
	struct order *order = calloc(vms + 1, sizeof(*order));
	struct interval_vm *described = calloc(vms + 1, sizeof(*described));
	struct ledger_vm *charged = calloc(vms + 1, sizeof(*charged));
	struct interval_thread *threads = calloc(thread_count + 1, sizeof(*threads));
	struct ledger_thread *times = calloc(thread_count + 1, sizeof(*times));

	if (!order || !described || !charged || !threads || !times) {
		free(order);
		free(described);
		free(charged);
		free(threads);
		free(times);
		return -ENOMEM;
	}
	for (uint32_t v = 0; v < vms; v++)
		order[v] = (struct order){v, figure(&ledger->vms[v], key ? key : "name"),
					  interval->vms[v].name};
	qsort(order, vms, sizeof(*order), compare);
	for (size_t v = 0; v < vms; v++) {
		described[v] = interval->vms[order[v].from];
		charged[v] = ledger->vms[order[v].from];
	}
	move_threads(interval, order, threads, times);
	free(order);
	free(interval->vms);
	free(ledger->vms);
	free(interval->threads);
	free(ledger->threads);
	interval->vms = described;
	ledger->vms = charged;
	interval->threads = threads;
	ledger->threads = times;
	return 0;
}
