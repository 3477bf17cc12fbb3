/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/counters_json.h"

#include <jansson.h>
#include <string.h>

#include "base/array.h"
#include "calibrate/calibration.h"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *number_if(bool known, uint64_t value)
{
	return known ? number(value) : json_null();
}

static json_t *thread_object(const struct counted_thread *thread)
{
	return json_pack("{s:i, s:i, s:s, s:o, s:s}", "tid", (int)thread->tid, "tgid",
			 (int)thread->tgid, "role", thread_role_name(thread->role), "index",
			 thread->index >= 0 ? json_integer(thread->index) : json_null(), "name",
			 thread->name);
}

static json_t *vm_object(const struct counted_vm *vm)
{
	json_t *taps = json_array(), *threads = json_array();

	for (size_t i = 0; i < vm->tap_count; i++)
		json_array_append_new(taps, json_string(vm->taps[i].name));
	for (size_t i = 0; i < vm->thread_count; i++)
		json_array_append_new(threads, thread_object(&vm->threads[i]));
	return json_pack("{s:i, s:o, s:s, s:s, s:s?, s:s, s:i, s:b, s:o, s:o}", "pid",
			 (int)vm->pid, "start_time", number(vm->start_time), "name", vm->name,
			 "id", vm->id, "uuid", vm->uuid, "vmm", vm->vmm, "vcpus",
			 (int)vm->vcpus, "selected", (int)vm->selected, "taps", taps, "threads",
			 threads);
}

static json_t *task_object(const struct collected_task *task)
{
	return json_pack("{s:i, s:i, s:b, s:s, s:o, s:o}", "tgid", (int)task->tgid, "tid",
			 (int)task->tid, "kernel_thread", (int)task->kernel_thread, "name",
			 task->name, "run_ns", number(task->run_ns), "ready_ns",
			 number(task->ready_ns));
}

/* Of a VM's vCPU threads; null where none is known. */
static json_t *exits_array(const struct counted_interval *interval, pid_t pid)
{
	json_t *array = NULL;

	for (size_t i = ARRAY_PLACE(interval->exits, interval->exit_count, pid, pid);
	     i < interval->exit_count && interval->exits[i].pid == pid; i++) {
		const struct counted_exits *exits = &interval->exits[i];
		if (!array)
			array = json_array();
		json_array_append_new(
			array,
			json_pack("{s:i, s:o, s:o, s:o}", "tid", (int)exits->tid, "kernel",
				  number(exits->by_class[VM_EXIT_KERNEL]), "user",
				  number(exits->by_class[VM_EXIT_USER]), "interrupt",
				  number(exits->by_class[VM_EXIT_INTERRUPT])));
	}
	return array ? array : json_null();
}

static json_t *vm_interval_object(const struct counted_interval *interval,
				  const struct counted_vm_interval *vm)
{
	json_t *net = json_null();

	if (vm->traffic_known)
		net = json_pack("{s:o, s:o, s:o, s:o}", "rx_bytes",
				number(vm->traffic.rx_bytes), "rx_packets",
				number(vm->traffic.rx_packets), "tx_bytes",
				number(vm->traffic.tx_bytes), "tx_packets",
				number(vm->traffic.tx_packets));
	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "pid", (int)vm->pid, "exits",
			 number_if(vm->kvm_stats_known, vm->exits), "vcpu_exits",
			 exits_array(interval, vm->pid), "halt_poll_ns",
			 number_if(vm->kvm_stats_known, vm->halt_poll_ns), "net", net);
}

static json_t *interval_object(const struct counted_interval *interval)
{
	json_t *tasks = json_array(), *vms = json_array();
	bool sums = interval->sums_known;

	for (size_t i = 0; i < interval->task_count; i++)
		json_array_append_new(tasks, task_object(&interval->tasks[i]));
	for (size_t i = 0; i < interval->vm_count; i++)
		json_array_append_new(vms, vm_interval_object(interval, &interval->vms[i]));
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "start_ns", number(interval->start_ns), "end_ns",
			 number(interval->end_ns), "interrupts_apart",
			 (int)interval->interrupts_apart, "interrupt_ns",
			 number(interval->interrupt_ns), "idle_ns", number(interval->idle_ns),
			 "processes_run_ns", number_if(sums, interval->processes_run_ns),
			 "kernel_run_ns", number_if(sums, interval->kernel_run_ns),
			 "shared_run_ns", number_if(sums, interval->shared_run_ns),
			 "self_run_ns", number(interval->self_run_ns), "unowned_bytes",
			 number(interval->unowned.bytes), "unowned_packets",
			 number(interval->unowned.packets), "tasks", tasks, "vms", vms);
}

static json_t *document_object(const struct counters_document *document)
{
	json_t *vms = json_array(), *intervals = json_array(), *selected = json_array();
	json_t *object = json_pack("{s:s, s:i, s:o, s:o, s:o}", "schema", "kvmperf.recording/1",
				   "frequency_hz", (int)document->frequency_hz, "selected",
				   selected, "vms", vms, "intervals", intervals);

	if (!object)
		return NULL;
	if (!document->calibration_told)
		json_object_set_new(object, "calibration",
				    document->calibration
					    ? calibration_json(document->calibration)
					    : json_null());
	if (document->tally) {
		json_object_set_new(object, "samples", number(document->tally->samples));
		json_object_set_new(object, "lost", number(document->tally->lost));
	}
	for (size_t i = 0; i < document->selected_count; i++)
		json_array_append_new(selected, json_string(document->selected[i]));
	for (size_t i = 0; i < document->vm_count; i++)
		if (document->vms[i].changed || !document->changed_only)
			json_array_append_new(vms, vm_object(&document->vms[i]));
	for (size_t i = 0; i < document->interval_count; i++)
		json_array_append_new(intervals, interval_object(&document->intervals[i]));
	if (document->interval_count > 0) {
		const struct counted_interval *first = &document->intervals[0];
		const struct counted_interval *last =
			&document->intervals[document->interval_count - 1];
		json_object_set_new(object, "start", json_real(first->start));
		json_object_set_new(object, "start_ns", number(first->start_ns));
		json_object_set_new(object, "end_ns", number(last->end_ns));
		json_object_set_new(object, "cpus", number(last->cpus));
		json_object_set_new(object, "collector", json_string(last->times));
	}
	return object;
}

char *counters_json(const struct counters_document *document, size_t *length)
{
	json_t *object = document_object(document);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	*length = text ? strlen(text) : 0;
	return text;
}
