/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/interval_json.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "account/confidence.h"
#include "symbols/exit_reasons.h"

static json_t *seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

static json_t *seconds_if(bool known, uint64_t ns)
{
	return known ? seconds(ns) : json_null();
}

static json_t *count_if(bool known, uint64_t count)
{
	return known ? json_integer((json_int_t)count) : json_null();
}

static json_t *label_map(const struct labels *labels, const struct label_times *times)
{
	json_t *map = json_object();

	/* A shared object may have any name, also that of LABEL_UNSAMPLED. */
	for (size_t i = 0; i < times->count; i++) {
		const char *name = labels_name(labels, times->items[i].label);
		double before = json_number_value(json_object_get(map, name));
		if (json_object_set_new(map, name,
					json_real(before + (double)times->items[i].ns / 1e9))) {
			json_decref(map);
			return NULL;
		}
	}
	return map;
}

/* Shared work by kind; kinds without time are left out. */
static json_t *work_map(const uint64_t ns[WORK_COUNT])
{
	json_t *map = json_object();

	for (int work = 0; work < WORK_COUNT; work++) {
		if (ns[work] &&
		    json_object_set_new(map, shared_work_name((enum shared_work)work),
					seconds(ns[work]))) {
			json_decref(map);
			return NULL;
		}
	}
	return map;
}

static json_t *real_if_known(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

/* Samples by mode, and but for the guest's by module. */
static json_t *samples_map(const struct sample_counts *counts)
{
	json_t *map = json_object();
	int failed = 0;

	for (size_t i = 0; i < counts->count; i++) {
		const struct sample_count *item = &counts->items[i];
		json_t *number = json_integer((json_int_t)item->samples);
		json_t *modules = json_object_get(map, item->mode);
		if (!item->module) {
			failed |= json_object_set_new(map, item->mode, number);
			continue;
		}
		if (!modules) {
			modules = json_object();
			failed |= json_object_set_new(map, item->mode, modules);
		}
		failed |= json_object_set_new(modules, item->module, number);
	}
	if (failed) {
		json_decref(map);
		return NULL;
	}
	return map;
}

static json_t *thread_object(const struct interval *interval,
			     const struct interval_thread *thread,
			     const struct ledger_thread *times)
{
	bool exact = interval->source.exact;
	json_t *object =
		json_pack("{s:i, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tid",
			  (int)thread->tid, "role", thread_role_name(thread->role), "index",
			  thread->index >= 0 ? json_integer(thread->index) : json_null(),
			  "name", thread->name, "guest_s", seconds(times->guest_ns), "vmm_s",
			  seconds(times->user_ns), "kernel_s", seconds(times->kernel_ns),
			  "interrupts_s", seconds(times->interrupt_ns), "ready_s",
			  seconds_if(!interval->source.anchor, thread->ready_ns), "hardirq_s",
			  seconds_if(exact, thread->exact.hardirq_ns), "softirq_s",
			  seconds_if(exact, thread->exact.softirq_ns));

	if (object && interval->recorded)
		json_object_set_new(object, "samples",
				    json_integer((json_int_t)times->samples));
	return object;
}

/* Threads stand in the order of their VMs; *next is the first that was not looked at yet. */
static json_t *threads_of(const struct interval *interval, size_t vm, size_t *next)
{
	json_t *threads = json_array();

	for (; *next < interval->ledger.thread_count; ++*next) {
		const struct interval_thread *thread = &interval->threads[*next];
		if (thread->owner == OWNER_VM && thread->vm > vm)
			break;
		if (thread->owner == OWNER_VM && thread->vm == vm)
			json_array_append_new(threads,
					      thread_object(interval, thread,
							    &interval->ledger.threads[*next]));
	}
	return threads;
}

static json_t *tap_names(const struct interval_vm *vm)
{
	json_t *taps = json_array();

	for (size_t i = 0; i < vm->tap_count; i++)
		json_array_append_new(taps, json_string(vm->taps[i].name));
	return taps;
}

/* Ways to the network that no counter of ours sees. */
static json_t *unseen_names(unsigned paths)
{
	json_t *names = json_array();

	for (unsigned n = 0; n < UNSEEN_PATH_COUNT; n++)
		if (paths & 1u << n)
			json_array_append_new(names, json_string(unseen_path_name(n)));
	return names;
}

/* Other than 0 when a figure is missing: there was no memory. */
static int set_times(json_t *object, const struct labels *labels,
		     const struct ledger_vm *ledger)
{
	bool split = ledger->guest_split_known;
	int failed = 0;

	failed |= json_object_set_new(object, "guest_s", seconds(ledger->guest_ns));
	failed |= json_object_set_new(object, "guest_user_s",
				      seconds_if(split, ledger->guest_user_ns));
	failed |= json_object_set_new(object, "guest_kernel_s",
				      seconds_if(split, ledger->guest_kernel_ns));
	failed |= json_object_set_new(object, "vmm_s", seconds(ledger->vmm.total_ns));
	failed |= json_object_set_new(object, "vmm_dsos", label_map(labels, &ledger->vmm));
	failed |= json_object_set_new(object, "kernel_s", seconds(ledger->kernel.total_ns));
	failed |= json_object_set_new(object, "kernel_modules",
				      label_map(labels, &ledger->kernel));
	failed |= json_object_set_new(object, "shared_s", seconds(ledger->shared.total_ns));
	failed |= json_object_set_new(object, "shared_modules",
				      label_map(labels, &ledger->shared));
	failed |= json_object_set_new(object, "shared_work", work_map(ledger->shared_work_ns));
	failed |= json_object_set_new(object, "hypervisor_s",
				      seconds(ledger_vm_hypervisor_ns(ledger)));
	failed |= json_object_set_new(object, "total_s", seconds(ledger_vm_total_ns(ledger)));
	return failed;
}

/* The half widths times a factor. */
static json_t *error_map(const struct ledger_error *error, double factor)
{
	factor /= 1e9;
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "guest", error->guest * factor, "vmm",
			 error->vmm * factor, "kernel", error->kernel * factor, "shared",
			 error->shared * factor, "hypervisor", error->hypervisor * factor);
}

static json_t *exits_by_reason(const struct interval_vm *vm)
{
	char name[EXIT_REASON_SIZE];

	if (!vm->exits_known)
		return json_null();
	json_t *reasons = json_array();
	for (size_t i = 0; i < vm->exit_reasons; i++) {
		const struct interval_exits *exits = &vm->exits_by_reason[i];
		json_array_append_new(reasons,
				      json_pack("{s:s, s:I, s:o}", "reason",
						exit_reason_name(exits->isa, exits->code, name),
						"count", (json_int_t)exits->count, "cpu_s",
						seconds(exits->ns)));
	}
	return reasons;
}

static json_t *vm_object(const struct interval *interval, size_t index, size_t *next_thread)
{
	const struct interval_vm *vm = &interval->vms[index];
	const struct ledger_vm *ledger = &interval->ledger.vms[index];
	bool known = vm->kvm_stats_known;
	json_t *object = json_pack("{s:s, s:s, s:i, s:s, s:s?, s:i, s:o}", "name", vm->name,
				   "id", vm->id, "pid", (int)vm->pid, "vmm", vm->vmm, "uuid",
				   vm->uuid, "vcpus", (int)vm->vcpus, "taps", tap_names(vm));

	if (!object)
		return NULL;
	if (set_times(object, interval->labels, ledger)) {
		json_decref(object);
		return NULL;
	}
	json_object_set_new(object, "ready_s",
			    seconds_if(!interval->source.anchor, vm->ready_ns));
	json_object_set_new(object, "halt_poll_s", seconds_if(known, vm->halt_poll_ns));
	json_object_set_new(object, "exits", count_if(known, vm->exits));
	json_object_set_new(object, "exits_by_reason", exits_by_reason(vm));
	json_object_set_new(object, "error95_s", error_map(&ledger->error95, 1));
	/* All of them hold at once. */
	json_object_set_new(
		object, "error95_all_s",
		error_map(&ledger->error95, confidence_quantile(4) / confidence_quantile(1)));
	json_object_set_new(
		object, "net",
		json_pack("{s:o, s:o, s:o, s:o}", "rx_bytes",
			  count_if(vm->traffic_known, vm->traffic.rx_bytes), "rx_packets",
			  count_if(vm->traffic_known, vm->traffic.rx_packets), "tx_bytes",
			  count_if(vm->traffic_known, vm->traffic.tx_bytes), "tx_packets",
			  count_if(vm->traffic_known, vm->traffic.tx_packets)));
	json_object_set_new(object, "net_unseen", unseen_names(vm->unseen));
	json_object_set_new(object, "ended", json_boolean(vm->ended));
	json_object_set_new(object, "threads", threads_of(interval, index, next_thread));
	if (interval->recorded)
		json_object_set_new(object, "samples", samples_map(&vm->samples));
	return object;
}

/* How the model of affine apportionment was fitted; null as long as it is the default. */
static json_t *fit_object(const struct interval_source *source)
{
	return source->fit_batches ? json_pack("{s:I, s:f, s:f}", "batches",
					       (json_int_t)source->fit_batches, "error",
					       source->fit_sum_error, "batch_error",
					       source->fit_batch_error)
				   : json_null();
}

static json_t *source_object(const struct interval_source *source)
{
	bool exact = source->exact;

	return json_pack(
		"{s:s, s:s, s:i, s:I, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:f, "
		"s:I, s:s, s:o, s:o, s:i, s:o, s:o, s:s*}",
		"collector", source->collector, "event", source->event, "frequency_hz",
		(int)source->frequency_hz, "samples", (json_int_t)source->samples, "lost",
		(json_int_t)source->lost, "exact", exact, "exact_duty",
		exact ? json_real(source->duty) : json_null(), "exact_events",
		count_if(exact, source->events), "exact_event_ns",
		exact && source->event_ns > 0 ? json_real(source->event_ns) : json_null(),
		"exact_lost_exits", count_if(exact, source->lost_exits), "exact_lost_threads",
		count_if(exact, source->lost_threads), "apportion", source->apportion,
		"apportion_fit", fit_object(source), "tagged_s", source->tagged_s,
		"tagged_packets", (json_int_t)source->tagged_packets, "irqs_off_correction",
		source->irqs_off_correction, "exit_cost_factor",
		source->exit_cost_factor > 0 ? json_real(source->exit_cost_factor)
					     : json_null(),
		"overhead_s", real_if_known(source->overhead_s), "frequency_asked_hz",
		(int)source->frequency_asked_hz, "sample_cost_s",
		source->sample_cost_s > 0 ? json_real(source->sample_cost_s) : json_null(),
		"budget",
		source->budget > 0 && isfinite(source->budget) ? json_real(source->budget)
							       : json_null(),
		"anchor", source->anchor);
}

static json_t *host_object(const struct interval *interval)
{
	const struct ledger *ledger = &interval->ledger;
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "processes_s",
			  seconds(interval_processes_ns(interval)), "other_vms_s",
			  seconds(interval_other_vms_ns(interval)), "kernel_s",
			  seconds(ledger->kernel_ns), "shared_unattributed_s",
			  seconds(ledger->unattributed.total_ns), "shared_unattributed_modules",
			  label_map(interval->labels, &ledger->unattributed),
			  "shared_unattributed_work", work_map(ledger->unattributed_work_ns));

	if (object && interval->recorded)
		json_object_set_new(object, "samples",
				    json_pack("{s:o, s:o, s:o}", "processes",
					      samples_map(&interval->processes_samples),
					      "kernel", samples_map(&interval->kernel_samples),
					      "idle", samples_map(&interval->idle_samples)));
	return object;
}

int interval_write_json(FILE *stream, const struct interval *interval)
{
	return interval_write_json_with(stream, interval, NULL, NULL);
}

int interval_write_json_with(FILE *stream, const struct interval *interval, const char *key,
			     json_t *value)
{
	json_t *vms = json_array();
	size_t next_thread = 0;

	for (size_t i = 0; i < interval->ledger.vm_count; i++) {
		if (interval->vms[i].selected &&
		    json_array_append_new(vms, vm_object(interval, i, &next_thread))) {
			json_decref(vms);
			json_decref(value);
			return -ENOMEM;
		}
	}
	json_t *line =
		json_pack("{s:s, s:o, s:f, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
			  "kvmperf.interval/1", "start", real_if_known(interval->start),
			  "duration_s", interval->duration_s, "cpus", (int)interval->cpus,
			  "capacity_s", seconds(interval->ledger.capacity_ns), "source",
			  source_object(&interval->source), "vms", vms, "host",
			  host_object(interval), "self_s", seconds(interval->ledger.self_ns),
			  "idle_s", seconds(interval->ledger.idle_ns));
	if (!line || (key && json_object_set_new(line, key, value))) {
		json_decref(line);
		return -ENOMEM;
	}
	int failed = json_dumpf(line, stream, JSON_COMPACT | JSON_REAL_PRECISION(16));
	json_decref(line);
	if (failed || fputc('\n', stream) == EOF || fflush(stream) == EOF)
		return -EIO;
	return 0;
}
