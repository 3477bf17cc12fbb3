/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/record_options.h"

static struct record_options options;
static struct error error;

/* Parses words that end with NULL, "record" not among them. */
static int parse(char **words)
{
	static char *argv[32]; /* options.command points into it */
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = (char *)"record";
	free((void *)options.vms);
	while (words[argc - 1]) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	return record_options_parse(&options, argc, argv, &error);
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse((char *[]){NULL}), 0);
	assert_string_equal(options.recorder.path, "perf.data");
	assert_int_equal(options.frequency_hz, 250);
	assert_true(options.interval_ns == 1000000000);
	assert_true(options.duration_ns == 0);
	assert_true(options.recorder.max_size == 0);
	assert_int_equal(options.recorder.max_files, 5);
	assert_int_equal(options.recorder.times, RECORDER_TIMES_AUTO);
	assert_int_equal(options.correction, SESSION_CORRECTION_AUTO);
	assert_null(options.command);
}

static void test_all_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-o", "out", "-F", "997", "-d", "1.5", "-g", "--vm", "a",
			       "--vm=b", "--max-size", "2G", "--max-files", "3", "-i", "0.5",
			       "--collector", "perf", "--correction", "none", "--", "sleep",
			       "-x"),
			 0);
	assert_string_equal(options.recorder.path, "out");
	assert_int_equal(options.frequency_hz, 997);
	assert_true(options.duration_ns == 1500000000);
	assert_true(options.recorder.callchains);
	assert_int_equal(options.vm_count, 2);
	assert_string_equal(options.vms[1], "b");
	assert_true(options.recorder.max_size == 2ULL << 30);
	assert_int_equal(options.recorder.max_files, 3);
	assert_true(options.interval_ns == 500000000);
	assert_int_equal(options.recorder.times, RECORDER_TIMES_PROC);
	assert_int_equal(options.correction, SESSION_CORRECTION_NONE);
	assert_string_equal(options.command[0], "sleep");
	assert_string_equal(options.command[1], "-x");
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--max-size", "1048576"), 0);
	assert_true(options.recorder.max_size == 1048576);
	assert_int_equal(PARSE("--max-size", "1024k"), 0);
	assert_true(options.recorder.max_size == 1048576);
	assert_int_equal(PARSE("--max-size", "3T"), 0);
	assert_true(options.recorder.max_size == 3ULL << 40);
}

static void test_wrong_usage(void **state)
{
	static char *const wrong[][2] = {
		{"-F", "0"},
		{"-F", "1.5"},
		{"-d", "0"},
		{"-d", "x"},
		{"-i", "0.001"},
		{"--vm", ""},
		{"--max-size", "1M "},
		{"--max-size", "-1M"},
		{"--max-size", "1023K"},
		{"--max-size", "20000000T"},
		{"--max-size", "99999999999999999999"},
		{"--max-size", "M"},
		{"--max-size", ""},
		{"--max-files", "0"},
		{"--collector", "none"},
		{"surplus", NULL},
		{"--nonsense", NULL},
		{"-o", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *words[3] = {wrong[i][0], wrong[i][1], NULL};
		assert_int_equal(parse(words), -EINVAL);
		assert_int_equal(error_exit_code(&error), EXIT_USAGE);
	}
	assert_int_equal(PARSE("-o", "-", "--max-size", "1M"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_wrong_usage),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free((void *)options.vms);
	return failed;
}
