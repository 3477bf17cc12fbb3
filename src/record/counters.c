/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/printable.h"
#include "record/counters_data.h"
#include "record/counters_json.h"

/* Tasks and VMs of all intervals together, some 100 bytes each as text. */
#define ENTRIES_MAX 50000

struct counters {
	struct counters_source source;
	struct counted_vm *vms; /* in rising order of pid */
	size_t vm_count, vm_room;
	struct counted_interval *intervals;
	size_t interval_count, interval_room;
	size_t entries; /* of all intervals */
	const struct calibration *calibration;
	bool calibration_told; /* by counters_last_text(), in this file */
};

struct counters *counters_new(const struct counters_source *source)
{
	struct counters *counters = calloc(1, sizeof(*counters));

	if (counters)
		counters->source = *source;
	return counters;
}

void counters_set_calibration(struct counters *counters, const struct calibration *calibration)
{
	counters->calibration = calibration;
}

static void clear_vm(struct counted_vm *vm)
{
	free(vm->name);
	free(vm->id);
	free(vm->uuid);
	free(vm->taps);
	free(vm->threads);
	*vm = (struct counted_vm){0};
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The VM with this pid; another one that took over its pid starts empty. */
static struct counted_vm *find_vm(struct counters *counters, const struct interval_vm *vm)
{
	size_t place = ARRAY_PLACE(counters->vms, counters->vm_count, pid, vm->pid);
	struct counted_vm *known = &counters->vms[place];

	if (place < counters->vm_count && known->pid == vm->pid) {
		if (known->start_time != vm->start_time)
			clear_vm(known);
	} else {
		if (array_reserve(&counters->vms, &counters->vm_room, counters->vm_count + 1,
				  sizeof(*counters->vms)))
			return NULL;
		known = &counters->vms[place];
		memmove(known + 1, known, (counters->vm_count++ - place) * sizeof(*known));
		*known = (struct counted_vm){0};
	}
	known->pid = vm->pid;
	known->start_time = vm->start_time;
	return known;
}

static int set_text(char **field, const char *text, bool *changed)
{
	if (same_text(*field, text))
		return 0;
	free(*field);
	*field = text ? strdup(text) : NULL;
	*changed = true;
	return text && !*field ? -ENOMEM : 0;
}

static int set_taps(struct counted_vm *known, const struct interval_vm *vm)
{
	size_t size = vm->tap_count * sizeof(*vm->taps);

	if (known->tap_count == vm->tap_count &&
	    (size == 0 || memcmp(known->taps, vm->taps, size) == 0))
		return 0;
	free(known->taps);
	known->tap_count = 0;
	known->taps = size ? malloc(size) : NULL;
	if (size && !known->taps)
		return -ENOMEM;
	if (size)
		memcpy(known->taps, vm->taps, size);
	known->tap_count = vm->tap_count;
	known->changed = true;
	return 0;
}

static int describe_vm(struct counted_vm *known, const struct interval_vm *vm)
{
	if (known->vcpus != vm->vcpus || strcmp(known->vmm, vm->vmm) != 0 ||
	    known->selected != vm->selected)
		known->changed = true;
	known->vcpus = vm->vcpus;
	known->selected = vm->selected;
	memcpy(known->vmm, vm->vmm, sizeof(known->vmm));
	if (set_text(&known->name, vm->name, &known->changed) ||
	    set_text(&known->id, vm->id, &known->changed) ||
	    set_text(&known->uuid, vm->uuid, &known->changed))
		return -ENOMEM;
	return set_taps(known, vm);
}

static int describe_thread(struct counted_vm *known, const struct interval_thread *thread,
			   pid_t tgid)
{
	size_t place = ARRAY_PLACE(known->threads, known->thread_count, tid, thread->tid);
	struct counted_thread *other = &known->threads[place];

	if (place == known->thread_count || other->tid != thread->tid) {
		if (array_reserve(&known->threads, &known->thread_room, known->thread_count + 1,
				  sizeof(*known->threads)))
			return -ENOMEM;
		other = &known->threads[place];
		memmove(other + 1, other, (known->thread_count++ - place) * sizeof(*other));
		*other = (struct counted_thread){.tid = thread->tid, .index = -2};
	}
	if (other->tgid == tgid && other->role == thread->role &&
	    other->index == thread->index && strcmp(other->name, thread->name) == 0)
		return 0;
	other->tgid = tgid;
	other->role = thread->role;
	other->index = thread->index;
	memcpy(other->name, thread->name, sizeof(other->name));
	known->changed = true;
	return 0;
}

static int compare_tasks(const void *left, const void *right)
{
	const struct collected_task *a = left, *b = right;

	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

/* Adds up the entries of one thread; tasks are in the order of tid. */
static size_t join_tasks(struct collected_task *tasks, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && tasks[kept - 1].tid == tasks[i].tid &&
		    tasks[kept - 1].tgid == tasks[i].tgid) {
			tasks[kept - 1].run_ns += tasks[i].run_ns;
			tasks[kept - 1].ready_ns += tasks[i].ready_ns;
		} else {
			tasks[kept++] = tasks[i];
		}
	}
	return kept;
}

static int copy_tasks(struct counted_interval *out, const struct collection *collection)
{
	size_t count = collection->task_count;

	out->tasks = calloc(count + 1, sizeof(*out->tasks));
	if (!out->tasks)
		return -ENOMEM;
	if (count)
		memcpy(out->tasks, collection->tasks, count * sizeof(*out->tasks));
	for (size_t i = 0; i < count; i++)
		printable(out->tasks[i].name);
	qsort(out->tasks, count, sizeof(*out->tasks), compare_tasks);
	out->task_count = join_tasks(out->tasks, count);
	return 0;
}

static pid_t group_of(const struct counted_interval *interval, pid_t tid, pid_t otherwise)
{
	size_t place = ARRAY_PLACE(interval->tasks, interval->task_count, tid, tid);

	return place < interval->task_count && interval->tasks[place].tid == tid
		       ? interval->tasks[place].tgid
		       : otherwise;
}

static int copy_vms(struct counters *counters, struct counted_interval *out,
		    const struct interval *interval)
{
	out->vms = calloc(interval->ledger.vm_count + 1, sizeof(*out->vms));
	if (!out->vms)
		return -ENOMEM;
	for (size_t i = 0; i < interval->ledger.vm_count; i++) {
		const struct interval_vm *vm = &interval->vms[i];
		struct counted_vm *known = find_vm(counters, vm);
		if (!known || describe_vm(known, vm))
			return -ENOMEM;
		out->vms[out->vm_count++] = (struct counted_vm_interval){
			.pid = vm->pid,
			.kvm_stats_known = vm->kvm_stats_known,
			.exits = vm->exits,
			.halt_poll_ns = vm->halt_poll_ns,
			.traffic_known = vm->traffic_known,
			.traffic = vm->traffic,
		};
	}
	for (size_t i = 0; i < interval->ledger.thread_count; i++) {
		const struct interval_thread *thread = &interval->threads[i];
		if (thread->owner != OWNER_VM || thread->tid == 0)
			continue;
		const struct interval_vm *vm = &interval->vms[thread->vm];
		struct counted_vm *known = find_vm(counters, vm);
		if (!known ||
		    describe_thread(known, thread, group_of(out, thread->tid, vm->pid)))
			return -ENOMEM;
	}
	return 0;
}

static int compare_exits(const void *left, const void *right)
{
	const struct counted_exits *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

/* Brings the interval's exits in order and adds up those of one thread. */
static void join_exits(struct counted_interval *interval)
{
	struct counted_exits *exits = interval->exits;
	size_t kept = 0;

	if (interval->exit_count)
		qsort(exits, interval->exit_count, sizeof(*exits), compare_exits);
	for (size_t i = 0; i < interval->exit_count; i++) {
		if (kept == 0 || compare_exits(&exits[kept - 1], &exits[i])) {
			exits[kept++] = exits[i];
			continue;
		}
		for (int c = 0; c < VM_EXIT_CLASSES; c++)
			exits[kept - 1].by_class[c] += exits[i].by_class[c];
	}
	interval->exit_count = kept;
}

static int copy_exits(struct counted_interval *out, const struct interval *interval)
{
	size_t count = 0;

	for (size_t i = 0; i < interval->ledger.thread_count; i++)
		count += interval->threads[i].exits_known;
	out->exits = calloc(count + 1, sizeof(*out->exits));
	if (!out->exits)
		return -ENOMEM;
	for (size_t i = 0; i < interval->ledger.thread_count; i++) {
		const struct interval_thread *thread = &interval->threads[i];
		if (!thread->exits_known)
			continue;
		struct counted_exits *exits = &out->exits[out->exit_count++];
		exits->pid = interval->vms[thread->vm].pid;
		exits->tid = thread->tid;
		memcpy(exits->by_class, thread->exits, sizeof(exits->by_class));
	}
	join_exits(out);
	return 0;
}

static void clear_interval(struct counted_interval *interval)
{
	free(interval->tasks);
	free(interval->vms);
	free(interval->exits);
	*interval = (struct counted_interval){0};
}

static int copy_interval(struct counters *counters, struct counted_interval *out,
			 const struct interval *interval,
			 const struct recorder_reading *reading)
{
	const struct collection *collection = reading->collection;

	*out = (struct counted_interval){
		.start = interval->start,
		.start_ns = collection->start_ns,
		.end_ns = collection->end_ns,
		.cpus = collection->cpus,
		.times = reading->times,
		.idle_ns = reading->idle_ns,
		.interrupts_apart = collection->interrupts_apart,
		.interrupt_ns = collection->interrupt_ns,
		.sums_known = reading->sums_known,
		.processes_run_ns = collection->processes_run_ns,
		.kernel_run_ns = collection->kernel_run_ns,
		.shared_run_ns = collection->shared_run_ns,
		.self_run_ns = collection->self_run_ns,
		.unowned = interval->unowned,
	};
	int error = copy_tasks(out, collection);
	if (!error)
		error = copy_vms(counters, out, interval);
	return error ? error : copy_exits(out, interval);
}

static size_t entries_of(const struct counted_interval *interval)
{
	return 1 + interval->task_count + interval->vm_count + interval->exit_count;
}

static void join_vms(struct counted_interval *into, const struct counted_interval *from)
{
	for (size_t i = 0; i < from->vm_count; i++) {
		const struct counted_vm_interval *vm = &from->vms[i];
		size_t j = 0;
		while (j < into->vm_count && into->vms[j].pid != vm->pid)
			j++;
		struct counted_vm_interval *sum = &into->vms[j];
		if (j == into->vm_count) {
			into->vms[into->vm_count++] = *vm;
			continue;
		}
		sum->kvm_stats_known = sum->kvm_stats_known && vm->kvm_stats_known;
		sum->traffic_known = sum->traffic_known && vm->traffic_known;
		sum->exits += vm->exits;
		sum->halt_poll_ns += vm->halt_poll_ns;
		sum->traffic.rx_bytes += vm->traffic.rx_bytes;
		sum->traffic.rx_packets += vm->traffic.rx_packets;
		sum->traffic.tx_bytes += vm->traffic.tx_bytes;
		sum->traffic.tx_packets += vm->traffic.tx_packets;
	}
}

/* Makes one interval of two that follow each other; from is cleared. -ENOMEM changes none. */
static int join(struct counted_interval *into, struct counted_interval *from)
{
	size_t tasks = into->task_count + from->task_count;
	size_t vms = into->vm_count + from->vm_count;
	size_t exits = into->exit_count + from->exit_count;
	struct collected_task *task_array =
		reallocarray(into->tasks, tasks + 1, sizeof(*into->tasks));

	if (!task_array)
		return -ENOMEM;
	into->tasks = task_array;
	struct counted_vm_interval *vm_array =
		reallocarray(into->vms, vms + 1, sizeof(*into->vms));
	if (!vm_array)
		return -ENOMEM;
	into->vms = vm_array;
	struct counted_exits *exit_array =
		reallocarray(into->exits, exits + 1, sizeof(*into->exits));
	if (!exit_array)
		return -ENOMEM;
	into->exits = exit_array;
	if (from->exit_count)
		memcpy(&into->exits[into->exit_count], from->exits,
		       from->exit_count * sizeof(*from->exits));
	into->exit_count = exits;
	join_exits(into);
	if (from->task_count)
		memcpy(&into->tasks[into->task_count], from->tasks,
		       from->task_count * sizeof(*from->tasks));
	qsort(into->tasks, tasks, sizeof(*into->tasks), compare_tasks);
	into->task_count = join_tasks(into->tasks, tasks);
	join_vms(into, from);
	into->end_ns = from->end_ns;
	into->idle_ns += from->idle_ns;
	into->interrupts_apart = into->interrupts_apart || from->interrupts_apart;
	into->interrupt_ns += from->interrupt_ns;
	into->sums_known = into->sums_known && from->sums_known;
	into->processes_run_ns += from->processes_run_ns;
	into->kernel_run_ns += from->kernel_run_ns;
	into->shared_run_ns += from->shared_run_ns;
	into->self_run_ns += from->self_run_ns;
	into->unowned.bytes += from->unowned.bytes;
	into->unowned.packets += from->unowned.packets;
	clear_interval(from);
	return 0;
}

/* Joins neighbours two by two. */
static int join_intervals(struct counters *counters)
{
	size_t kept = 0;

	for (size_t i = 0; i < counters->interval_count; i += 2) {
		struct counted_interval *interval = &counters->intervals[i];
		if (i + 1 < counters->interval_count && join(interval, interval + 1))
			return -ENOMEM;
		counters->intervals[kept++] = *interval;
	}
	counters->interval_count = kept;
	counters->entries = 0;
	for (size_t i = 0; i < kept; i++)
		counters->entries += entries_of(&counters->intervals[i]);
	return 0;
}

int counters_add(struct counters *counters, const struct interval *interval,
		 const struct recorder_reading *reading)
{
	/* The last one stays as it is: counters_last_text() tells of it. */
	if (counters->entries > ENTRIES_MAX && counters->interval_count > 1) {
		int error = join_intervals(counters);
		if (error)
			return error;
	}
	if (array_reserve(&counters->intervals, &counters->interval_room,
			  counters->interval_count + 1, sizeof(*counters->intervals)))
		return -ENOMEM;
	struct counted_interval *out = &counters->intervals[counters->interval_count];
	int error = copy_interval(counters, out, interval, reading);
	if (error) {
		clear_interval(out);
		return error;
	}
	counters->interval_count++;
	counters->entries += entries_of(out);
	return 0;
}

static char *make_text(struct counters *counters, size_t first, bool changed_only,
		       const struct record_tally *tally, size_t *length)
{
	struct counters_document document = {
		.frequency_hz = counters->source.frequency_hz,
		.selected = counters->source.selected,
		.selected_count = counters->source.selected_count,
		.vms = counters->vms,
		.vm_count = counters->vm_count,
		.changed_only = changed_only,
		.calibration = counters->calibration,
		.calibration_told = changed_only && counters->calibration_told,
		.tally = tally,
		.intervals = counters->intervals + first,
		.interval_count = counters->interval_count - first,
	};

	return counters_json(&document, length);
}

char *counters_last_text(struct counters *counters, size_t *length)
{
	if (counters->interval_count == 0)
		return NULL;
	char *text = make_text(counters, counters->interval_count - 1, true, NULL, length);
	for (size_t i = 0; text && i < counters->vm_count; i++)
		counters->vms[i].changed = false;
	counters->calibration_told |= text != NULL;
	return text;
}

char *counters_text(struct counters *counters, const struct record_tally *tally, size_t *length)
{
	return make_text(counters, 0, false, tally, length);
}

void counters_begin_file(struct counters *counters)
{
	for (size_t i = 0; i < counters->interval_count; i++)
		clear_interval(&counters->intervals[i]);
	counters->interval_count = 0;
	counters->entries = 0;
	counters->calibration_told = false;
	for (size_t i = 0; i < counters->vm_count; i++)
		counters->vms[i].changed = true;
}

void counters_free(struct counters *counters)
{
	if (!counters)
		return;
	counters_begin_file(counters);
	for (size_t i = 0; i < counters->vm_count; i++)
		clear_vm(&counters->vms[i]);
	free(counters->vms);
	free(counters->intervals);
	free(counters);
}
