/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "calibrate/calibration.h"

static char path[] = "/tmp/kvmperf-calibration-XXXXXX";

static struct calibration example(const char *collector)
{
	struct calibration calibration = {
		.event = "cpu-clock",
		.time = 1000,
		.duration_s = 0.5,
		.samples = 2400,
		.sample_cost_ns = 3000,
		.costs = {.by_class = {{1500, 50}, {3000, 70}, {4000, 500}},
			  .tick = {6000, 500},
			  .sample = {9000, 600},
			  .rested_tick = {7000, 700},
			  .rested_sample = {9500, 800},
			  .tick_hz = 250,
			  .reference_ns = 61.5},
	};

	snprintf(calibration.collector, sizeof(calibration.collector), "%s", collector);
	assert_int_equal(calibration_identify(&calibration, NULL), 0);
	return calibration;
}

static void test_comes_back(void **state)
{
	struct calibration bpf = example("bpf"), perf = example("perf"), read;

	(void)state;
	assert_int_equal(calibration_save(&perf, path, NULL), 0);
	assert_int_equal(calibration_save(&bpf, path, NULL), 0);
	assert_int_equal(calibration_load(&read, path, "bpf", NULL), 0);
	assert_false(read.exact_known);
	assert_float_equal(read.costs.by_class[VM_EXIT_USER].ns, 3000, 1e-6);
	assert_float_equal(read.costs.tick_hz, 250, 1e-6);
	assert_float_equal(read.costs.reference_ns, 61.5, 1e-6);
	assert_float_equal(read.costs.tick.ns, 6000, 1e-6);
	assert_float_equal(read.costs.sample.error95_ns, 600, 1e-6);
	assert_float_equal(read.costs.rested_tick.ns, 7000, 1e-6);
	assert_float_equal(read.costs.rested_sample.error95_ns, 800, 1e-6);

	bpf.exact_known = true;
	bpf.exact_costs.by_class[VM_EXIT_KERNEL] = (struct exit_cost){800, 20};
	assert_int_equal(calibration_save(&bpf, path, NULL), 0);
	assert_int_equal(calibration_load(&read, path, "bpf", NULL), 0);
	assert_true(read.exact_known);
	assert_float_equal(read.exact_costs.by_class[VM_EXIT_KERNEL].ns, 800, 1e-6);
	assert_float_equal(read.exact_costs.by_class[VM_EXIT_KERNEL].error95_ns, 20, 1e-6);
	assert_int_equal(calibration_load(&read, path, "perf", NULL), 0);
	assert_false(read.exact_known);
}

/*
 * A recording of kvmperf before it told of rested vCPUs and of the core's speed: their
 * interrupts cost what others do, and the speed is not known.
 */
static void test_older(void **state)
{
	struct calibration calibration = example("bpf"), read;
	json_t *object = calibration_json(&calibration);
	json_t *costs = json_object_get(object, "exit_cost");

	(void)state;
	assert_int_equal(json_object_del(costs, "rested_tick"), 0);
	assert_int_equal(json_object_del(costs, "rested_sample"), 0);
	assert_int_equal(json_object_del(costs, "reference_ns"), 0);
	assert_int_equal(calibration_from_json(&read, object), 0);
	assert_float_equal(read.costs.reference_ns, 0, 0);
	assert_float_equal(read.costs.rested_tick.ns, 6000, 1e-6);
	assert_float_equal(read.costs.rested_sample.error95_ns, 600, 1e-6);
	json_decref(object);
}

/* Of another boot, or made by another version: as if there were none. */
static void test_strangers(void **state)
{
	struct calibration calibration = example("bpf"), read;
	FILE *file;

	(void)state;
	calibration.boot_id[0] = 'x';
	assert_int_equal(calibration_save(&calibration, path, NULL), 0);
	assert_int_equal(calibration_load(&read, path, "bpf", NULL), -ENOENT);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("[{\"schema\": \"kvmperf.calibration/1\"}]", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(calibration_load(&read, path, "bpf", NULL), -EBADMSG);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("no JSON", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(calibration_load(&read, path, "bpf", NULL), -EBADMSG);
}

/* Figures that no host has, from a file that anybody may have made. */
static void test_malformed(void **state)
{
	static const struct {
		const char *key, *class, *value;
	} wrong[] = {
		{"exit_cost", "tick_hz", "-1"},
		{"exit_cost", "tick_hz", "1e300"},
		{"exit_cost", "tick", "\"many\""},
		{"exit_cost", "rested_sample", "{\"ns\":-1,\"error95_ns\":1}"},
		{"exit_cost", "sample", "{\"ns\":1e300,\"error95_ns\":1}"},
		{"event", NULL, "\"an event with a name that is too long\""},
		{"event", NULL, "null"},
		{"schema", NULL, "\"kvmperf.calibration/2\""},
		{"exit_cost", NULL, "null"},
		{"exit_cost", NULL, "[]"},
		{"exit_cost", "user", "{}"},
		{"exit_cost", "user", "{\"ns\":-1,\"error95_ns\":1}"},
		{"exit_cost", "kernel", "{\"ns\":1e10,\"error95_ns\":1}"},
		{"exit_cost", "interrupt", "{\"ns\":1,\"error95_ns\":1e200}"},
		{"exact_exit_cost", NULL, "{}"},
	};
	struct calibration calibration = example("perf"), read;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		json_t *object = calibration_json(&calibration);
		json_t *value = json_loads(wrong[i].value, JSON_DECODE_ANY, NULL);
		json_t *inner = wrong[i].class ? json_object_get(object, wrong[i].key) : object;
		assert_int_equal(calibration_from_json(&read, object), 0);
		json_object_set_new(inner, wrong[i].class ? wrong[i].class : wrong[i].key,
				    value);
		assert_int_equal(calibration_from_json(&read, object), -EBADMSG);
		json_decref(object);
	}
	assert_int_equal(calibration_from_json(&read, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_malformed),
	};
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	int failed = cmocka_run_group_tests_name("calibrate_file", tests, NULL, NULL);
	unlink(path);
	return failed;
}
