/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/kernel_names.h"

static struct kernel_names *names;

static int make_index(void **state)
{
	(void)state;
	names = kernel_names_new();
	return names == NULL;
}

static int free_index(void **state)
{
	(void)state;
	kernel_names_free(names);
	return 0;
}

static const char *subsystem(const char *symbol, enum kernel_name_match expected)
{
	uint16_t set = UINT16_MAX;

	assert_int_equal(kernel_names_lookup(names, symbol, strlen(symbol), &set), expected);
	if (expected == KERNEL_NAME_UNKNOWN) {
		assert_int_equal(set, UINT16_MAX);
		return NULL;
	}
	assert_in_range(set, 0, kernel_name_set_count - 1);
	return kernel_name_sets[set].subsystem;
}

static void test_whole_and_prefix(void **state)
{
	(void)state;
	assert_string_equal(subsystem("handle_softirqs", KERNEL_NAME_WHOLE), "irq");
	assert_string_equal(subsystem("tcp_never_written", KERNEL_NAME_PREFIX), "net");
	assert_string_equal(subsystem("___tcp_never_written", KERNEL_NAME_PREFIX), "net");
	/* the longest prefix wins, a whole name over any prefix */
	assert_string_equal(subsystem("kvm_never_written", KERNEL_NAME_PREFIX), "kvm");
	assert_string_equal(subsystem("kvm_guest_never_written", KERNEL_NAME_PREFIX), "x86");
	assert_string_equal(subsystem("pvm_never_written", KERNEL_NAME_PREFIX), "kvm_pvm");
	assert_string_equal(subsystem("pvm_save_fl", KERNEL_NAME_WHOLE), "x86");
	/* no prefix of a prefix, no part of a whole name */
	subsystem("tcp", KERNEL_NAME_UNKNOWN);
	subsystem("handle_softirq", KERNEL_NAME_UNKNOWN);
	subsystem("handle_softirqs2", KERNEL_NAME_UNKNOWN);
	subsystem("nothing_like_tcp_", KERNEL_NAME_UNKNOWN);
	subsystem("", KERNEL_NAME_UNKNOWN);
	subsystem("_", KERNEL_NAME_UNKNOWN);
	subsystem("____", KERNEL_NAME_UNKNOWN);
}

static void test_what_the_compiler_adds(void **state)
{
	(void)state;
	assert_string_equal(subsystem("handle_softirqs.cold", KERNEL_NAME_WHOLE), "irq");
	assert_string_equal(subsystem("handle_softirqs.isra.0", KERNEL_NAME_WHOLE), "irq");
	assert_string_equal(subsystem("handle_softirqs.part.0.cold", KERNEL_NAME_WHOLE), "irq");
	assert_string_equal(subsystem("handle_softirqs.llvm.123456", KERNEL_NAME_WHOLE), "irq");
	assert_string_equal(subsystem("ext4_x.constprop.3", KERNEL_NAME_PREFIX), "ext4");
	subsystem(".cold", KERNEL_NAME_UNKNOWN);
	subsystem(".L123", KERNEL_NAME_UNKNOWN);
}

static void test_system_calls(void **state)
{
	static const char *const wrappers[] = {
		"__x64_sys_futex",	 "__ia32_sys_futex", "__arm64_sys_futex",
		"__do_sys_futex",	 "__se_sys_futex",   "__ia32_compat_sys_futex",
		"__do_compat_sys_futex", "sys_futex"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(*wrappers); i++)
		assert_string_equal(subsystem(wrappers[i], KERNEL_NAME_WHOLE), "futex");
	subsystem("__x64_sys_", KERNEL_NAME_UNKNOWN);
	subsystem("__x64_", KERNEL_NAME_UNKNOWN);
}

static void test_trace_events(void **state)
{
	(void)state;
	assert_string_equal(subsystem("trace_event_raw_event_kvm_x", KERNEL_NAME_PREFIX),
			    "kvm");
	assert_string_equal(subsystem("perf_trace_ext4_x", KERNEL_NAME_PREFIX), "ext4");
	assert_string_equal(subsystem("__bpf_trace_tcp_event", KERNEL_NAME_PREFIX), "net");
	assert_string_equal(subsystem("trace_raw_output_xfs_x", KERNEL_NAME_PREFIX), "xfs");
	assert_string_equal(subsystem("__traceiter_sched_x", KERNEL_NAME_PREFIX), "sched");
	assert_string_equal(subsystem("__probestub_kvm_exit", KERNEL_NAME_PREFIX), "kvm");
	assert_string_equal(subsystem("__SCT__tp_func_kvm_exit", KERNEL_NAME_PREFIX), "kvm");
	assert_string_equal(subsystem("__SCT__kvm_x86_run", KERNEL_NAME_PREFIX), "kvm");
}

/* A name that stands twice would be found in one of its sets only. */
static void test_every_name_is_found(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t set = 0; set < kernel_name_set_count; set++) {
		for (const char *at = kernel_name_sets[set].names; *at;) {
			char symbol[128];
			uint16_t found = UINT16_MAX;
			size_t length = strcspn(at, " ");
			assert_in_range(length, 3, sizeof(symbol) - 2);
			memcpy(symbol, at, length);
			symbol[length] = 'Z';
			if (at[length - 1] == '_')
				assert_int_equal(
					kernel_names_lookup(names, symbol, length + 1, &found),
					KERNEL_NAME_PREFIX);
			else
				assert_int_equal(
					kernel_names_lookup(names, symbol, length, &found),
					KERNEL_NAME_WHOLE);
			assert_int_equal(found, set);
			count++;
			at += length;
			at += *at == ' ';
			assert_int_not_equal(*at, ' ');
		}
	}
	assert_in_range(count, 1000, 4096);
}

/* Subsystems are listed in order, so that none stands twice. */
static void test_table_order(void **state)
{
	(void)state;
	for (size_t set = 1; set < kernel_name_set_count; set++)
		assert_true(strcmp(kernel_name_sets[set - 1].subsystem,
				   kernel_name_sets[set].subsystem) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_and_prefix),
		cmocka_unit_test(test_what_the_compiler_adds),
		cmocka_unit_test(test_system_calls),
		cmocka_unit_test(test_trace_events),
		cmocka_unit_test(test_every_name_is_found),
		cmocka_unit_test(test_table_order),
	};

	return cmocka_run_group_tests_name("symbols: kernel names", tests, make_index,
					   free_index);
}
