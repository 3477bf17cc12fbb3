/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "builder_bench.h"

/* What went into the builder, and what came out. */
struct totals {
	uint64_t run_ns;
	uint64_t charged_ns;
	uint64_t carry_ns; /* of the last interval */
	uint64_t first_vm_run_ns;
	uint64_t first_vm_charged_ns;
	uint64_t first_vm_carry_ns;
	bool overfull; /* in some interval */
};

static void collect_task(struct bench *bench, struct totals *totals, unsigned *seed, pid_t pid)
{
	uint64_t run_ns = (unsigned)rand_r(seed) % (20 * MS);
	pid_t tid = pid + rand_r(seed) % 6;
	char name[16];

	for (size_t i = 0; i < bench->collection.task_count; i++)
		if (bench->collection.tasks[i].tid == tid)
			return;
	snprintf(name, sizeof(name), "CPU %d/KVM", tid - pid);
	bench_task(bench, pid, tid, name, run_ns, 0);
	totals->run_ns += run_ns;
	if (pid == PID(100))
		totals->first_vm_run_ns += run_ns;
}

static void collect_kernel_task(struct bench *bench, struct totals *totals, unsigned *seed,
				pid_t tid)
{
	static const char *const names[] = {"ksoftirqd/0", "vhost-5000100", "vhost-5000300",
					    "kworker/u8:3"};
	uint64_t run_ns = (unsigned)rand_r(seed) % (20 * MS);
	size_t name = (size_t)(tid - PID(500)) % 4;

	if (rand_r(seed) % 2)
		return;
	bench_kernel_task(bench, tid, names[name], run_ns);
	totals->run_ns += run_ns;
	if (name == 1)
		totals->first_vm_run_ns += run_ns;
}

static void collect_at_random(struct bench *bench, struct totals *totals, unsigned *seed)
{
	static const pid_t pids[] = {PID(100), PID(200), PID(300), PID(400), PID(900)};

	bench_begin(bench, 1 + (unsigned)rand_r(seed) % 3,
		    (1 + (unsigned)rand_r(seed) % 100) * MS);
	bench->collection.interrupts_apart = rand_r(seed) % 4 == 0;
	bench->collection.interrupt_ns = (unsigned)rand_r(seed) % (50 * MS);
	for (int i = rand_r(seed) % 20; i > 0; i--)
		collect_task(bench, totals, seed, pids[rand_r(seed) % 5]);
	for (pid_t tid = PID(500); tid < PID(508); tid++)
		collect_kernel_task(bench, totals, seed, tid);
	uint64_t *const rest[] = {
		&bench->collection.processes_run_ns, &bench->collection.kernel_run_ns,
		&bench->collection.shared_run_ns, &bench->collection.self_run_ns};
	for (size_t i = 0; i < 4; i++) {
		*rest[i] = (unsigned)rand_r(seed) % (10 * MS);
		totals->run_ns += *rest[i];
	}
	const uint32_t subsystems[] = {bench->core, bench->kvm, bench->e1000};
	for (int i = rand_r(seed) % 60; i > 0; i--) {
		bool kernel_thread = rand_r(seed) % 3 == 0, idle = rand_r(seed) % 8 == 0;
		pid_t pid =
			kernel_thread ? PID(500) + rand_r(seed) % 8 : pids[rand_r(seed) % 5];
		pid_t tid = kernel_thread ? pid : pid + rand_r(seed) % 6;
		enum account_mode mode = (enum account_mode)(rand_r(seed) % MODE_COUNT);
		bench_count(bench, idle ? 0 : pid, idle ? 0 : tid, mode,
			    subsystems[rand_r(seed) % 3], (unsigned)rand_r(seed) % 40);
	}
}

static void take_totals(const struct bench *bench, struct totals *totals)
{
	const struct ledger *ledger = &bench->interval.ledger;

	totals->carry_ns = totals->first_vm_carry_ns = 0;
	for (size_t i = 0; i < ledger->thread_count; i++) {
		const struct interval_thread *thread = &bench->interval.threads[i];
		totals->charged_ns += ledger->threads[i].charged_ns;
		totals->carry_ns += ledger->threads[i].carry_ns;
		if (thread->owner != OWNER_VM || thread->vm != 0)
			continue;
		totals->first_vm_charged_ns += ledger->threads[i].charged_ns;
		totals->first_vm_carry_ns += ledger->threads[i].carry_ns;
	}
	totals->overfull |= totals->carry_ns > 0;
}

/* The first VM stays; the others are there or not, so that their times change owners. */
static void choose_vms(struct bench *bench, unsigned *seed)
{
	bench->vm_count = 1;
	for (size_t v = 1; v < BENCH_VMS; v++)
		if (rand_r(seed) % 4) {
			bench->weights[bench->vm_count] = (unsigned)rand_r(seed) % 1000;
			bench->list[bench->vm_count++] = (struct builder_vm){&bench->vms[v]};
		}
}

static void test_nothing_is_lost(void **state)
{
	struct bench *bench = *state;
	struct totals totals = {0};
	unsigned seed = 20260101;

	for (size_t v = 0; v < BENCH_VMS; v++)
		bench_vm(bench, PID(100 + 100 * (pid_t)v), 1);
	for (int i = 0; i < 500; i++) {
		uint64_t samples = 0;
		choose_vms(bench, &seed);
		collect_at_random(bench, &totals, &seed);
		const struct ledger *ledger = bench_build(bench);
		take_totals(bench, &totals);
		assert_int_equal(totals.run_ns, totals.charged_ns + totals.carry_ns);
		assert_int_equal(totals.first_vm_run_ns,
				 totals.first_vm_charged_ns + totals.first_vm_carry_ns);
		for (size_t c = 0; c < bench->collection.count_count; c++)
			samples += bench->collection.counts[c].samples;
		assert_int_equal(ledger->samples, samples);
	}
	assert_true(totals.overfull);
	/* What was carried comes to be charged as soon as there is room. */
	bench_begin(bench, 64, 1000000 * MS);
	bench_build(bench);
	take_totals(bench, &totals);
	assert_int_equal(totals.carry_ns, 0);
	assert_int_equal(totals.charged_ns, totals.run_ns);
	assert_int_equal(totals.first_vm_charged_ns, totals.first_vm_run_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {BENCH_TEST(test_nothing_is_lost)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
