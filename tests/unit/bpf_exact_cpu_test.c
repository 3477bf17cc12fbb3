/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine of exact mode, as the BPF programs have it, on a clock of the test's. While
 * an event that comes with interrupts on is being handled, the clock lets interrupts in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/exact.h"

#define THREADS 5
#define TABLES	3

static struct exact_thread threads[THREADS];
static struct exact_exit exits[TABLES * EXACT_EXIT_KINDS];
static struct exact_cpu the_cpu;
static uint64_t now_ns;
static int open_event; /* how many interrupts can come */

static uint64_t read_clock(void);

static struct exact_thread *thread_at(uint32_t place)
{
	return place < THREADS ? &threads[place] : NULL;
}

static struct exact_exit *exit_at(uint32_t place)
{
	return place < TABLES * EXACT_EXIT_KINDS ? &exits[place] : NULL;
}

#define EXACT_CLOCK()	read_clock()
#define EXACT_THREAD(n) thread_at(n)
#define EXACT_EXIT(n)	exit_at(n)
#include "bpf/exact_cpu.h"

static uint64_t random_state = 88172645463325252ULL;

static uint32_t draw(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % limit;
}

static uint64_t read_clock(void)
{
	uint64_t read_ns = now_ns += draw(3);

	if (open_event > 0 && draw(3) == 0) {
		int left = open_event - 1;
		open_event = 0;
		now_ns += draw(1000);
		exact_hardirq_entry(&the_cpu);
		now_ns += draw(1000);
		exact_hardirq_exit(&the_cpu);
		open_event = left;
	}
	return read_ns;
}

static int set_up(void **state)
{
	(void)state;
	memset(threads, 0, sizeof(threads));
	memset(exits, 0, sizeof(exits));
	memset(&the_cpu, 0, sizeof(the_cpu));
	open_event = 0;
	now_ns = 1000000;
	/* Threads 3 and 4 are vCPUs; thread 2 has no table of its own. */
	threads[3].exits = 1;
	threads[4].exits = 2;
	return 0;
}

static uint64_t sum_of(unsigned parity)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < THREADS; i++)
		for (size_t a = 0; a < EXACT_ACCOUNTS; a++)
			sum += threads[i].ns[parity][a];
	return sum;
}

static void test_each_account(void **state)
{
	(void)state;
	/* The clock adds 0 to 2 ns a reading, so times are exact to a few ns. */
	exact_begin(&the_cpu, 3, 0, 1);
	now_ns += 1000;
	exact_guest_entry(&the_cpu);
	now_ns += 20000;
	exact_hardirq_entry(&the_cpu);
	now_ns += 3000;
	exact_hardirq_exit(&the_cpu);
	exact_softirq_entry(&the_cpu, 3);
	now_ns += 5000;
	exact_hardirq_entry(&the_cpu);
	now_ns += 700;
	exact_hardirq_exit(&the_cpu);
	exact_softirq_exit(&the_cpu);
	now_ns += 100;
	exact_guest_exit(&the_cpu, 7);
	now_ns += 4000;
	exact_switch(&the_cpu, 1);
	now_ns += 900;
	exact_switch(&the_cpu, 3);
	now_ns += 2000;
	exact_guest_entry(&the_cpu);
	exact_cut(&the_cpu, 1, 1);

	const __u64 *ns = threads[3].ns[0];
	assert_in_range(ns[EXACT_GUEST], 20100, 20110);
	assert_in_range(ns[EXACT_HARDIRQ], 3700, 3706);
	assert_in_range(ns[EXACT_SOFTIRQ], 5000, 5006);
	assert_in_range(ns[EXACT_HOST], 7000, 7010);
	assert_in_range(threads[1].ns[0][EXACT_HOST], 900, 904);
	assert_true(the_cpu.softirq_ns[0][3] == ns[EXACT_SOFTIRQ]);
	/* The exit cost what ran for it: not what was before the first, nor thread 1. */
	const struct exact_exit *exit = &exits[1 * EXACT_EXIT_KINDS + 7];
	assert_int_equal(exit->count[0], 1);
	assert_in_range(exit->ns[0], 6000, 6008);
	assert_true(sum_of(0) == the_cpu.covered_ns[0]);
	assert_int_equal(the_cpu.entries[0], 2);
	assert_int_equal(the_cpu.events[0], 11);
}

static void test_pause(void **state)
{
	(void)state;
	exact_begin(&the_cpu, 4, 0, 1);
	exact_guest_entry(&the_cpu);
	exact_guest_exit(&the_cpu, 5);
	exact_cut(&the_cpu, 0, 0);
	uint64_t covered = the_cpu.covered_ns[0];
	now_ns += 1000000;
	exact_switch(&the_cpu, 1);
	exact_guest_exit(&the_cpu, 6);
	assert_true(sum_of(0) == covered && the_cpu.covered_ns[0] == covered);
	assert_int_equal(exits[2 * EXACT_EXIT_KINDS + 6].count[0], 0);
	/* After it the thread's exit is an old one. */
	uint64_t cost = exits[2 * EXACT_EXIT_KINDS + 5].ns[0];
	exact_begin(&the_cpu, 4, 0, 2);
	now_ns += 1000;
	exact_guest_entry(&the_cpu);
	assert_true(exits[2 * EXACT_EXIT_KINDS + 5].ns[0] == cost);
	exact_cut(&the_cpu, 1, 1);
	assert_true(sum_of(0) == the_cpu.covered_ns[0]);
}

static void test_mends_what_it_missed(void **state)
{
	(void)state;
	exact_begin(&the_cpu, 1, 0, 1);
	/* The end of an interrupt that began before; a softirq vector that is none. */
	exact_hardirq_exit(&the_cpu);
	assert_int_equal(the_cpu.hardirqs, 0);
	exact_softirq_entry(&the_cpu, 77);
	exact_softirq_exit(&the_cpu);
	exact_hardirq_entry(&the_cpu);
	exact_guest_entry(&the_cpu);
	exact_switch(&the_cpu, 2);
	assert_int_equal(exact_current(&the_cpu), EXACT_HOST);
	/* A clock that falls takes nothing back. */
	exact_hardirq_entry(&the_cpu);
	now_ns -= 500;
	exact_hardirq_exit(&the_cpu);
	exact_cut(&the_cpu, 1, 1);
	assert_true(sum_of(0) == the_cpu.covered_ns[0]);
	/* A place that isn't there. */
	exact_switch(&the_cpu, THREADS);
	exact_guest_entry(&the_cpu);
	exact_guest_exit(&the_cpu, 1);
}

static void random_event(void)
{
	open_event = 0;
	now_ns += draw(5) ? draw(2000) : 0;
	switch (draw(9)) {
	case 0: exact_hardirq_entry(&the_cpu); break;
	case 1: exact_hardirq_exit(&the_cpu); break;
	case 2:
		open_event = 2;
		exact_softirq_entry(&the_cpu, draw(EXACT_SOFTIRQS));
		break;
	case 3:
		open_event = 2;
		exact_softirq_exit(&the_cpu);
		break;
	case 4:
	case 5: exact_guest_entry(&the_cpu); break;
	case 6:
	case 7:
		open_event = 2;
		exact_guest_exit(&the_cpu, draw(EXACT_EXIT_KINDS));
		break;
	default: exact_switch(&the_cpu, draw(THREADS)); break;
	}
	open_event = 0;
}

/* Whatever comes in whatever order, no time is lost, and none is counted twice. */
static void test_conservation(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint8_t parity = 0;
		set_up(NULL);
		exact_begin(&the_cpu, draw(THREADS), parity, 1);
		for (int cut = 0; cut < 4; cut++) {
			uint64_t from_ns = the_cpu.since_ns, softirq = 0, exit_ns = 0, host = 0;
			int count = (int)draw(60);
			for (int i = 0; i < count; i++)
				random_event();
			open_event = (int)draw(3);
			exact_cut(&the_cpu, parity ^ 1, 1);
			open_event = 0;
			assert_true(sum_of(parity) == the_cpu.covered_ns[parity]);
			assert_true(the_cpu.covered_ns[parity] == the_cpu.since_ns - from_ns);
			for (size_t i = 0; i < THREADS; i++) {
				softirq += threads[i].ns[parity][EXACT_SOFTIRQ];
				host += threads[i].ns[parity][EXACT_HOST];
				memset(threads[i].ns[parity], 0, sizeof(threads[i].ns[parity]));
			}
			for (size_t i = 0; i < EXACT_SOFTIRQS; i++)
				softirq -= the_cpu.softirq_ns[parity][i];
			assert_true(softirq == 0);
			for (size_t i = 0; i < TABLES * EXACT_EXIT_KINDS; i++) {
				exit_ns += exits[i].ns[parity];
				exits[i].ns[parity] = 0;
			}
			assert_true(exit_ns <= host);
			memset(the_cpu.softirq_ns[parity], 0,
			       sizeof(the_cpu.softirq_ns[parity]));
			the_cpu.covered_ns[parity] = 0;
			parity ^= 1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_account, set_up),
		cmocka_unit_test_setup(test_pause, set_up),
		cmocka_unit_test_setup(test_mends_what_it_missed, set_up),
		cmocka_unit_test_setup(test_conservation, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
