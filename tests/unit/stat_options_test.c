/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/stat_options.h"

static struct stat_options options;
static struct error error;

/* Parses words that end with NULL, "stat" not among them. */
static int parse(char **words)
{
	static char *argv[32]; /* options.command points into it */
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = (char *)"stat";

	free((void *)options.session.vms);
	while (words[argc - 1]) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	return stat_options_parse(&options, argc, argv, &error);
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse((char *[]){NULL}), 0);
	assert_int_equal(options.session.frequency_hz, 250);
	assert_int_equal(options.interval_ns, 0);
	assert_int_equal(options.format, STAT_TABLE);
	assert_null(options.command);
}

static void test_all_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-i", "0.25", "-n3", "--vm", "web1", "--vm=web2", "--by",
			       "module", "-F", "997", "--apportion", "none", "--collector",
			       "perf", "-f", "json", "-o", "out", "--", "sleep", "-x"),
			 0);
	assert_true(options.interval_ns == 250000000);
	assert_int_equal(options.count, 3);
	assert_int_equal(options.session.vm_count, 2);
	assert_string_equal(options.session.vms[1], "web2");
	assert_int_equal(options.by, VIEW_BY_MODULE);
	assert_int_equal(options.session.frequency_hz, 997);
	assert_int_equal(options.session.apportion, POLICY_NONE);
	assert_int_equal(options.session.collector, SESSION_COLLECTOR_PERF);
	assert_int_equal(options.format, STAT_JSON);
	assert_string_equal(options.output, "out");
	assert_string_equal(options.command[0], "sleep");
	assert_string_equal(options.command[1], "-x");
	assert_null(options.command[2]);
}

/* Wrong usage is told apart, and the line names the option. */
static void test_wrong_usage(void **state)
{
	static char *const wrong[][3] = {
		{"-i", "0"},
		{"-i", "x"},
		{"-i", "1e9"},
		{"-i", "nan"},
		{"-n", "0"},
		{"-n", "1.5"},
		{"-n", "-1"},
		{"-F", "0"},
		{"-F", "1000000"},
		{"-f", "xml"},
		{"--by", "cpu"},
		{"--apportion", "x"},
		{"--collector", "x"},
		{"--vm", ""},
		{"--nonsense"},
		{"-Z"},
		{"-i"},
		{"surplus"},
		{"-n", "3", "surplus"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *words[4] = {wrong[i][0], wrong[i][1], wrong[i][2], NULL};
		error = (struct error){0};
		assert_int_equal(parse(words), -EINVAL);
		assert_int_equal(error_exit_code(&error), EXIT_USAGE);
		assert_true(strlen(error.message) > 10);
		assert_null(strchr(error.message, '\n'));
	}
}

static void test_errors(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--error"), 0);
	assert_int_equal(options.by, VIEW_BY_VM_WITH_ERRORS);
	assert_int_equal(PARSE("--by", "thread", "--error"), -EINVAL);
	assert_int_equal(PARSE("--error", "--by", "exit"), -EINVAL);
}

static void test_exact(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-n1"), 0);
	assert_false(options.session.exact);
	assert_int_equal(PARSE("--exact"), 0);
	assert_true(options.session.exact);
	assert_true(options.session.budget == 0.005);
	assert_int_equal(PARSE("--exact", "--budget", "2.5"), 0);
	assert_true(options.session.budget == 0.025);
	assert_int_equal(PARSE("--budget", "none"), 0);
	assert_true(isinf(options.session.budget));
	assert_int_equal(PARSE("--budget", "0"), 0);
	assert_true(isinf(options.session.budget));
	assert_int_equal(PARSE("--budget", "0.001"), -EINVAL);
	assert_int_equal(PARSE("--budget", "101"), -EINVAL);
	assert_int_equal(PARSE("--by", "exit"), 0);
	assert_true(options.session.exact);
	assert_int_equal(PARSE("--exact", "--collector", "bpf"), 0);
	assert_int_equal(PARSE("--collector", "perf", "--exact"), -EINVAL);
	assert_int_equal(PARSE("--by", "exit", "--collector", "perf"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),    cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_exact),
		cmocka_unit_test(test_errors),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free((void *)options.session.vms);
	return failed;
}
