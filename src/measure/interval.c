/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/interval.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "account/exact.h"
#include "account/label_times.h"

uint64_t interval_other_vms_ns(const struct interval *interval)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < interval->ledger.vm_count; i++)
		if (!interval->vms[i].selected)
			sum += ledger_vm_total_ns(&interval->ledger.vms[i]);
	return sum;
}

uint64_t interval_outside_exits_ns(const struct interval *interval, size_t vm)
{
	const struct ledger_vm *ledger = &interval->ledger.vms[vm];
	uint64_t ns = ledger->vmm.total_ns + ledger->kernel.total_ns;

	for (size_t i = 0; i < interval->vms[vm].exit_reasons; i++)
		ns -= interval->vms[vm].exits_by_reason[i].ns;
	return ns;
}

uint64_t interval_processes_ns(const struct interval *interval)
{
	return interval->ledger.processes_ns + interval_other_vms_ns(interval);
}

static void free_vm(struct interval_vm *vm)
{
	free(vm->name);
	free(vm->id);
	free(vm->uuid);
	free(vm->taps);
	free(vm->exits_by_reason);
	free(vm->samples.items);
	*vm = (struct interval_vm){0};
}

int interval_vm_set(struct interval_vm *out, const char *name, const char *id, const char *uuid,
		    const struct vm_tap *taps, size_t tap_count)
{
	out->name = strdup(name);
	out->id = strdup(id);
	out->uuid = uuid ? strdup(uuid) : NULL;
	out->taps = calloc(tap_count + 1, sizeof(*taps));
	if (!out->name || !out->id || (uuid && !out->uuid) || !out->taps) {
		free_vm(out);
		return -ENOMEM;
	}
	if (tap_count)
		memcpy(out->taps, taps, tap_count * sizeof(*taps));
	out->tap_count = tap_count;
	return 0;
}

int interval_vm_describe(struct interval_vm *out, const struct vm *vm,
			 const char *const *selectors, size_t count)
{
	int code = interval_vm_set(out, vm->name, vm->id, vm->uuid, vm->taps, vm->tap_count);

	if (code)
		return code;
	memcpy(out->vmm, vm->vmm, sizeof(out->vmm));
	out->pid = vm->pid;
	out->start_time = vm->start_time;
	out->vcpus = vm->vcpus;
	out->selected = vm_is_selected(vm, selectors, count);
	out->ended = vm->gone;
	return 0;
}

int interval_vm_add_exits(struct interval_vm *vm, const struct interval_exits *exits)
{
	for (size_t i = 0; i < vm->exit_reasons; i++) {
		struct interval_exits *other = &vm->exits_by_reason[i];
		if (other->isa == exits->isa && other->code == exits->code) {
			other->count += exits->count;
			other->ns += exits->ns;
			return 0;
		}
	}
	struct interval_exits *all =
		reallocarray(vm->exits_by_reason, vm->exit_reasons + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	vm->exits_by_reason = all;
	all[vm->exit_reasons++] = *exits;
	return 0;
}

static int compare_exits(const void *left, const void *right)
{
	const struct interval_exits *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return (a->code > b->code) - (a->code < b->code);
}

void interval_sort_exits(struct interval *interval)
{
	for (size_t i = 0; i < interval->ledger.vm_count; i++)
		if (interval->vms[i].exit_reasons > 1)
			qsort(interval->vms[i].exits_by_reason, interval->vms[i].exit_reasons,
			      sizeof(*interval->vms[i].exits_by_reason), compare_exits);
}

static int add_labels(struct label_times *sum, const struct label_times *times)
{
	for (size_t i = 0; i < times->count; i++)
		if (label_times_add(sum, times->items[i].label, times->items[i].ns))
			return -ENOMEM;
	label_times_sort(sum);
	return 0;
}

static void add_in_quadrature(double *sum, double part)
{
	*sum = sqrt(*sum * *sum + part * part);
}

/*
 * The parts of two errors that the corrections have not add in quadrature; those of the
 * corrections add up, since one calibration made all costs.
 */
static void add_corrected(double *sum, double sum_correction, double part, double correction)
{
	double other = *sum * *sum - sum_correction * sum_correction + part * part -
		       correction * correction;

	*sum = hypot(sqrt(fmax(other, 0)), sum_correction + correction);
}

static int add_ledger_vm(struct ledger_vm *sum, const struct ledger_vm *vm)
{
	/* Where one interval's split is unknown the sum's is. */
	sum->guest_split_known = (sum->guest_split_known || sum->guest_ns == 0) &&
				 (vm->guest_split_known || vm->guest_ns == 0);
	sum->guest_ns += vm->guest_ns;
	sum->corrected_ns += vm->corrected_ns;
	sum->guest_user_ns += vm->guest_user_ns;
	sum->guest_kernel_ns += vm->guest_kernel_ns;
	const double before = sum->correction95_ns, more = vm->correction95_ns;
	add_corrected(&sum->error95.guest, before, vm->error95.guest, more);
	add_in_quadrature(&sum->error95.vmm, vm->error95.vmm);
	add_corrected(&sum->error95.kernel, before, vm->error95.kernel, more);
	add_in_quadrature(&sum->error95.shared, vm->error95.shared);
	add_corrected(&sum->error95.hypervisor, before, vm->error95.hypervisor, more);
	sum->correction95_ns += more;
	if (add_labels(&sum->vmm, &vm->vmm) || add_labels(&sum->kernel, &vm->kernel) ||
	    add_labels(&sum->shared, &vm->shared))
		return -ENOMEM;
	for (size_t work = 0; work < WORK_COUNT; work++)
		sum->shared_work_ns[work] += vm->shared_work_ns[work];
	return 0;
}

static bool same_vm(const struct interval_vm *one, const struct interval_vm *other)
{
	return one->pid == other->pid && one->start_time == other->start_time;
}

/* The VM's place in the sum (often the hint), made if it has none; -ENOMEM. */
static int place_vm(struct interval *sum, const struct interval_vm *vm, size_t hint,
		    size_t *place)
{
	size_t count = sum->ledger.vm_count;

	*place = hint;
	if (hint < count && same_vm(&sum->vms[hint], vm))
		return 0;
	for (*place = 0; *place < count; ++*place)
		if (same_vm(&sum->vms[*place], vm))
			return 0;
	struct interval_vm *vms = reallocarray(sum->vms, count + 1, sizeof(*vms));
	if (!vms)
		return -ENOMEM;
	sum->vms = vms;
	struct ledger_vm *ledger_vms =
		reallocarray(sum->ledger.vms, count + 1, sizeof(*ledger_vms));
	if (!ledger_vms)
		return -ENOMEM;
	sum->ledger.vms = ledger_vms;
	/* Facts and whether they are known come from the first interval that has the VM. */
	vms[count] = *vm;
	vms[count].exits = vms[count].halt_poll_ns = vms[count].ready_ns = 0;
	vms[count].traffic = (struct traffic){0};
	vms[count].exits_by_reason = NULL;
	vms[count].exit_reasons = 0;
	vms[count].samples = (struct sample_counts){0};
	ledger_vms[count] = (struct ledger_vm){0};
	int error = interval_vm_set(&vms[count], vm->name, vm->id, vm->uuid, vm->taps,
				    vm->tap_count);
	if (!error)
		sum->ledger.vm_count++;
	return error;
}

static bool same_thread(const struct interval_thread *one, const struct interval_thread *other)
{
	return one->owner == other->owner &&
	       (one->owner != OWNER_VM || (one->vm == other->vm && one->tid == other->tid));
}

/* The thread's place in the sum, in which its VM's index is vm. */
static int place_thread(struct interval *sum, const struct interval_thread *thread, uint32_t vm,
			size_t hint, size_t *place)
{
	struct interval_thread wanted = *thread;
	size_t count = sum->ledger.thread_count;

	wanted.vm = vm;
	wanted.ready_ns = 0;
	wanted.exact = (struct exact_times){0};
	memset(wanted.exits, 0, sizeof(wanted.exits));
	*place = hint;
	if (hint < count && same_thread(&sum->threads[hint], &wanted))
		return 0;
	for (*place = 0; *place < count; ++*place)
		if (same_thread(&sum->threads[*place], &wanted))
			return 0;
	struct interval_thread *threads =
		reallocarray(sum->threads, count + 1, sizeof(*threads));
	if (!threads)
		return -ENOMEM;
	sum->threads = threads;
	struct ledger_thread *ledger_threads =
		reallocarray(sum->ledger.threads, count + 1, sizeof(*ledger_threads));
	if (!ledger_threads)
		return -ENOMEM;
	sum->ledger.threads = ledger_threads;
	threads[count] = wanted;
	ledger_threads[count] = (struct ledger_thread){0};
	sum->ledger.thread_count++;
	return 0;
}

static void add_ledger_thread(struct ledger_thread *sum, const struct ledger_thread *thread)
{
	sum->charged_ns += thread->charged_ns;
	sum->guest_ns += thread->guest_ns;
	sum->user_ns += thread->user_ns;
	sum->kernel_ns += thread->kernel_ns;
	sum->interrupt_ns += thread->interrupt_ns;
	sum->samples += thread->samples;
}

static int add_vms(struct interval *sum, const struct interval *interval)
{
	size_t *places = calloc(interval->ledger.vm_count + 1, sizeof(*places));
	int error = places ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < interval->ledger.vm_count; i++) {
		const struct interval_vm *vm = &interval->vms[i];
		error = place_vm(sum, vm, i, &places[i]);
		if (error)
			break;
		struct interval_vm *to = &sum->vms[places[i]];
		to->ready_ns += vm->ready_ns;
		to->ended |= vm->ended;
		to->kvm_stats_known &= vm->kvm_stats_known;
		to->exits += vm->exits;
		to->halt_poll_ns += vm->halt_poll_ns;
		to->traffic_known &= vm->traffic_known;
		to->traffic.rx_bytes += vm->traffic.rx_bytes;
		to->traffic.rx_packets += vm->traffic.rx_packets;
		to->traffic.tx_bytes += vm->traffic.tx_bytes;
		to->traffic.tx_packets += vm->traffic.tx_packets;
		to->exits_known &= vm->exits_known;
		for (size_t r = 0; !error && r < vm->exit_reasons; r++)
			error = interval_vm_add_exits(to, &vm->exits_by_reason[r]);
		if (error)
			break;
		error = add_ledger_vm(&sum->ledger.vms[places[i]], &interval->ledger.vms[i]);
	}
	for (size_t i = 0; !error && i < interval->ledger.thread_count; i++) {
		const struct interval_thread *thread = &interval->threads[i];
		uint32_t vm = thread->owner == OWNER_VM ? (uint32_t)places[thread->vm] : 0;
		size_t place;
		error = place_thread(sum, thread, vm, i, &place);
		if (error)
			break;
		sum->threads[place].ready_ns += thread->ready_ns;
		exact_times_add(&sum->threads[place].exact, &thread->exact);
		sum->threads[place].exits_known &= thread->exits_known;
		for (int c = 0; c < VM_EXIT_CLASSES; c++)
			sum->threads[place].exits[c] += thread->exits[c];
		add_ledger_thread(&sum->ledger.threads[place], &interval->ledger.threads[i]);
	}
	free(places);
	return error;
}

/* The mean of all times of the reference loop. */
static void add_factor(struct interval_source *sum, const struct interval_source *more)
{
	sum->references += more->references;
	if (sum->references)
		sum->exit_cost_factor += (double)more->references / (double)sum->references *
					 (more->exit_cost_factor - sum->exit_cost_factor);
}

int interval_add(struct interval *sum, const struct interval *interval)
{
	if (sum->cpus == 0) {
		sum->start = interval->start;
		sum->source = interval->source;
		sum->source.samples = sum->source.lost = 0;
		sum->source.references = 0;
		sum->source.exit_cost_factor = 0;
		sum->source.tagged_s = 0;
		sum->source.tagged_packets = 0;
		sum->source.overhead_s = 0;
		sum->source.events = sum->source.lost_exits = 0;
		sum->source.lost_threads = 0;
		sum->labels = interval->labels;
	}
	sum->cpus = interval->cpus;
	sum->source.exact &= interval->source.exact;
	sum->source.events += interval->source.events;
	sum->source.lost_exits += interval->source.lost_exits;
	sum->source.lost_threads += interval->source.lost_threads;
	add_factor(&sum->source, &interval->source);
	if (interval->source.duty < sum->source.duty)
		sum->source.duty = interval->source.duty;
	sum->duration_s += interval->duration_s;
	sum->source.samples += interval->source.samples;
	sum->source.lost += interval->source.lost;
	sum->source.overhead_s += interval->source.overhead_s;
	sum->source.tagged_s += interval->source.tagged_s;
	sum->source.tagged_packets += interval->source.tagged_packets;
	sum->source.fit_batches = interval->source.fit_batches;
	sum->source.fit_sum_error = interval->source.fit_sum_error;
	sum->source.fit_batch_error = interval->source.fit_batch_error;
	sum->ledger.capacity_ns += interval->ledger.capacity_ns;
	sum->ledger.processes_ns += interval->ledger.processes_ns;
	sum->ledger.kernel_ns += interval->ledger.kernel_ns;
	sum->ledger.self_ns += interval->ledger.self_ns;
	sum->ledger.idle_ns += interval->ledger.idle_ns;
	sum->ledger.samples += interval->ledger.samples;
	for (size_t work = 0; work < WORK_COUNT; work++)
		sum->ledger.unattributed_work_ns[work] +=
			interval->ledger.unattributed_work_ns[work];
	int error = add_labels(&sum->ledger.unattributed, &interval->ledger.unattributed);
	if (!error)
		error = add_vms(sum, interval);
	interval_sort_exits(sum);
	return error;
}

void interval_free(struct interval *interval)
{
	for (size_t i = 0; i < interval->ledger.vm_count; i++)
		free_vm(&interval->vms[i]);
	free(interval->vms);
	free(interval->threads);
	free(interval->processes_samples.items);
	free(interval->kernel_samples.items);
	free(interval->idle_samples.items);
	ledger_free(&interval->ledger);
	*interval = (struct interval){0};
}
