/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "account/apportion.h"

static void test_exact_thirds(void **state)
{
	const uint64_t weights[] = {1, 0, 1, 1};
	uint64_t parts[4];

	(void)state;
	assert_true(apportion(10, weights, 4, parts));
	assert_int_equal(parts[0] + parts[2] + parts[3], 10);
	assert_int_equal(parts[1], 0);
	assert_in_range(parts[0], 3, 4);
	assert_in_range(parts[2], 3, 4);
	assert_in_range(parts[3], 3, 4);
}

static void test_no_weights(void **state)
{
	const uint64_t weights[] = {0, 0};
	uint64_t parts[2] = {5, 5};

	(void)state;
	assert_false(apportion(10, weights, 2, parts));
	assert_int_equal(parts[0], 0);
	assert_int_equal(parts[1], 0);
	assert_false(apportion(10, weights, 0, parts));
}

static void test_large_numbers(void **state)
{
	const uint64_t weights[] = {UINT64_MAX / 2, UINT64_MAX / 2};
	uint64_t parts[2];

	(void)state;
	assert_true(apportion(UINT64_MAX, weights, 2, parts));
	assert_true(parts[0] + parts[1] == UINT64_MAX);
	assert_true(parts[0] - parts[1] <= 1 || parts[1] - parts[0] <= 1);
}

static void test_random(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		uint64_t weights[12], parts[12], sum = 0, of_parts = 0;
		size_t n = 1 + (size_t)rand() % 12;
		uint64_t total = (uint64_t)rand() * (uint64_t)(rand() % 1000);
		for (size_t i = 0; i < n; i++)
			sum += weights[i] = rand() % 3 ? (uint64_t)rand() : 0;
		assert_int_equal(apportion(total, weights, n, parts), sum > 0);
		for (size_t i = 0; i < n && sum; i++) {
			double exact = (double)total * (double)weights[i] / (double)sum;
			of_parts += parts[i];
			assert_true(weights[i] || parts[i] == 0);
			assert_true(fabs((double)parts[i] - exact) <= 1.01);
		}
		assert_true(!sum || of_parts == total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_thirds),
		cmocka_unit_test(test_no_weights),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
