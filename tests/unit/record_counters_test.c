/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "calibrate/calibration.h"
#include "record/counters.h"

static const char *const selected[] = {"web1"};
static const struct counters_source source = {250, selected, 1};

/* One VM of pid 100 with two threads, and a kernel thread; all figures times factor. */
static void add(struct counters *counters, uint64_t start_ns, uint64_t factor, bool known)
{
	struct vm_tap tap = {.name = "tap1", .ifindex = 3};
	struct interval_vm vm = {
		.name = (char *)"web1",
		.id = (char *)"id-1",
		.vmm = "qemu",
		.pid = 100,
		.start_time = 7,
		.vcpus = 1,
		.taps = &tap,
		.tap_count = 1,
		.selected = true,
		.kvm_stats_known = known,
		.exits = 10 * factor,
		.halt_poll_ns = 20 * factor,
		.traffic_known = true,
		.traffic = {.rx_bytes = 5 * factor, .tx_packets = factor},
	};
	struct interval_thread threads[] = {
		{.owner = OWNER_VM,
		 .tid = 101,
		 .role = THREAD_VCPU,
		 .index = 0,
		 .name = "CPU 0/KVM",
		 .exits_known = known,
		 .exits = {[VM_EXIT_KERNEL] = 7 * factor,
			   [VM_EXIT_USER] = 2 * factor,
			   [VM_EXIT_INTERRUPT] = factor}},
		{.owner = OWNER_VM,
		 .tid = 55,
		 .role = THREAD_VHOST,
		 .index = -1,
		 .name = "vhost-100"},
		{.owner = OWNER_KERNEL, .tid = 2},
	};
	struct interval interval = {
		.start = 1000.5,
		.unowned = {.bytes = 9 * factor, .packets = factor},
		.ledger = {.vm_count = 1, .thread_count = 3},
		.vms = &vm,
		.threads = threads,
	};
	/* The vCPU stands twice: it ended after it was read. */
	struct collected_task own[] = {
		{.tgid = 100, .tid = 101, .run_ns = 600 * factor, .name = "CPU 0/KVM"},
		{.tgid = 55, .tid = 55, .run_ns = 30 * factor, .kernel_thread = true},
		{.tgid = 100, .tid = 101, .run_ns = 100 * factor, .ready_ns = factor},
	};
	struct collection collection = {
		.start_ns = start_ns,
		.end_ns = start_ns + 1000,
		.cpus = 2,
		.tasks = own,
		.task_count = 3,
		.processes_run_ns = 40 * factor,
		.self_run_ns = factor,
		.interrupt_ns = 3 * factor,
	};
	struct recorder_reading reading = {.collection = &collection,
					   .idle_ns = 500 * factor,
					   .sums_known = known,
					   .times = known ? "bpf" : "proc"};

	assert_int_equal(counters_add(counters, &interval, &reading), 0);
}

static json_t *parse(char *text, const size_t *length)
{
	assert_non_null(text);
	assert_int_equal(strlen(text), *length);
	json_t *object = json_loads(text, 0, NULL);
	assert_non_null(object);
	free(text);
	return object;
}

static json_int_t integer(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static void test_text(void **state)
{
	struct counters *counters = counters_new(&source);
	const struct record_tally tally = {.samples = 42, .lost = 3};
	size_t length;

	(void)state;
	add(counters, 5000, 1, true);
	add(counters, 6000, 2, false);
	json_t *all = parse(counters_text(counters, &tally, &length), &length);
	assert_string_equal(json_string_value(json_object_get(all, "schema")),
			    "kvmperf.recording/1");
	assert_int_equal(integer(all, "frequency_hz"), 250);
	assert_int_equal(integer(all, "samples"), 42);
	assert_int_equal(integer(all, "lost"), 3);
	assert_int_equal(integer(all, "start_ns"), 5000);
	assert_int_equal(integer(all, "end_ns"), 7000);
	const json_t *vm = json_array_get(json_object_get(all, "vms"), 0);
	assert_int_equal(integer(vm, "pid"), 100);
	assert_true(json_is_null(json_object_get(vm, "uuid")));
	assert_int_equal(json_array_size(json_object_get(vm, "threads")), 2);
	/* In the order of tid; the group is the one that the times tell. */
	const json_t *thread = json_array_get(json_object_get(vm, "threads"), 0);
	assert_int_equal(integer(thread, "tid"), 55);
	assert_int_equal(integer(thread, "tgid"), 55);
	assert_true(json_is_null(json_object_get(thread, "index")));
	const json_t *intervals = json_object_get(all, "intervals");
	assert_int_equal(json_array_size(intervals), 2);
	const json_t *first = json_array_get(intervals, 0);
	assert_int_equal(integer(first, "processes_run_ns"), 40);
	assert_int_equal(integer(first, "unowned_packets"), 1);
	const json_t *task = json_array_get(json_object_get(first, "tasks"), 1);
	assert_int_equal(json_array_size(json_object_get(first, "tasks")), 2);
	assert_int_equal(integer(task, "tid"), 101);
	assert_int_equal(integer(task, "run_ns"), 700);
	assert_int_equal(integer(task, "ready_ns"), 1);
	vm = json_array_get(json_object_get(first, "vms"), 0);
	assert_int_equal(json_array_size(json_object_get(vm, "vcpu_exits")), 1);
	const json_t *exits = json_array_get(json_object_get(vm, "vcpu_exits"), 0);
	assert_int_equal(integer(exits, "tid"), 101);
	assert_int_equal(integer(exits, "kernel"), 7);
	assert_int_equal(integer(exits, "user"), 2);
	assert_int_equal(integer(exits, "interrupt"), 1);
	/* What is not known is null. */
	const json_t *second = json_array_get(intervals, 1);
	assert_true(json_is_null(json_object_get(second, "processes_run_ns")));
	vm = json_array_get(json_object_get(second, "vms"), 0);
	assert_true(json_is_null(json_object_get(vm, "exits")));
	assert_true(json_is_null(json_object_get(vm, "vcpu_exits")));
	assert_int_equal(integer(json_object_get(vm, "net"), "rx_bytes"), 10);
	json_decref(all);
	counters_free(counters);
}

static void test_last_text(void **state)
{
	struct counters *counters = counters_new(&source);
	size_t length;

	(void)state;
	add(counters, 5000, 1, true);
	json_t *last = parse(counters_last_text(counters, &length), &length);
	assert_int_equal(json_array_size(json_object_get(last, "vms")), 1);
	assert_null(json_object_get(last, "samples"));
	json_decref(last);
	/* Nothing new of the VM: it is left out, until a new file begins. */
	add(counters, 6000, 2, true);
	last = parse(counters_last_text(counters, &length), &length);
	assert_int_equal(json_array_size(json_object_get(last, "vms")), 0);
	assert_int_equal(json_array_size(json_object_get(last, "intervals")), 1);
	assert_int_equal(integer(last, "start_ns"), 6000);
	json_decref(last);
	counters_begin_file(counters);
	add(counters, 7000, 3, true);
	last = parse(counters_last_text(counters, &length), &length);
	assert_int_equal(json_array_size(json_object_get(last, "vms")), 1);
	json_decref(last);
	json_t *all =
		parse(counters_text(counters, &(struct record_tally){0}, &length), &length);
	assert_int_equal(json_array_size(json_object_get(all, "intervals")), 1);
	json_decref(all);
	counters_free(counters);
}

/* The section and the first text of a file have it; without one that is said. */
static void test_calibration(void **state)
{
	struct calibration calibration = {
		.event = "cpu-clock",
		.costs = {.by_class = {{1500, 50}, {3000, 70}, {4000, 500}}, .tick_hz = 250},
	};
	struct counters *counters = counters_new(&source);
	struct calibration read;
	size_t length;

	(void)state;
	add(counters, 5000, 1, true);
	json_t *text = parse(counters_last_text(counters, &length), &length);
	assert_true(json_is_null(json_object_get(text, "calibration")));
	json_decref(text);
	counters_begin_file(counters);
	counters_set_calibration(counters, &calibration);
	for (int file = 0; file < 2; file++) {
		add(counters, 5000, 1, true);
		text = parse(counters_last_text(counters, &length), &length);
		assert_int_equal(
			calibration_from_json(&read, json_object_get(text, "calibration")), 0);
		assert_string_equal(read.event, "cpu-clock");
		assert_memory_equal(&read.costs, &calibration.costs, sizeof(read.costs));
		json_decref(text);
		add(counters, 6000, 1, true);
		text = parse(counters_last_text(counters, &length), &length);
		assert_null(json_object_get(text, "calibration"));
		json_decref(text);
		text = parse(counters_text(counters, &(struct record_tally){0}, &length),
			     &length);
		assert_int_equal(
			calibration_from_json(&read, json_object_get(text, "calibration")), 0);
		json_decref(text);
		counters_begin_file(counters);
	}
	counters_free(counters);
}

/* However many intervals: the sums stay, and the size of the text. */
static void test_bounded(void **state)
{
	struct counters *counters = counters_new(&source);
	const uint64_t rounds = 40000;
	json_int_t run = 0, exits = 0, user_exits = 0, unowned = 0, end = 5000;
	size_t length, i;
	json_t *interval;

	(void)state;
	for (uint64_t round = 0; round < rounds; round++)
		add(counters, 5000 + round * 1000, 1, true);
	json_t *all =
		parse(counters_text(counters, &(struct record_tally){0}, &length), &length);
	assert_in_range(length, 100000, 8000000);
	json_array_foreach(json_object_get(all, "intervals"), i, interval)
	{
		assert_int_equal(integer(interval, "start_ns"), end);
		end = integer(interval, "end_ns");
		assert_int_equal(json_array_size(json_object_get(interval, "tasks")), 2);
		run += integer(json_array_get(json_object_get(interval, "tasks"), 1), "run_ns");
		const json_t *vm = json_array_get(json_object_get(interval, "vms"), 0);
		exits += integer(vm, "exits");
		assert_int_equal(json_array_size(json_object_get(vm, "vcpu_exits")), 1);
		user_exits +=
			integer(json_array_get(json_object_get(vm, "vcpu_exits"), 0), "user");
		unowned += integer(interval, "unowned_bytes");
	}
	assert_int_equal(end, 5000 + rounds * 1000);
	assert_int_equal(run, 700 * rounds);
	assert_int_equal(exits, 10 * rounds);
	assert_int_equal(user_exits, 2 * rounds);
	assert_int_equal(unowned, 9 * rounds);
	json_decref(all);
	counters_free(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_last_text),
		cmocka_unit_test(test_calibration),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
