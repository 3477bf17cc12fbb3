/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/cpus.h"
#include "base/error.h"

static void test_cpu_lists(void **state)
{
	static const int expected[] = {0, 1, 2, 8, 10, 11};
	static const char *const bad[] = {"",	  "\n",	  "a",	"1-",	 "3-1",
					  "1,,2", "1, 2", "-1", "1-2-3", "99999999999999"};
	int *cpus;
	size_t count;

	(void)state;
	assert_int_equal(cpus_parse("0-2,8,10-11\n", &cpus, &count), 0);
	assert_int_equal(count, 6);
	assert_memory_equal(cpus, expected, sizeof(expected));
	free(cpus);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cpus_parse(bad[i], &cpus, &count), -EBADMSG);
		assert_null(cpus);
	}
	assert_int_equal(cpus_online(&cpus, &count, NULL), 0);
	assert_true(count >= 1);
	free(cpus);
}

static void test_errors(void **state)
{
	struct error error = {0};
	char longer[1000];

	(void)state;
	assert_int_equal(error_exit_code(&error), EXIT_OK);
	assert_int_equal(error_set(&error, -EPERM, "no %s", "way"), -EPERM);
	assert_string_equal(error.message, "no way");
	assert_int_equal(error_exit_code(&error), EXIT_UNAVAILABLE);
	assert_int_equal(error_prefix(&error, "VM %d: ", 7), -EPERM);
	assert_string_equal(error.message, "VM 7: no way");
	error_set(&error, -EINVAL, "x");
	assert_int_equal(error_exit_code(&error), EXIT_USAGE);
	error_set(&error, -EIO, "x");
	assert_int_equal(error_exit_code(&error), EXIT_FAILED);
	assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);

	memset(longer, 'y', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	error_set(&error, -EIO, "%s", longer);
	error_prefix(&error, "%s", "front ");
	assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
	assert_memory_equal(error.message, "front yyy", 9);
	error_prefix(&error, "%s", longer);
	assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
}

static void test_array(void **state)
{
	uint32_t *items = NULL;
	size_t room = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(array_reserve(&items, &room, i + 1, sizeof(*items)), 0);
		assert_int_equal(items[i], 0);
		items[i] = i + 1;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i + 1);
	assert_int_equal(array_reserve(&items, &room, SIZE_MAX / 2, sizeof(*items)), -ENOMEM);
	assert_int_equal(items[999], 1000);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_lists),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
