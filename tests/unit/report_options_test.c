/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/report_options.h"

static struct report_options options;
static struct error error;

/* Parses words that end with NULL, "report" not among them. */
static int parse(char **words)
{
	char *argv[32] = {(char *)"report"};
	int argc = 1;

	report_options_clear(&options);
	error = (struct error){0};
	while (words[argc - 1]) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	return report_options_parse(&options, argc, argv, &error);
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})

static void test_stacks(void **state)
{
	(void)state;
	assert_int_equal(parse((char *[]){NULL}), 0);
	assert_false(options.folded || options.pprof);
	assert_string_equal(options.input, "perf.data");
	assert_int_equal(PARSE("--folded", "-i", "-"), 0);
	assert_true(options.folded && !options.pprof);
	assert_int_equal(PARSE("--pprof", "-o", "out.pb.gz", "--vm", "web", "-f", "table"), 0);
	assert_true(options.pprof && !options.folded);
	assert_string_equal(options.output, "out.pb.gz");
}

static void expect_refused(char **words, const char *part)
{
	assert_int_equal(parse(words), -EINVAL);
	assert_non_null(strstr(error.message, part));
}

static void test_one_form_only(void **state)
{
	(void)state;
	expect_refused((char *[]){"--pprof", "--folded", NULL}, "--folded and --pprof");
	expect_refused((char *[]){"--pprof", "-f", "json", NULL}, "--pprof has a form");
	expect_refused((char *[]){"-f", "csv", "--pprof", NULL}, "--pprof has a form");
	expect_refused((char *[]){"--folded", "-f", "csv", NULL}, "--folded has a form");
	expect_refused((char *[]){"--pprof=file", NULL}, "--pprof");
	report_options_clear(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_one_form_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
