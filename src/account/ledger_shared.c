/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/ledger_internal.h"

#include <string.h>

#include "account/apportion.h"

int ledger_add_to_pool(struct ledger_work *work, const struct cell *cell, uint64_t ns)
{
	return label_times_add(&work->pool[work_of(cell)], cell->label, ns);
}

/* What interrupts took of the idle time, in exact mode. */
static void charge_idle_exactly(struct ledger_work *work)
{
	const struct account_input *input = work->input;
	size_t i = 0;

	while (i < input->thread_count && input->threads[i].owner != OWNER_IDLE)
		i++;
	if (i == input->thread_count)
		return;
	work->ledger->threads[i].charged_ns = work->ledger->idle_ns;
	struct exact_times times = ledger_divide_exactly(work, i);
	work->ledger->idle_ns = times.guest_ns + times.host_ns;
	work->ledger->threads[i].charged_ns = 0;
}

/*
 * Interrupts that came while a CPU was idle. An idle CPU may or may not be sampled (a halted
 * one has no cycles to count), so its samples are no composition of its time. One sample of the
 * busy time stands for a known time, and for as much here.
 */
static int charge_idle_by_samples(struct ledger_work *work)
{
	const struct account_input *input = work->input;
	struct composition idle = {0};
	uint64_t busy_ns = 0, busy_samples = 0;
	int error = 0;

	for (size_t i = 0; !error && i < input->thread_count; i++) {
		const struct composition *own = &work->own[i];
		if (input->threads[i].owner != OWNER_IDLE) {
			busy_ns += work->ledger->threads[i].charged_ns;
			busy_samples += own->samples;
			continue;
		}
		for (size_t j = 0; !error && j < own->count; j++)
			if (is_interrupt(own->cells[j].mode))
				error = composition_add(&idle, own->cells[j].mode,
							own->cells[j].work, own->cells[j].label,
							own->cells[j].samples);
	}
	double period = busy_samples >= SAMPLES_ENOUGH ? (double)busy_ns / (double)busy_samples
						       : (double)input->period_ns;
	double estimate = period * (double)idle.samples;
	uint64_t ns = estimate < (double)work->ledger->idle_ns ? (uint64_t)estimate
							       : work->ledger->idle_ns;
	if (!error && idle.samples)
		error = ledger_spread(work, &idle, ns);
	for (size_t i = 0; !error && i < idle.count; i++)
		error = ledger_add_to_pool(work, &idle.cells[i], work->parts[i]);
	if (idle.samples)
		work->ledger->idle_ns -= ns;
	composition_free(&idle);
	return error;
}

int ledger_charge_idle(struct ledger_work *work)
{
	if (!work->input->exact)
		return charge_idle_by_samples(work);
	charge_idle_exactly(work);
	return 0;
}

/*
 * Exact interrupt time: the samples of the same mode (and kind of work, if it isn't WORK_NONE)
 * say what was done in it.
 */
static int charge_exact_interrupts(struct ledger_work *work, enum account_mode mode,
				   enum shared_work kind, uint64_t ns)
{
	struct composition alike = {0};
	int error = 0;

	for (size_t i = 0; !error && i < work->interrupts.count; i++) {
		const struct cell *cell = &work->interrupts.cells[i];
		if (cell->mode == mode && (kind == WORK_NONE || cell->work == kind))
			error = composition_add(&alike, mode, cell->work, cell->label,
						cell->samples);
	}
	if (!error && alike.samples == 0)
		error = label_times_add(&work->pool[kind ? kind : WORK_OTHER], LABEL_UNSAMPLED,
					ns);
	else if (!error)
		error = ledger_spread(work, &alike, ns);
	for (size_t i = 0; !error && i < alike.count; i++)
		error = ledger_add_to_pool(work, &alike.cells[i], work->parts[i]);
	composition_free(&alike);
	return error;
}

/* The interrupt time of all threads and of the idle time; softirqs by their vectors' times. */
static int charge_all_exact_interrupts(struct ledger_work *work)
{
	uint64_t by_kind[WORK_COUNT];
	int error =
		charge_exact_interrupts(work, MODE_HARDIRQ, WORK_NONE, work->exact_hardirq_ns);

	if (!apportion(work->exact_softirq_ns, work->input->exact_softirq_ns, WORK_COUNT,
		       by_kind))
		by_kind[WORK_OTHER] = work->exact_softirq_ns;
	for (int kind = 0; !error && kind < WORK_COUNT; kind++)
		error = charge_exact_interrupts(work, MODE_SOFTIRQ, (enum shared_work)kind,
						by_kind[kind]);
	return error;
}

int ledger_charge_interrupts(struct ledger_work *work)
{
	uint64_t ns = work->input->interrupt_ns;

	if (work->input->exact && !work->input->interrupts_apart)
		return charge_all_exact_interrupts(work);
	if (!work->input->interrupts_apart)
		return 0;
	if (work->interrupts.samples == 0)
		return label_times_add(&work->pool[WORK_OTHER], LABEL_UNSAMPLED, ns);
	int error = ledger_spread(work, &work->interrupts, ns);
	for (size_t i = 0; !error && i < work->interrupts.count; i++)
		error = ledger_add_to_pool(work, &work->interrupts.cells[i], work->parts[i]);
	return error;
}

/* Gives one kind of shared work to the VMs by its weights, and the rest to nobody. */
static int apportion_work(struct ledger_work *work, enum shared_work kind)
{
	const struct account_input *input = work->input;
	struct ledger *ledger = work->ledger;
	const uint64_t *weights = input->weights[kind];
	size_t count = input->vm_count;
	int error = 0;

	for (size_t i = 0; !error && i < work->pool[kind].count; i++) {
		const struct label_time *time = &work->pool[kind].items[i];
		uint64_t nobodys_ns = time->ns;
		if (weights && apportion(time->ns, weights, count + 1, work->parts))
			nobodys_ns = work->parts[count];
		else
			memset(work->parts, 0, count * sizeof(*work->parts));
		for (size_t v = 0; !error && v < count; v++) {
			error = label_times_add(&ledger->vms[v].shared, time->label,
						work->parts[v]);
			ledger->vms[v].shared_work_ns[kind] += work->parts[v];
		}
		if (!error)
			error = label_times_add(&ledger->unattributed, time->label, nobodys_ns);
		ledger->unattributed_work_ns[kind] += nobodys_ns;
	}
	return error;
}

int ledger_apportion_pool(struct ledger_work *work)
{
	int error = ledger_reserve_parts(work, work->input->vm_count + 1);

	for (size_t kind = 0; !error && kind < WORK_COUNT; kind++)
		error = apportion_work(work, (enum shared_work)kind);
	return error;
}
