/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/apportion.h"
#include "account/exact.h"
#include "account/ledger_internal.h"

uint64_t ledger_vm_hypervisor_ns(const struct ledger_vm *vm)
{
	return vm->vmm.total_ns + vm->kernel.total_ns + vm->shared.total_ns;
}

uint64_t ledger_vm_total_ns(const struct ledger_vm *vm)
{
	return vm->guest_ns + ledger_vm_hypervisor_ns(vm);
}

uint64_t ledger_sum(const struct ledger *ledger)
{
	uint64_t sum = ledger->processes_ns + ledger->kernel_ns +
		       ledger->unattributed.total_ns + ledger->self_ns + ledger->idle_ns;

	for (size_t i = 0; i < ledger->vm_count; i++)
		sum += ledger_vm_total_ns(&ledger->vms[i]);
	return sum;
}

int ledger_reserve_parts(struct ledger_work *work, size_t count)
{
	if (count <= work->room)
		return 0;
	uint64_t *parts = realloc(work->parts, count * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	work->parts = parts;
	uint64_t *weights = realloc(work->weights, count * sizeof(*weights));
	if (!weights)
		return -ENOMEM;
	work->weights = weights;
	work->room = count;
	return 0;
}

static int check_input(const struct account_input *input)
{
	for (size_t i = 0; i < input->thread_count; i++) {
		const struct account_thread *thread = &input->threads[i];
		if (thread->owner == OWNER_VM &&
		    (thread->vm >= input->vm_count || thread->role >= ACCOUNT_ROLES_MAX))
			return -ERANGE;
	}
	for (size_t i = 0; i < input->count_count; i++) {
		const struct account_count *count = &input->counts[i];
		if (count->thread >= input->thread_count || count->mode >= MODE_COUNT ||
		    count->work >= WORK_COUNT ||
		    (count->mode >= MODE_KERNEL && count->label >= input->label_count))
			return -ERANGE;
	}
	if (input->exit_costs && input->world_switch_label >= input->label_count)
		return -ERANGE;
	for (size_t i = 0; i < input->split_count; i++)
		if (input->splits[i].vm >= input->vm_count)
			return -ERANGE;
	if (input->exact && input->world_switch_label >= input->label_count)
		return -ERANGE;
	if (input->interrupts_apart && input->interrupt_ns > input->capacity_ns)
		return -ERANGE;
	return 0;
}

/*
 * Fits the threads' times into what the CPUs had: the readings of running threads are taken one
 * after the other, and together they can exceed the interval by a trifle.
 */
static int charge_threads(struct ledger_work *work)
{
	const struct account_input *input = work->input;
	uint64_t limit =
		input->capacity_ns - (input->interrupts_apart ? input->interrupt_ns : 0);
	uint64_t sum = 0;
	/* One more than needed, so that it is never nothing. */
	int error = ledger_reserve_parts(work, input->thread_count + 1);

	if (error)
		return error;
	for (size_t i = 0; i < input->thread_count; i++) {
		work->weights[i] =
			input->threads[i].owner == OWNER_IDLE ? 0 : input->threads[i].run_ns;
		sum += work->weights[i];
	}
	if (sum > limit)
		apportion(limit, work->weights, input->thread_count, work->parts);
	else
		memcpy(work->parts, work->weights, input->thread_count * sizeof(*work->parts));

	uint64_t charged = 0;
	for (size_t i = 0; i < input->thread_count; i++) {
		struct ledger_thread *thread = &work->ledger->threads[i];
		/* Rounding may have given a unit too much. */
		thread->charged_ns =
			work->parts[i] < work->weights[i] ? work->parts[i] : work->weights[i];
		thread->carry_ns = work->weights[i] - thread->charged_ns;
		charged += thread->charged_ns;
	}
	work->ledger->idle_ns = limit - charged;
	return 0;
}

static int collect_compositions(struct ledger_work *work)
{
	const struct account_input *input = work->input;

	for (size_t i = 0; input->exact && i < input->thread_count; i++) {
		const struct account_thread *thread = &input->threads[i];
		struct composition times = {
			.exact_run_ns = thread->exact.guest_ns + thread->exact.host_ns,
			.exact_host_ns = thread->exact.host_ns,
		};
		composition_merge(&work->own[i], &times);
		if (thread->owner == OWNER_VM)
			composition_merge(&work->by_role[thread->role], &times);
	}
	for (size_t i = 0; i < input->count_count; i++) {
		const struct account_count *count = &input->counts[i];
		const struct account_thread *thread = &input->threads[count->thread];
		uint32_t label = count->mode >= MODE_KERNEL ? count->label : 0;
		bool apart =
			(input->interrupts_apart || input->exact) && is_interrupt(count->mode);
		int error =
			composition_add(apart ? &work->interrupts : &work->own[count->thread],
					count->mode, count->work, label, count->samples);
		if (!error && !apart && thread->owner == OWNER_VM)
			error = composition_add(&work->by_role[thread->role], count->mode,
						count->work, label, count->samples);
		if (error)
			return error;
		if (!apart)
			work->own[count->thread].entries[count->mode] += count->entries;
		if (!apart && thread->owner == OWNER_VM)
			work->by_role[thread->role].entries[count->mode] += count->entries;
		work->ledger->threads[count->thread].samples += count->samples;
		work->ledger->samples += count->samples;
	}
	return 0;
}

int ledger_spread(struct ledger_work *work, const struct composition *composition, uint64_t ns)
{
	int error = ledger_reserve_parts(work, composition->count);

	if (error)
		return error;
	for (size_t i = 0; i < composition->count; i++)
		work->weights[i] = composition->cells[i].samples;
	apportion(ns, work->weights, composition->count, work->parts);
	return 0;
}

/* Moves what the thread's exits ran with interrupts off from guest to kernel. */
static int correct_guest(struct ledger_work *work, size_t index)
{
	const struct account_input *input = work->input;
	const struct account_thread *account = &input->threads[index];
	struct ledger_thread *thread = &work->ledger->threads[index];
	struct ledger_vm *vm = &work->ledger->vms[account->vm];

	if (!input->exit_costs || thread->guest_ns == 0)
		return 0;
	struct correction_input known = {
		.run_ns = thread->charged_ns,
		.slept_ns = account->slept_ns,
		.guest_ns = thread->guest_ns,
		/* Exact times have the samples' own interrupts apart. */
		.samples = input->exact ? 0 : thread->samples,
		.reference_ns = account->reference_ns,
	};
	memcpy(known.exits, account->exits, sizeof(known.exits));
	struct correction correction = correction_make(&known, input->exit_costs);
	int error = label_times_add(&vm->kernel, input->world_switch_label, correction.ns);
	if (error)
		return error;
	thread->guest_ns -= correction.ns;
	thread->kernel_ns += correction.ns;
	vm->guest_ns -= correction.ns;
	vm->corrected_ns += correction.ns;
	vm->correction95_ns += correction.error95_ns;
	return 0;
}

/* Gives some of a VM's thread's time to the VM's accounts, as the composition says. */
static int charge_cells(struct ledger_work *work, size_t index,
			const struct composition *composition, uint64_t charged_ns)
{
	struct ledger_thread *thread = &work->ledger->threads[index];
	struct ledger_vm *vm = &work->ledger->vms[work->input->threads[index].vm];

	if (composition->samples == 0) {
		thread->kernel_ns += charged_ns;
		return label_times_add(&vm->kernel, LABEL_UNSAMPLED, charged_ns);
	}
	int error = ledger_spread(work, composition, charged_ns);
	for (size_t i = 0; !error && i < composition->count; i++) {
		const struct cell *cell = &composition->cells[i];
		uint64_t ns = work->parts[i];
		switch (cell->mode) {
		case MODE_GUEST:
			thread->guest_ns += ns;
			vm->guest_ns += ns;
			break;
		case MODE_USER: thread->user_ns += ns; break;
		case MODE_KERNEL:
			thread->kernel_ns += ns;
			error = label_times_add(&vm->kernel, cell->label, ns);
			break;
		case MODE_SOFTIRQ:
		case MODE_HARDIRQ:
			thread->interrupt_ns += ns;
			error = ledger_add_to_pool(work, cell, ns);
			break;
		}
	}
	return error;
}

struct exact_times ledger_divide_exactly(struct ledger_work *work, size_t index)
{
	const struct account_input *input = work->input;
	const struct exact_times *exact = &input->threads[index].exact;
	struct ledger_thread *thread = &work->ledger->threads[index];
	bool apart = input->interrupts_apart;
	const uint64_t weights[] = {
		exact->guest_ns,
		exact->host_ns,
		apart ? 0 : exact->hardirq_ns,
		apart ? 0 : exact->softirq_ns,
	};
	uint64_t parts[4];

	/* The scheduler knows of time in which no event was seen: nothing is known of it. */
	if (!apportion(thread->charged_ns, weights, 4, parts))
		return (struct exact_times){.host_ns = thread->charged_ns};
	thread->interrupt_ns = parts[2] + parts[3];
	work->exact_hardirq_ns += parts[2];
	work->exact_softirq_ns += parts[3];
	return (struct exact_times){parts[0], parts[1], parts[2], parts[3]};
}

/* The same for a thread whose exact times are known; samples speak of its host time alone. */
static int charge_exactly(struct ledger_work *work, size_t index,
			  const struct composition *samples)
{
	struct ledger_thread *thread = &work->ledger->threads[index];
	struct exact_times times = ledger_divide_exactly(work, index);
	struct composition host;
	int error = exact_host_composition(samples, work->input->world_switch_label, &host);

	thread->guest_ns = times.guest_ns;
	work->ledger->vms[work->input->threads[index].vm].guest_ns += times.guest_ns;
	if (!error)
		error = charge_cells(work, index, &host, times.host_ns);
	composition_free(&host);
	return error;
}

/* Gives a VM's thread's time to the VM's accounts. */
static int charge_vm_thread(struct ledger_work *work, size_t index,
			    const struct composition *composition)
{
	uint64_t charged_ns = work->ledger->threads[index].charged_ns;
	int error = work->input->exact ? charge_exactly(work, index, composition)
				       : charge_cells(work, index, composition, charged_ns);

	return error ? error : correct_guest(work, index);
}

/*
 * Charges the threads of one VM and role. Those with enough samples stand for themselves; the
 * others share the composition of them all, or failing that of the whole role in this VM, or of
 * the role in every VM.
 */
static int charge_role(struct ledger_work *work, const size_t *threads, size_t count)
{
	const struct account_thread *first = &work->input->threads[threads[0]];
	struct composition few = {0}, all = {0};
	uint64_t pooled_ns = 0;
	int error = 0;

	for (size_t i = 0; !error && i < count; i++) {
		const struct composition *own = &work->own[threads[i]];
		error = composition_merge(&all, own);
		if (!error && own->samples < SAMPLES_ENOUGH)
			error = composition_merge(&few, own);
	}
	const struct composition *pool = &few;
	if (pool->samples == 0)
		pool = &all;
	if (pool->samples == 0)
		pool = &work->by_role[first->role];

	for (size_t i = 0; !error && i < count; i++) {
		const struct composition *own = &work->own[threads[i]];
		uint64_t charged_ns = work->ledger->threads[threads[i]].charged_ns;
		if (own->samples < SAMPLES_ENOUGH) {
			pooled_ns += charged_ns;
			own = pool;
		} else {
			ledger_add_variance(work, &work->variances[first->vm], charged_ns, own);
		}
		error = charge_vm_thread(work, threads[i], own);
	}
	if (!error && pooled_ns)
		ledger_add_variance(work, &work->variances[first->vm], pooled_ns, pool);
	composition_free(&few);
	composition_free(&all);
	return error;
}

/* Gives the time of what is no VM's to its account, without the interrupt work in it. */
static int charge_other_thread(struct ledger_work *work, size_t index)
{
	enum account_owner owner = work->input->threads[index].owner;
	const struct composition *own = &work->own[index];
	struct ledger_thread *thread = &work->ledger->threads[index];
	uint64_t left_ns = thread->charged_ns;
	int error = 0;

	if (work->input->exact && owner != OWNER_IDLE) {
		struct exact_times times = ledger_divide_exactly(work, index);
		left_ns = times.guest_ns + times.host_ns;
	}
	if (own->samples)
		error = ledger_spread(work, own, left_ns);
	for (size_t i = 0; !error && i < own->count; i++) {
		const struct cell *cell = &own->cells[i];
		bool interrupt = is_interrupt(cell->mode);
		if (!interrupt && !is_shared(owner, cell))
			continue;
		if (interrupt)
			thread->interrupt_ns += work->parts[i];
		left_ns -= work->parts[i];
		error = ledger_add_to_pool(work, cell, work->parts[i]);
	}
	switch (owner) {
	case OWNER_PROCESSES: work->ledger->processes_ns += left_ns; break;
	case OWNER_KERNEL: work->ledger->kernel_ns += left_ns; break;
	case OWNER_SELF: work->ledger->self_ns += left_ns; break;
	case OWNER_SHARED:
		if (!error)
			error = label_times_add(&work->pool[WORK_OTHER], LABEL_UNSAMPLED,
						left_ns);
		break;
	case OWNER_IDLE:
	case OWNER_VM: break;
	}
	return error;
}

struct thread_order {
	uint64_t group; /* VM, then role */
	size_t index;
};

static int compare_groups(const void *left, const void *right)
{
	const struct thread_order *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int charge_all(struct ledger_work *work)
{
	const struct account_input *input = work->input;
	struct thread_order *order = calloc(input->thread_count + 1, sizeof(*order));
	size_t *members = calloc(input->thread_count + 1, sizeof(*members));
	size_t count = 0;
	int error = order && members ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < input->thread_count; i++) {
		const struct account_thread *thread = &input->threads[i];
		if (thread->owner == OWNER_VM)
			order[count++] = (struct thread_order){
				(uint64_t)thread->vm * ACCOUNT_ROLES_MAX + thread->role, i};
		else
			error = charge_other_thread(work, i);
	}
	if (!error && count > 1)
		qsort(order, count, sizeof(*order), compare_groups);
	for (size_t start = 0, end; !error && start < count; start = end) {
		end = start;
		do {
			members[end - start] = order[end].index;
			end++;
		} while (end < count && order[end].group == order[start].group);
		error = charge_role(work, members, end - start);
	}
	free(order);
	free(members);
	if (!error)
		error = ledger_charge_idle(work);
	return error ? error : ledger_charge_interrupts(work);
}

/* Divides each VM's guest time by privilege and its user time by shared object. */
static int split_modes(struct ledger_work *work)
{
	const struct account_input *input = work->input;
	struct composition *splits = calloc(input->vm_count + 1, sizeof(*splits));
	uint64_t *user_ns = calloc(input->vm_count + 1, sizeof(*user_ns));
	int error = splits && user_ns ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < input->split_count; i++)
		error = composition_add(&splits[input->splits[i].vm], input->splits[i].mode,
					WORK_NONE, input->splits[i].label,
					input->splits[i].samples);
	for (size_t i = 0; !error && i < input->thread_count; i++)
		if (input->threads[i].owner == OWNER_VM)
			user_ns[input->threads[i].vm] += work->ledger->threads[i].user_ns;

	for (size_t v = 0; !error && v < input->vm_count; v++) {
		struct ledger_vm *vm = &work->ledger->vms[v];
		struct composition user = {0};
		uint64_t guest[2] = {0}, guest_ns[2];
		for (size_t i = 0; !error && i < splits[v].count; i++) {
			const struct cell *cell = &splits[v].cells[i];
			if (cell->mode == MODE_USER)
				error = composition_add(&user, MODE_USER, WORK_NONE,
							cell->label, cell->samples);
			else if (cell->mode == MODE_GUEST && cell->label <= LABEL_GUEST_KERNEL)
				guest[cell->label] += cell->samples;
		}
		if (apportion(vm->guest_ns, guest, 2, guest_ns)) {
			vm->guest_split_known = true;
			vm->guest_user_ns = guest_ns[LABEL_GUEST_USER];
			vm->guest_kernel_ns = guest_ns[LABEL_GUEST_KERNEL];
		}
		if (!error && user.samples == 0)
			error = label_times_add(&vm->vmm, LABEL_UNSAMPLED, user_ns[v]);
		else if (!error)
			error = ledger_spread(work, &user, user_ns[v]);
		for (size_t i = 0; !error && i < user.count; i++)
			error = label_times_add(&vm->vmm, user.cells[i].label, work->parts[i]);
		composition_free(&user);
	}
	for (size_t v = 0; splits && v < input->vm_count; v++)
		composition_free(&splits[v]);
	free(splits);
	free(user_ns);
	return error;
}

static void sort_labels(struct ledger *ledger)
{
	for (size_t v = 0; v < ledger->vm_count; v++) {
		label_times_sort(&ledger->vms[v].vmm);
		label_times_sort(&ledger->vms[v].kernel);
		label_times_sort(&ledger->vms[v].shared);
	}
	label_times_sort(&ledger->unattributed);
}

int ledger_make(struct ledger *out, const struct account_input *input)
{
	struct ledger_work work = {.input = input, .ledger = out};
	int error = check_input(input);

	*out = (struct ledger){.capacity_ns = input->capacity_ns};
	if (error)
		return error;
	/* One more than needed, so that none is empty. */
	out->vms = calloc(input->vm_count + 1, sizeof(*out->vms));
	out->threads = calloc(input->thread_count + 1, sizeof(*out->threads));
	work.own = calloc(input->thread_count + 1, sizeof(*work.own));
	work.variances = calloc(input->vm_count + 1, sizeof(*work.variances));
	if (!out->vms || !out->threads || !work.own || !work.variances)
		error = -ENOMEM;
	else
		out->vm_count = input->vm_count, out->thread_count = input->thread_count;

	if (!error)
		error = charge_threads(&work);
	if (!error)
		error = collect_compositions(&work);
	if (!error)
		error = charge_all(&work);
	if (!error)
		error = split_modes(&work);
	if (!error)
		error = ledger_apportion_pool(&work);
	if (!error) {
		ledger_estimate_errors(&work);
		sort_labels(out);
	}

	for (size_t i = 0; work.own && i < input->thread_count; i++)
		composition_free(&work.own[i]);
	for (size_t i = 0; i < ACCOUNT_ROLES_MAX; i++)
		composition_free(&work.by_role[i]);
	composition_free(&work.interrupts);
	for (size_t i = 0; i < WORK_COUNT; i++)
		label_times_free(&work.pool[i]);
	free(work.own);
	free(work.variances);
	free(work.parts);
	free(work.weights);
	if (error)
		ledger_free(out);
	return error;
}

void ledger_free(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->vm_count; i++) {
		label_times_free(&ledger->vms[i].vmm);
		label_times_free(&ledger->vms[i].kernel);
		label_times_free(&ledger->vms[i].shared);
	}
	label_times_free(&ledger->unattributed);
	free(ledger->vms);
	free(ledger->threads);
	*ledger = (struct ledger){0};
}
