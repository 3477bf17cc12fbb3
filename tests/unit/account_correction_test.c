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

#include "account/confidence.h"
#include "account/correction.h"
#include "account/ledger.h"

#define MS 1000000ULL

#define REFERENCE_NS 60 /* that the reference loop takes, unless the core's speed changes */

/* 10 us, 20 us and 30 us, known to 1, 2 and 3 us. */
static const struct exit_costs costs = {
	.reference_ns = REFERENCE_NS,
	.by_class = {[VM_EXIT_KERNEL] = {10e3, 1e3},
		     [VM_EXIT_USER] = {20e3, 2e3},
		     [VM_EXIT_INTERRUPT] = {30e3, 3e3}},
};

static void assert_near(double value, double expected)
{
	assert_true(fabs(value - expected) <= 1);
}

/* What the classes' errors add up to, and that the speed is not known better than that. */
static double error95(double classes_ns, double speed, double ns)
{
	return sqrt(classes_ns * classes_ns + speed * ns * speed * ns);
}

static void test_sum_of_classes(void **state)
{
	struct correction_input thread = {.run_ns = 1000 * MS,
					  .guest_ns = 800 * MS,
					  .exits = {10000, 5000, 100},
					  .reference_ns = REFERENCE_NS};
	struct correction correction = correction_make(&thread, &costs);

	(void)state;
	assert_int_equal(correction.ns, 100 * MS + 100 * MS + 3 * MS);
	assert_near(correction.error95_ns,
		    error95(10e6 + 10e6 + 0.3e6, CORRECTION_SPEED_KNOWN95, 203e6));
}

/* 203 ms, known to 20.3; a core that is slower or faster makes them more or less. */
static void test_speed(void **state)
{
	const double ns = 203e6, known_ns = error95(20.3e6, CORRECTION_SPEED_KNOWN95, ns),
		     unknown_ns = error95(20.3e6, CORRECTION_SPEED_UNKNOWN95, ns);
	struct exit_costs unknown = costs;
	struct correction_input thread = {.run_ns = 1000 * MS,
					  .guest_ns = 900 * MS,
					  .exits = {10000, 5000, 100},
					  .reference_ns = 1.5 * REFERENCE_NS};
	struct correction correction = correction_make(&thread, &costs);

	(void)state;
	assert_near((double)correction.ns, 1.5 * ns);
	assert_near(correction.error95_ns, 1.5 * known_ns);
	thread.reference_ns = REFERENCE_NS / 2.0;
	correction = correction_make(&thread, &costs);
	assert_near((double)correction.ns, ns / 2);
	assert_near(correction.error95_ns, known_ns / 2);

	/* Not known: as if it were the same, but less sure. */
	thread.reference_ns = 0;
	correction = correction_make(&thread, &costs);
	assert_near((double)correction.ns, ns);
	assert_near(correction.error95_ns, unknown_ns);
	thread.reference_ns = 2 * REFERENCE_NS;
	unknown.reference_ns = 0;
	correction = correction_make(&thread, &unknown);
	assert_near((double)correction.ns, ns);
	assert_near(correction.error95_ns, unknown_ns);

	/* Nothing makes a core a hundred times slower. */
	thread.reference_ns = 100 * REFERENCE_NS;
	thread.guest_ns = 1000 * MS;
	assert_near((double)correction_make(&thread, &costs).ns, 4 * ns);
}

static void test_never_more_than_there_is(void **state)
{
	struct correction_input thread = {
		.run_ns = 1000 * MS, .guest_ns = 50 * MS, .exits = {10000, 0, 0}};

	(void)state;
	assert_int_equal(correction_make(&thread, &costs).ns, 50 * MS);
	thread.guest_ns = 0;
	assert_int_equal(correction_make(&thread, &costs).ns, 0);
	thread.run_ns = 0;
	assert_int_equal(correction_make(&thread, &costs).ns, 0);
}

/* Interrupts that fall into what looks like guest time and forced no exit. */
static void test_pending_interrupts(void **state)
{
	struct exit_costs ticks = costs;
	/* 250 ticks and 250 samples a second; 80 % look like guest: 400, of which 100 forced.
	 */
	struct correction_input thread = {.run_ns = 1000 * MS,
					  .guest_ns = 800 * MS,
					  .samples = 250,
					  .exits = {0, 0, 100}};

	(void)state;
	ticks.tick_hz = 250;
	ticks.tick = ticks.sample = costs.by_class[VM_EXIT_INTERRUPT];
	/* 100 exits of 30 us, and 300 handlers of 30 - 10 us. */
	assert_int_equal(correction_make(&thread, &ticks).ns, 3 * MS + 6 * MS);
	thread.exits[VM_EXIT_INTERRUPT] = 500;
	assert_int_equal(correction_make(&thread, &ticks).ns, 15 * MS);
}

/* What interrupts cost after a sleep counts by what the thread slept, up to all of it. */
static void test_rested_interrupts(void **state)
{
	const struct exit_cost busy = {30e3, 3e3}, rested = {50e3, 7e3};
	const struct exit_costs ticks = {
		.by_class = {[VM_EXIT_KERNEL] = {10e3, 0}},
		.tick = busy,
		.sample = busy,
		.rested_tick = rested,
		.rested_sample = rested,
		.tick_hz = 250,
		.reference_ns = REFERENCE_NS,
	};
	/* 200 ticks and 200 samples in what looks like guest time. */
	struct correction_input thread = {.run_ns = 1000 * MS,
					  .guest_ns = 800 * MS,
					  .samples = 250,
					  .exits = {0, 0, 400},
					  .reference_ns = REFERENCE_NS};
	struct correction correction;

	(void)state;
	assert_int_equal(correction_make(&thread, &ticks).ns, 12 * MS);
	thread.slept_ns = 250 * MS;
	correction = correction_make(&thread, &ticks);
	assert_int_equal(correction.ns, 14 * MS);
	assert_near(correction.error95_ns, error95(400 * 4e3, CORRECTION_SPEED_KNOWN95, 14e6));
	thread.slept_ns = 9000 * MS;
	correction = correction_make(&thread, &ticks);
	assert_int_equal(correction.ns, 20 * MS);
	assert_near(correction.error95_ns, error95(400 * 7e3, CORRECTION_SPEED_KNOWN95, 20e6));
}

static void test_classes(void **state)
{
	uint64_t classes[VM_EXIT_CLASSES];

	(void)state;
	correction_classify(100, 30, 20, classes);
	assert_int_equal(classes[VM_EXIT_KERNEL], 50);
	assert_int_equal(classes[VM_EXIT_USER], 30);
	assert_int_equal(classes[VM_EXIT_INTERRUPT], 20);
	correction_classify(100, 130, 20, classes);
	assert_int_equal(classes[VM_EXIT_KERNEL], 0);
	assert_int_equal(classes[VM_EXIT_USER], 100);
	assert_int_equal(classes[VM_EXIT_INTERRUPT], 0);
	correction_classify(100, 90, 20, classes);
	assert_int_equal(classes[VM_EXIT_KERNEL], 0);
	assert_int_equal(classes[VM_EXIT_INTERRUPT], 10);
}

static uint64_t label_ns(const struct label_times *times, uint32_t label)
{
	for (size_t i = 0; i < times->count; i++)
		if (times->items[i].label == label)
			return times->items[i].ns;
	return 0;
}

/* Two threads, one of them with fewer samples than its correction: all accounts still add up.
 */
static void test_ledger_moves_it(void **state)
{
	const struct account_thread threads[] = {
		{.owner = OWNER_VM, .run_ns = 1000 * MS, .exits = {20000, 0, 0}},
		{.owner = OWNER_VM, .run_ns = 100 * MS, .exits = {50000, 0, 0}},
		{.owner = OWNER_IDLE},
	};
	const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_GUEST, .samples = 80},
		{.thread = 0, .mode = MODE_KERNEL, .label = 1, .samples = 20},
		{.thread = 1, .mode = MODE_GUEST, .samples = 100},
	};
	struct account_input input = {
		.capacity_ns = 2000 * MS,
		.period_ns = 4 * MS,
		.threads = threads,
		.thread_count = 3,
		.counts = counts,
		.count_count = 3,
		.vm_count = 1,
		.label_count = 3,
	};
	struct exit_costs switches = {.by_class = {{10e3, 1e3}, {20e3, 2e3}, {10e3, 1e3}}};
	struct ledger before, after;

	(void)state;
	assert_int_equal(ledger_make(&before, &input), 0);
	input.exit_costs = &switches;
	input.world_switch_label = 2;
	assert_int_equal(ledger_make(&after, &input), 0);
	assert_int_equal(ledger_sum(&after), input.capacity_ns);
	assert_int_equal(before.vms[0].guest_ns, 900 * MS);
	assert_int_equal(after.threads[0].guest_ns, 600 * MS);
	assert_int_equal(after.threads[0].kernel_ns, 400 * MS);
	assert_int_equal(after.threads[1].guest_ns, 0);
	assert_int_equal(after.threads[1].kernel_ns, 100 * MS);
	assert_int_equal(after.vms[0].guest_ns, 600 * MS);
	assert_int_equal(label_ns(&after.vms[0].kernel, 1), 200 * MS);
	assert_int_equal(label_ns(&after.vms[0].kernel, 2), 300 * MS);
	/* The threads' errors add up; the second's is its whole guest time. */
	double errors_ns = error95(20e6, CORRECTION_SPEED_UNKNOWN95, 200e6) + 100e6;
	assert_near(after.vms[0].error95.guest, hypot(before.vms[0].error95.guest, errors_ns));
	assert_near(after.vms[0].error95.hypervisor,
		    hypot(before.vms[0].error95.hypervisor, errors_ns));
	assert_int_equal(ledger_vm_total_ns(&after.vms[0]), ledger_vm_total_ns(&before.vms[0]));
	ledger_free(&before);
	ledger_free(&after);

	input.world_switch_label = 3;
	assert_int_equal(ledger_make(&after, &input), -ERANGE);
}

/* Exact guest time loses the world switches, too, and pending interrupts are none of it. */
static void test_ledger_moves_exact_time(void **state)
{
	const struct account_thread threads[] = {
		{.owner = OWNER_VM,
		 .run_ns = 1000 * MS,
		 .reference_ns = REFERENCE_NS,
		 .exact = {.guest_ns = 800 * MS, .host_ns = 150 * MS, .hardirq_ns = 50 * MS},
		 .exits = {20000, 1000, 500}},
		{.owner = OWNER_IDLE},
	};
	const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_GUEST, .samples = 800},
		{.thread = 0, .mode = MODE_KERNEL, .label = 1, .samples = 200},
	};
	const struct exit_costs switches = {.by_class = {{10e3, 1e2}, {20e3, 1e2}, {40e3, 1e2}},
					    .reference_ns = REFERENCE_NS};
	struct account_input input = {
		.capacity_ns = 2000 * MS,
		.period_ns = MS,
		.threads = threads,
		.thread_count = 2,
		.counts = counts,
		.count_count = 2,
		.vm_count = 1,
		.label_count = 3,
		.exact = true,
		.exact_duty = 1,
		.exit_costs = &switches,
		.world_switch_label = 2,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_int_equal(ledger_sum(&ledger), input.capacity_ns);
	assert_int_equal(ledger.vms[0].corrected_ns, 240 * MS);
	assert_int_equal(ledger.vms[0].guest_ns, 560 * MS);
	assert_int_equal(ledger.vms[0].kernel.total_ns, 390 * MS);
	assert_int_equal(label_ns(&ledger.vms[0].kernel, 2), 240 * MS);
	assert_int_equal(ledger.threads[0].guest_ns, 560 * MS);
	/* All that is not known of the guest is the calibration: 21,500 exits, 100 ns each. */
	assert_near(ledger.vms[0].error95.guest,
		    error95(2.15e6, CORRECTION_SPEED_KNOWN95, 240e6));
	ledger_free(&ledger);
}

static uint64_t draw(uint64_t *random, uint64_t limit)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % limit;
}

/* Whatever comes in: no account is negative, sums stay, and nothing but guest and kernel moves.
 */
static void test_random_ledgers(void **state)
{
	uint64_t random = 42;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct account_thread threads[5] = {
			{.owner = OWNER_PROCESSES, .run_ns = 7 * MS}, {.owner = OWNER_IDLE}};
		struct account_count counts[12];
		struct exit_costs some = {
			.tick_hz = (double)draw(&random, 2000),
			.tick = {(double)draw(&random, 50000), (double)draw(&random, 5000)},
			.sample = {(double)draw(&random, 50000), (double)draw(&random, 5000)},
			.rested_tick = {(double)draw(&random, 99000), 100},
			.rested_sample = {(double)draw(&random, 99000), 100},
			.reference_ns = (double)draw(&random, 100),
		};
		uint64_t weights[3] = {1, draw(&random, 5), draw(&random, 2)};
		struct ledger before, after;

		for (int t = 2; t < 5; t++) {
			threads[t] = (struct account_thread){
				.owner = OWNER_VM,
				.vm = (uint32_t)draw(&random, 2),
				.run_ns = draw(&random, 300 * MS),
				.slept_ns = draw(&random, 300 * MS),
				.reference_ns = (double)draw(&random, 100)};
			for (int c = 0; c < VM_EXIT_CLASSES; c++)
				threads[t].exits[c] = draw(&random, 30000);
		}
		for (int i = 0; i < 12; i++)
			counts[i] = (struct account_count){
				.thread = (uint32_t)draw(&random, 5),
				.label = (uint32_t)draw(&random, 3),
				.mode = (enum account_mode)draw(&random, MODE_COUNT),
				.work = (enum shared_work)draw(&random, WORK_COUNT),
				.samples = draw(&random, 60)};
		for (int c = 0; c < VM_EXIT_CLASSES; c++)
			some.by_class[c] = (struct exit_cost){(double)draw(&random, 50000),
							      (double)draw(&random, 5000)};
		struct account_input input = {
			.capacity_ns = 1000 * MS,
			.period_ns = 4 * MS,
			.threads = threads,
			.thread_count = 5,
			.counts = counts,
			.count_count = 12,
			.vm_count = 2,
			.label_count = 4,
		};
		for (int w = 0; w < WORK_COUNT; w++)
			input.weights[w] = weights;
		assert_int_equal(ledger_make(&before, &input), 0);
		input.exit_costs = &some;
		input.world_switch_label = 3;
		assert_int_equal(ledger_make(&after, &input), 0);
		assert_int_equal(ledger_sum(&after), input.capacity_ns);
		assert_int_equal(after.idle_ns, before.idle_ns);
		for (int v = 0; v < 2; v++) {
			const struct ledger_vm *a = &after.vms[v], *b = &before.vms[v];
			uint64_t moved = label_ns(&a->kernel, 3);
			assert_true(a->guest_ns <= b->guest_ns);
			assert_int_equal(b->guest_ns - a->guest_ns, moved);
			assert_int_equal(a->kernel.total_ns - b->kernel.total_ns, moved);
			assert_int_equal(a->vmm.total_ns, b->vmm.total_ns);
			assert_int_equal(a->shared.total_ns, b->shared.total_ns);
		}
		ledger_free(&before);
		ledger_free(&after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum_of_classes),
		cmocka_unit_test(test_speed),
		cmocka_unit_test(test_never_more_than_there_is),
		cmocka_unit_test(test_pending_interrupts),
		cmocka_unit_test(test_rested_interrupts),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_ledger_moves_it),
		cmocka_unit_test(test_ledger_moves_exact_time),
		cmocka_unit_test(test_random_ledgers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
