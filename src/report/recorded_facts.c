/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/recorded_facts.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/printable.h"

struct recorded_facts {
	struct vm *vms;
	size_t vm_count, vm_room;
	json_t *intervals; /* an array of those that were not summed yet */
	double wall;	   /* at wall_ns; NAN: not known */
	uint64_t wall_ns;
	size_t cpus;
	bool calibrated; /* the next is known */
	struct calibration calibration;
};

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static bool known(const json_t *object, const char *key)
{
	return json_is_integer(json_object_get(object, key));
}

/* A string in memory of its own, or NULL for what is none. */
static char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	char *copy = text ? strdup(text) : NULL;

	if (copy)
		printable(copy);
	return copy;
}

static void copy_name(char *to, size_t room, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	memset(to, 0, room);
	if (text)
		strncpy(to, text, room - 1);
	printable(to);
}

static enum thread_role role_of(const char *name)
{
	for (int role = 0; name && role < THREAD_ROLE_COUNT; role++)
		if (strcmp(thread_role_name((enum thread_role)role), name) == 0)
			return (enum thread_role)role;
	return THREAD_OTHER;
}

static int take_threads(struct vm *vm, const json_t *threads)
{
	const json_t *item;
	size_t i;

	json_array_foreach(threads, i, item)
	{
		char name[16];
		copy_name(name, sizeof(name), item, "name");
		struct vm_thread *thread = vm_add_thread(vm, (pid_t)number_of(item, "tid"),
							 (pid_t)number_of(item, "tgid"), name);
		if (!thread)
			return -ENOMEM;
		thread->role = role_of(json_string_value(json_object_get(item, "role")));
		thread->index = known(item, "index") ? (int)number_of(item, "index") : -1;
	}
	vm_sort_threads(vm);
	return 0;
}

static int take_taps(struct vm *vm, const json_t *taps)
{
	size_t count = json_array_size(taps);

	vm->taps = calloc(count + 1, sizeof(*vm->taps));
	if (!vm->taps)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(taps, i));
		if (!name)
			continue;
		strncpy(vm->taps[vm->tap_count].name, name, sizeof(vm->taps->name) - 1);
		printable(vm->taps[vm->tap_count++].name);
	}
	return 0;
}

static int take_vm(struct recorded_facts *facts, const json_t *item)
{
	struct vm *vm = NULL;
	pid_t pid = (pid_t)number_of(item, "pid");

	for (size_t i = 0; i < facts->vm_count; i++)
		if (facts->vms[i].pid == pid)
			vm = &facts->vms[i];
	if (!vm) {
		if (array_reserve(&facts->vms, &facts->vm_room, facts->vm_count + 1,
				  sizeof(*facts->vms)))
			return -ENOMEM;
		vm = &facts->vms[facts->vm_count++];
	}
	vm_clear(vm);
	*vm = (struct vm){.pid = pid,
			  .start_time = number_of(item, "start_time"),
			  .name = text_of(item, "name"),
			  .id = text_of(item, "id"),
			  .uuid = text_of(item, "uuid"),
			  .vcpus = (unsigned)number_of(item, "vcpus")};
	copy_name(vm->vmm, sizeof(vm->vmm), item, "vmm");
	if (!vm->name)
		vm->name = strdup("?");
	if (!vm->id)
		vm->id = strdup(vm->name ? vm->name : "?");
	if (!vm->name || !vm->id)
		return -ENOMEM;
	int code = take_taps(vm, json_object_get(item, "taps"));
	return code ? code : take_threads(vm, json_object_get(item, "threads"));
}

int recorded_facts_take(struct recorded_facts **facts_pointer, const char *text, size_t length,
			struct error *error)
{
	json_error_t reason;
	json_t *root = json_loadb(text, length, 0, &reason), *item;
	const char *schema = json_string_value(json_object_get(root, "schema"));
	size_t i;
	int code = 0;

	if (!root)
		return error_set(error, -EBADMSG, "kvmperf's section is no JSON: %s",
				 reason.text);
	if (!schema || strncmp(schema, "kvmperf.recording/1", 19) != 0) {
		json_decref(root);
		return error_set(error, -EBADMSG,
				 "kvmperf's section has a form that this version doesn't know");
	}
	struct recorded_facts *facts = *facts_pointer;
	if (!facts) {
		facts = *facts_pointer = calloc(1, sizeof(*facts));
		if (facts) {
			facts->wall = NAN;
			facts->intervals = json_array();
		}
		if (!facts || !facts->intervals)
			code = -ENOMEM;
	}
	if (!code && json_is_number(json_object_get(root, "start")) && isnan(facts->wall)) {
		facts->wall = json_number_value(json_object_get(root, "start"));
		facts->wall_ns = number_of(root, "start_ns");
	}
	if (!code && number_of(root, "cpus"))
		facts->cpus = (size_t)number_of(root, "cpus");
	/* One that this version can't read is as good as none. */
	if (!code && !facts->calibrated)
		facts->calibrated =
			calibration_from_json(&facts->calibration,
					      json_object_get(root, "calibration")) == 0;
	json_array_foreach(json_object_get(root, "vms"), i, item)
	{
		if (!code)
			code = take_vm(facts, item);
	}
	if (!code && json_is_array(json_object_get(root, "intervals")) &&
	    json_array_extend(facts->intervals, json_object_get(root, "intervals")))
		code = -ENOMEM;
	json_decref(root);
	return code ? error_set(error, code, "no memory for kvmperf's section") : 0;
}

const struct vm *recorded_facts_vms(const struct recorded_facts *facts, size_t *count)
{
	*count = facts ? facts->vm_count : 0;
	return facts ? facts->vms : NULL;
}

const struct vm *recorded_facts_vm(const struct recorded_facts *facts, uint32_t pid)
{
	for (size_t i = 0; facts && i < facts->vm_count; i++)
		if ((uint32_t)facts->vms[i].pid == pid)
			return &facts->vms[i];
	return NULL;
}

const struct calibration *recorded_facts_calibration(const struct recorded_facts *facts)
{
	return facts && facts->calibrated ? &facts->calibration : NULL;
}

double recorded_facts_wall(const struct recorded_facts *facts, uint64_t ns)
{
	if (!facts)
		return NAN;
	return facts->wall + ((double)ns - (double)facts->wall_ns) / 1e9;
}

/* Where the task with a tid is in the table, or would be. */
static uint32_t *place_of_task(const struct recorded_times *sum, pid_t tid)
{
	size_t mask = sum->task_place_count - 1;
	size_t place = (size_t)((uint32_t)tid * 0x9e3779b1U) & mask;

	while (sum->task_places[place] &&
	       sum->collection.tasks[sum->task_places[place] - 1].tid != tid)
		place = (place + 1) & mask;
	return &sum->task_places[place];
}

static int grow_task_places(struct recorded_times *sum)
{
	size_t count = sum->task_place_count ? 2 * sum->task_place_count : 256;
	uint32_t *places = calloc(count, sizeof(*places));

	if (!places)
		return -ENOMEM;
	free(sum->task_places);
	sum->task_places = places;
	sum->task_place_count = count;
	for (size_t i = 0; i < sum->collection.task_count; i++)
		*place_of_task(sum, sum->collection.tasks[i].tid) = (uint32_t)i + 1;
	return 0;
}

/* What is summed over intervals, by tid. */
static int add_task(struct recorded_times *sum, const json_t *item)
{
	struct collection *collection = &sum->collection;
	pid_t tid = (pid_t)number_of(item, "tid");
	struct collected_task *task;

	if (2 * (collection->task_count + 1) > sum->task_place_count && grow_task_places(sum))
		return -ENOMEM;
	uint32_t *place = place_of_task(sum, tid);
	if (*place) {
		task = &collection->tasks[*place - 1];
	} else {
		task = collection_add_task(collection);
		if (!task)
			return -ENOMEM;
		task->tid = tid;
		*place = (uint32_t)collection->task_count;
	}
	task->tgid = (pid_t)number_of(item, "tgid");
	task->kernel_thread = json_is_true(json_object_get(item, "kernel_thread"));
	copy_name(task->name, sizeof(task->name), item, "name");
	task->run_ns += number_of(item, "run_ns");
	task->ready_ns += number_of(item, "ready_ns");
	return 0;
}

static int add_counters(struct recorded_times *sum, const json_t *item)
{
	uint32_t pid = (uint32_t)number_of(item, "pid");
	const json_t *net = json_object_get(item, "net");
	struct recorded_counters *to = NULL;

	for (size_t i = 0; !to && i < sum->counter_count; i++)
		if (sum->counters[i].pid == pid)
			to = &sum->counters[i];
	if (!to) {
		if (array_reserve(&sum->counters, &sum->counter_room, sum->counter_count + 1,
				  sizeof(*sum->counters)))
			return -ENOMEM;
		to = &sum->counters[sum->counter_count++];
		*to = (struct recorded_counters){
			.pid = pid, .exits_known = true, .traffic_known = true};
	}
	to->exits_known &= known(item, "exits");
	to->exits += number_of(item, "exits");
	to->halt_poll_ns += number_of(item, "halt_poll_ns");
	to->traffic_known &= known(net, "rx_bytes");
	to->traffic.rx_bytes += number_of(net, "rx_bytes");
	to->traffic.rx_packets += number_of(net, "rx_packets");
	to->traffic.tx_bytes += number_of(net, "tx_bytes");
	to->traffic.tx_packets += number_of(net, "tx_packets");
	return recorded_exits_add(&sum->exits, json_object_get(item, "vcpu_exits"));
}

static int add_interval(struct recorded_times *sum, const json_t *interval)
{
	struct collection *collection = &sum->collection;
	const json_t *item;
	size_t i;
	int code = 0;

	if (sum->end_ns == 0) {
		sum->start_ns = number_of(interval, "start_ns");
		sum->sums_known = true;
	}
	sum->end_ns = number_of(interval, "end_ns");
	sum->sums_known &= known(interval, "processes_run_ns");
	sum->idle_ns += number_of(interval, "idle_ns");
	sum->unowned_bytes += number_of(interval, "unowned_bytes");
	sum->unowned_packets += number_of(interval, "unowned_packets");
	collection->interrupts_apart |=
		json_is_true(json_object_get(interval, "interrupts_apart"));
	collection->interrupt_ns += number_of(interval, "interrupt_ns");
	collection->processes_run_ns += number_of(interval, "processes_run_ns");
	collection->kernel_run_ns += number_of(interval, "kernel_run_ns");
	collection->shared_run_ns += number_of(interval, "shared_run_ns");
	collection->self_run_ns += number_of(interval, "self_run_ns");
	json_array_foreach(json_object_get(interval, "tasks"), i, item)
	{
		if (!code)
			code = add_task(sum, item);
	}
	json_array_foreach(json_object_get(interval, "vms"), i, item)
	{
		if (!code)
			code = add_counters(sum, item);
	}
	return code;
}

int recorded_facts_sum(struct recorded_facts *facts, uint64_t start, uint64_t stop,
		       struct recorded_times *sum)
{
	const json_t *interval;
	size_t i;
	int code = 0;

	sum->cpus = facts->cpus;
	json_array_foreach(facts->intervals, i, interval)
	{
		if (!code && number_of(interval, "start_ns") >= start &&
		    number_of(interval, "end_ns") <= stop &&
		    number_of(interval, "end_ns") > number_of(interval, "start_ns"))
			code = add_interval(sum, interval);
	}
	json_array_clear(facts->intervals);
	return code;
}

void recorded_times_clear(struct recorded_times *times)
{
	collection_free(&times->collection);
	free(times->task_places);
	free(times->counters);
	recorded_exits_clear(&times->exits);
	*times = (struct recorded_times){0};
}

void recorded_facts_free(struct recorded_facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->vm_count; i++)
		vm_clear(&facts->vms[i]);
	free(facts->vms);
	json_decref(facts->intervals);
	free(facts);
}
