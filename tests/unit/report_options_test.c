/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "command/command.h"
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

/* The exit status of report with standard output there, and what it says. */
static int run_to(int output, char **words, char said[256])
{
	int stdout_fd = dup(STDOUT_FILENO), stderr_fd = dup(STDERR_FILENO);
	int message = memfd_create("message", MFD_CLOEXEC), argc = 0;

	assert_true(stdout_fd >= 0 && stderr_fd >= 0 && message >= 0);
	while (words[argc])
		argc++;
	fflush(stdout);
	dup2(output, STDOUT_FILENO);
	dup2(message, STDERR_FILENO);
	int status = command_report(argc, words);
	dup2(stdout_fd, STDOUT_FILENO);
	dup2(stderr_fd, STDERR_FILENO);
	ssize_t length = pread(message, said, 255, 0);
	assert_true(length >= 0);
	said[length] = '\0';
	close(stdout_fd);
	close(stderr_fd);
	close(message);
	return status;
}

/* Binary is not for terminals, which is said before anything is read. */
static void test_terminal(void **state)
{
	char *to_stdout[] = {"report", "--pprof", "-i", "/nonexistent", NULL};
	char *to_file[] = {"report", "--pprof", "-i", "/nonexistent", "-o", "/dev/null", NULL};
	char *folded[] = {"report", "--folded", "-i", "/nonexistent", NULL};
	int controller = posix_openpt(O_RDWR | O_NOCTTY), null = open("/dev/null", O_WRONLY);
	char said[256];

	(void)state;
	assert_true(controller >= 0 && null >= 0);
	assert_int_equal(grantpt(controller), 0);
	assert_int_equal(unlockpt(controller), 0);
	int terminal = open(ptsname(controller), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0);
	assert_int_equal(run_to(terminal, to_stdout, said), EXIT_USAGE);
	assert_string_equal(said, "kvmperf report: a pprof profile is binary and not for "
				  "terminals: use -o FILE\n");
	assert_int_equal(run_to(null, to_stdout, said), EXIT_FAILED);
	assert_non_null(strstr(said, "/nonexistent"));
	assert_int_equal(run_to(terminal, to_file, said), EXIT_FAILED);
	assert_int_equal(run_to(terminal, folded, said), EXIT_FAILED);
	close(terminal);
	close(controller);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_one_form_only),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
