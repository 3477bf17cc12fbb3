/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/ledger_internal.h"

#include "account/confidence.h"

/*
 * Exact times of a part of the time, in windows drawn at random. How much the share of guest
 * time varies from one to the next isn't known: at most as if each were all or nothing.
 */
static double window_variance(const struct account_input *input, uint64_t run_ns,
			      const struct composition *composition)
{
	double share = (double)composition->exact_host_ns / (double)composition->exact_run_ns;
	double windows = input->exact_windows ? (double)input->exact_windows : 1;

	return (double)run_ns * (double)run_ns * share * (1 - share) * (1 - input->exact_duty) /
	       windows;
}

/* Samples in a mode (MODE_SOFTIRQ: in interrupts), and how often the thread entered or left it.
 */
static struct confidence_samples samples_in(const struct ledger_work *work,
					    const struct composition *composition,
					    enum account_mode mode)
{
	struct confidence_samples samples = {
		.all = composition->samples,
		.hits = composition->in_mode[mode],
		.changes = 2 * composition->entries[mode],
	};

	if (mode == MODE_SOFTIRQ) {
		samples.hits += composition->in_mode[MODE_HARDIRQ];
		samples.changes += 2 * composition->entries[MODE_HARDIRQ];
	}
	if (!work->input->entries_known)
		samples.changes = CONFIDENCE_INDEPENDENT;
	return samples;
}

void ledger_add_variance(const struct ledger_work *work, struct ledger_variances *variances,
			 uint64_t run_ns, const struct composition *composition)
{
	struct confidence_samples user = samples_in(work, composition, MODE_USER);

	if (composition->exact_run_ns) {
		/* User and kernel mode are the known host time's: what one lacks the other has.
		 */
		double variance = confidence_variance(run_ns, &user);
		double windows = window_variance(work->input, run_ns, composition);
		variances->guest += windows;
		variances->vmm += variance;
		variances->kernel += variance + windows;
		variances->hypervisor += windows;
		return;
	}
	struct confidence_samples guest = samples_in(work, composition, MODE_GUEST);
	struct confidence_samples kernel = samples_in(work, composition, MODE_KERNEL);
	struct confidence_samples interrupts = samples_in(work, composition, MODE_SOFTIRQ);
	/* User and kernel mode together are what is neither guest nor interrupts. */
	struct confidence_samples host = {
		.all = composition->samples,
		.hits = user.hits + kernel.hits,
		.changes = guest.changes == CONFIDENCE_INDEPENDENT
				   ? CONFIDENCE_INDEPENDENT
				   : guest.changes + interrupts.changes,
	};
	variances->guest += confidence_variance(run_ns, &guest);
	variances->vmm += confidence_variance(run_ns, &user);
	variances->kernel += confidence_variance(run_ns, &kernel);
	variances->hypervisor += confidence_variance(run_ns, &host);
}

/* The samples that the pool's time is made of, by kind of work. */
static void count_pool_samples(const struct account_input *input, uint64_t samples[WORK_COUNT])
{
	for (size_t i = 0; i < input->count_count; i++) {
		const struct account_count *count = &input->counts[i];
		const struct cell cell = {.mode = count->mode, .work = count->work};
		enum account_owner owner = input->threads[count->thread].owner;
		if (is_interrupt(count->mode) || is_shared(owner, &cell))
			samples[work_of(&cell)] += count->samples;
	}
}

/* A count of rare events varies as its square root. */
static double shared_variance(const struct ledger_vm *vm, const uint64_t samples[WORK_COUNT])
{
	double variance = 0;

	for (size_t kind = 0; kind < WORK_COUNT; kind++) {
		double ns = (double)vm->shared_work_ns[kind];
		variance += ns * ns / (double)(samples[kind] ? samples[kind] : 1);
	}
	return variance;
}

void ledger_estimate_errors(struct ledger_work *work)
{
	uint64_t samples[WORK_COUNT] = {0};

	count_pool_samples(work->input, samples);
	for (size_t v = 0; v < work->input->vm_count; v++) {
		struct ledger_vm *vm = &work->ledger->vms[v];
		const struct ledger_variances *variances = &work->variances[v];
		double shared = shared_variance(vm, samples);
		/* What the correction took from guest it gave to kernel. */
		double moved = confidence_half_width_variance(vm->correction95_ns);
		vm->error95 = (struct ledger_error){
			.guest = confidence_half_width(variances->guest + moved),
			.vmm = confidence_half_width(variances->vmm),
			.kernel = confidence_half_width(variances->kernel + moved),
			.shared = confidence_half_width(shared),
			.hypervisor =
				confidence_half_width(variances->hypervisor + moved + shared),
		};
	}
}
