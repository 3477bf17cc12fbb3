/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_contract.h"
#include "sample_interval.h"
#include "view/interval_json.h"

/* Writes the interval: one line, which follows the contract. The caller frees the object. */
static json_t *write_line(const struct interval *interval)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	json_error_t error;

	assert_non_null(stream);
	assert_int_equal(interval_write_json(stream, interval), 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(strlen(text), size);
	assert_ptr_equal(strchr(text, '\n'), text + size - 1);
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!line)
		fail_msg("%s in: %s", error.text, text);
	assert_follows_contract(line);
	free(text);
	return line;
}

struct sample {
	struct labels *labels;
	struct interval interval;
};

static int set_up(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	assert_non_null(sample);
	sample->labels = sample_labels();
	sample_three_vms(&sample->interval, sample->labels);
	*state = sample;
	return 0;
}

static int tear_down(void **state)
{
	struct sample *sample = *state;

	interval_free(&sample->interval);
	labels_free(sample->labels);
	free(sample);
	return 0;
}

static void test_interval(void **state)
{
	struct sample *sample = *state;
	json_t *line = write_line(&sample->interval);
	const json_t *source = json_object_get(line, "source");
	const json_t *host = json_object_get(line, "host");

	assert_true(fabs(number(line, "start") - 1763880000.123456) < 1e-6);
	assert_near(number(line, "duration_s"), 1.0);
	assert_int_equal(number(line, "cpus"), 2);
	assert_near(number(line, "capacity_s"), 2.0);
	assert_near(number(line, "self_s"), 0.001);
	assert_near(number(line, "idle_s"), (double)sample->interval.ledger.idle_ns / 1e9);
	assert_string_equal(string(source, "collector"), "bpf");
	assert_string_equal(string(source, "event"), "cpu-clock");
	assert_int_equal(number(source, "frequency_hz"), 250);
	assert_int_equal(number(source, "samples"), 498);
	assert_int_equal(number(source, "lost"), 2);
	assert_true(json_is_false(json_object_get(source, "exact")));
	assert_string_equal(string(source, "apportion"), "bytes");
	assert_string_equal(string(source, "irqs_off_correction"), "none");
	assert_near(number(source, "exit_cost_factor"), 1.25);
	assert_near(number(source, "overhead_s"), 0.002);
	/* The VM that was not asked for is a process. */
	assert_int_equal(json_array_size(json_object_get(line, "vms")), 2);
	assert_near(number(host, "processes_s"), 0.150);
	assert_near(number(host, "other_vms_s"), 0.100);
	assert_near(number(host, "kernel_s"), 0.020);
	assert_near(number(host, "shared_unattributed_s"), 0.004);
	json_decref(line);
}

static void test_known_vm(void **state)
{
	struct sample *sample = *state;
	json_t *line = write_line(&sample->interval);
	const json_t *vm = json_array_get(json_object_get(line, "vms"), 0);
	const json_t *taps = json_object_get(vm, "taps"), *net = json_object_get(vm, "net");
	const json_t *error = json_object_get(vm, "error95_s");

	assert_string_equal(string(vm, "name"), "web1");
	assert_string_equal(string(vm, "id"), SAMPLE_UUID);
	assert_string_equal(string(vm, "uuid"), SAMPLE_UUID);
	assert_string_equal(string(vm, "vmm"), "qemu");
	assert_int_equal(number(vm, "pid"), 1234);
	assert_int_equal(number(vm, "vcpus"), 2);
	assert_int_equal(json_array_size(taps), 2);
	assert_string_equal(json_string_value(json_array_get(taps, 0)), "tap1");
	assert_string_equal(json_string_value(json_array_get(taps, 1)), "tap2");
	assert_near(number(vm, "guest_s"), 0.420);
	assert_near(number(vm, "guest_user_s"), 0.280);
	assert_near(number(vm, "guest_kernel_s"), 0.140);
	assert_near(number(vm, "vmm_s"), 0.134);
	assert_near(number(json_object_get(vm, "vmm_dsos"), "qemu-system-x86_64"), 0.120);
	assert_near(number(json_object_get(vm, "vmm_dsos"), "libc.so.6"), 0.014);
	assert_near(number(vm, "kernel_s"), 0.145000001);
	assert_near(number(json_object_get(vm, "kernel_modules"), "kvm"), 0.097000001);
	assert_near(number(json_object_get(vm, "kernel_modules"), "tun"), 0.048);
	assert_near(number(vm, "shared_s"), 0.012000001);
	assert_near(number(json_object_get(vm, "shared_modules"), "bridge"), 0.012000001);
	assert_near(number(vm, "ready_s"), 0.010);
	assert_near(number(vm, "halt_poll_s"), 0.005);
	assert_int_equal(number(vm, "exits"), 12345);
	assert_near(number(error, "guest"), 0.003);
	assert_near(number(error, "vmm"), 0.002);
	assert_near(number(error, "kernel"), 0.001);
	assert_near(number(error, "shared"), 0.0005);
	assert_near(number(error, "hypervisor"), 0.004);
	assert_int_equal(number(net, "rx_bytes"), 1000);
	assert_int_equal(number(net, "rx_packets"), 10);
	assert_int_equal(number(net, "tx_bytes"), 2000);
	assert_int_equal(number(net, "tx_packets"), 20);
	json_decref(line);
}

static void test_threads(void **state)
{
	static const struct {
		int tid, index;
		const char *role, *name;
	} expected[] = {
		{1240, 0, "vcpu", "CPU 0/KVM"},		{1241, 1, "vcpu", "CPU 1/KVM"},
		{1242, -1, "iothread", "IO iothread0"}, {1234, -1, "vmm", "qemu-system-x86"},
		{1250, -1, "vhost", "vhost-1234"},	{1251, -1, "kvm", "kvm-pit/1234"},
		{1252, -1, "other", "gmain"},
	};
	struct sample *sample = *state;
	json_t *line = write_line(&sample->interval);
	const json_t *vms = json_object_get(line, "vms");
	const json_t *threads = json_object_get(json_array_get(vms, 0), "threads");

	assert_int_equal(json_array_size(threads), 7);
	for (size_t i = 0; i < 7; i++) {
		const json_t *thread = json_array_get(threads, i);
		const json_t *index = json_object_get(thread, "index");
		assert_int_equal(number(thread, "tid"), expected[i].tid);
		assert_string_equal(string(thread, "role"), expected[i].role);
		assert_string_equal(string(thread, "name"), expected[i].name);
		if (expected[i].index < 0)
			assert_true(json_is_null(index));
		else
			assert_int_equal(json_integer_value(index), expected[i].index);
	}
	const json_t *first = json_array_get(threads, 0);
	assert_near(number(first, "guest_s"), 0.300);
	assert_near(number(first, "vmm_s"), 0.015);
	assert_near(number(first, "kernel_s"), 0.080);
	assert_near(number(first, "ready_s"), 0.007);
	threads = json_object_get(json_array_get(vms, 1), "threads");
	assert_int_equal(json_array_size(threads), 1);
	assert_int_equal(number(json_array_get(threads, 0), "tid"), 2346);
	json_decref(line);
}

static void assert_null_at(const json_t *object, const char *key)
{
	assert_true(json_is_null(json_object_get(object, key)));
}

static void test_unknown_is_null(void **state)
{
	struct sample *sample = *state;
	json_t *line = write_line(&sample->interval);
	const json_t *vm = json_array_get(json_object_get(line, "vms"), 1);
	const json_t *net = json_object_get(vm, "net");

	assert_string_equal(string(vm, "name"), "db");
	assert_string_equal(string(vm, "id"), "db");
	assert_null_at(vm, "uuid");
	assert_null_at(vm, "guest_user_s");
	assert_null_at(vm, "guest_kernel_s");
	assert_null_at(vm, "exits");
	assert_null_at(vm, "halt_poll_s");
	assert_null_at(net, "rx_bytes");
	assert_null_at(net, "rx_packets");
	assert_null_at(net, "tx_bytes");
	assert_null_at(net, "tx_packets");
	assert_near(number(vm, "guest_s"), 0.150);
	assert_int_equal(json_array_size(json_object_get(vm, "taps")), 0);
	assert_int_equal(json_object_size(json_object_get(vm, "shared_modules")), 0);
	json_decref(line);
}

static void test_selection(void **state)
{
	struct sample *sample = *state;

	/* Each VM is in one place or the other; threads follow their VM. */
	for (unsigned mask = 0; mask < 8; mask++) {
		static const size_t threads[] = {7, 1, 1};
		size_t shown = 0;
		for (size_t v = 0; v < 3; v++)
			sample->interval.vms[v].selected = mask >> v & 1;
		json_t *line = write_line(&sample->interval);
		const json_t *host = json_object_get(line, "host");
		const json_t *vms = json_object_get(line, "vms");
		for (size_t v = 0; v < 3; v++) {
			const json_t *vm = json_array_get(vms, shown);
			if (!sample->interval.vms[v].selected)
				continue;
			assert_string_equal(string(vm, "name"), sample->interval.vms[v].name);
			assert_int_equal(json_array_size(json_object_get(vm, "threads")),
					 threads[v]);
			shown++;
		}
		assert_int_equal(json_array_size(vms), shown);
		assert_near(number(host, "processes_s") - number(host, "other_vms_s"), 0.050);
		json_decref(line);
	}
}

static void test_odd_names(void **state)
{
	static const char *const names[] = {
		"",	    "a \"quoted\" name", "back\\slash", "Größe, 東京 💾", "{\"name\":1}",
		"</script>"};
	struct sample *sample = *state;
	uint32_t label;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct interval interval;
		sample_begin(&interval, sample->labels, 2, 1.0);
		sample_vm(&interval, names[i], NULL, 1);
		sample_thread(&interval, 1, THREAD_VMM, -1, "a\"b\\c",
			      &(struct sample_times){.guest_ns = 1});
		assert_int_equal(labels_intern(sample->labels, names[i], &label), 0);
		assert_int_equal(label_times_add(&interval.ledger.unattributed, label, 5 * MS),
				 0);
		sample_end(&interval);
		json_t *line = write_line(&interval);
		const json_t *vm = json_array_get(json_object_get(line, "vms"), 0);
		const json_t *thread = json_array_get(json_object_get(vm, "threads"), 0);
		const json_t *host = json_object_get(line, "host");
		assert_string_equal(string(vm, "name"), names[i]);
		assert_string_equal(string(thread, "name"), "a\"b\\c");
		assert_near(
			number(json_object_get(host, "shared_unattributed_modules"), names[i]),
			0.005);
		json_decref(line);
		interval_free(&interval);
	}
}

static void test_large_figures(void **state)
{
	struct sample *sample = *state;
	struct interval interval;

	/* A month of 4096 CPUs; counters beyond what a double holds exactly. */
	sample_begin(&interval, sample->labels, 4096, 2592000.0);
	struct interval_vm *vm = sample_vm(&interval, "web1", NULL, 1);
	vm->exits = 9007199254740993;
	vm->traffic.rx_bytes = INT64_MAX;
	sample_end(&interval);
	json_t *line = write_line(&interval);
	const json_t *of_vm = json_array_get(json_object_get(line, "vms"), 0);
	assert_true(json_integer_value(json_object_get(of_vm, "exits")) == 9007199254740993);
	assert_true(json_integer_value(json_object_get(json_object_get(of_vm, "net"),
						       "rx_bytes")) == INT64_MAX);
	assert_near(number(line, "capacity_s") / 4096.0, 2592000.0);
	json_decref(line);
	interval_free(&interval);
}

static void test_no_vms(void **state)
{
	struct sample *sample = *state;
	struct interval interval;

	sample_begin(&interval, sample->labels, 1, 0.25);
	sample_end(&interval);
	json_t *line = write_line(&interval);
	assert_int_equal(json_array_size(json_object_get(line, "vms")), 0);
	assert_near(number(json_object_get(line, "host"), "other_vms_s"), 0.0);
	json_decref(line);
	interval_free(&interval);
}

static void test_stream_fails(void **state)
{
	struct sample *sample = *state;
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(interval_write_json(full, &sample->interval), -EIO);
	fclose(full);
	/* Also when it shows before the end of the line. */
	full = fopen("/dev/full", "w");
	assert_non_null(full);
	assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
	assert_int_equal(interval_write_json(full, &sample->interval), -EIO);
	fclose(full);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interval),	    TEST(test_known_vm),  TEST(test_threads),
		TEST(test_unknown_is_null), TEST(test_selection), TEST(test_odd_names),
		TEST(test_large_figures),   TEST(test_no_vms),	  TEST(test_stream_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
