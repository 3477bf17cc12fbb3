/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "account/budget.h"

#define MS 1000000ULL

static void test_first_rate(void **state)
{
	struct budget budget = {.share = 0.005, .sample_cost_ns = 2000, .asked_hz = 250};

	(void)state;
	assert_int_equal(budget_first_rate(&budget), 250);
	budget.asked_hz = 10000;
	assert_int_equal(budget_first_rate(&budget), 2500);
	budget.share = INFINITY;
	assert_int_equal(budget_first_rate(&budget), 10000);
	budget.share = 0.005;
	budget.sample_cost_ns = 0;
	assert_int_equal(budget_first_rate(&budget), 10000);
	/* Not below what tells something, nor above what was asked for. */
	budget.sample_cost_ns = 1e6;
	assert_int_equal(budget_first_rate(&budget), BUDGET_LEAST_HZ);
	budget.asked_hz = 10;
	assert_int_equal(budget_first_rate(&budget), 10);
}

static void test_own_time_counts(void **state)
{
	struct budget budget = {.share = 0.005, .sample_cost_ns = 20000, .asked_hz = 250};

	(void)state;
	/* 2 CPUs, 1 s: 10 ms in all, of which 6 ms are its own; 4 ms are 200 samples. */
	assert_int_equal(budget_next_rate(&budget, 250, 6 * MS, 2000 * MS), 100);
	assert_int_equal(budget_next_rate(&budget, 250, 20 * MS, 2000 * MS), BUDGET_LEAST_HZ);
	/* Back up, but not at once. */
	assert_int_equal(budget_next_rate(&budget, 50, 0, 2000 * MS), 100);
	assert_int_equal(budget_next_rate(&budget, 200, 0, 2000 * MS), 250);
	budget.share = INFINITY;
	assert_int_equal(budget_next_rate(&budget, 250, 2000 * MS, 2000 * MS), 250);
}

static void test_overhead(void **state)
{
	struct budget budget = {.share = 0.005, .sample_cost_ns = 20000, .asked_hz = 250};

	(void)state;
	assert_true(fabs(budget_overhead_ns(&budget, 6 * MS, 500) - 16e6) < 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_rate),
		cmocka_unit_test(test_own_time_counts),
		cmocka_unit_test(test_overhead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
