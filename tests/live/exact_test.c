/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact mode on the running kernel, without any VM: every reading's accounts must sum to the
 * time that was followed, to the nanosecond, and readings must follow each other without a gap.
 * Usage: exact_test READINGS MILLISECONDS; what there is to measure runs beside it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/clock.h"
#include "collect/exact_events.h"
#include "discover/exit_layout.h"

struct sums {
	uint64_t ns[EXACT_ACCOUNTS];
	uint64_t own_ns; /* of this process */
	uint64_t exits;
	size_t threads;
	size_t kernel_threads;
};

static int add_thread(void *context, enum exact_place place, const struct exact_thread *thread,
		      const uint64_t *ns)
{
	struct sums *sums = context;

	for (size_t i = 0; i < EXACT_ACCOUNTS; i++)
		sums->ns[i] += ns[i];
	if (place != EXACT_PLACE_THREAD)
		return 0;
	sums->threads++;
	sums->kernel_threads += thread->kernel_thread;
	if (thread->tgid == (uint32_t)getpid())
		sums->own_ns += ns[EXACT_HOST];
	return 0;
}

static int add_exits(void *context, const struct exact_thread *thread, uint32_t isa,
		     uint32_t code, uint64_t count, uint64_t ns)
{
	(void)thread;
	(void)isa;
	(void)code;
	(void)ns;
	((struct sums *)context)->exits += count;
	return 0;
}

static int fail(const char *what, uint64_t got, uint64_t wanted)
{
	printf("FAIL: %s: %" PRIu64 ", not %" PRIu64 "\n", what, got, wanted);
	return 1;
}

static int check(const struct sums *sums, const struct exact_totals *totals)
{
	uint64_t sum = 0, softirq = 0;
	int failures = 0;

	for (size_t i = 0; i < EXACT_ACCOUNTS; i++)
		sum += sums->ns[i];
	for (size_t i = 0; i < EXACT_SOFTIRQS; i++)
		softirq += totals->softirq_ns[i];
	if (sum != totals->covered_ns)
		failures += fail("sum of the accounts", sum, totals->covered_ns);
	if (softirq != sums->ns[EXACT_SOFTIRQ])
		failures += fail("softirqs by vector", softirq, sums->ns[EXACT_SOFTIRQ]);
	if (!totals->whole || totals->homeless)
		failures += fail("threads without a place", totals->homeless, 0);
	return failures;
}

static uint64_t own_cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Works for a while, so that there is something of this process to find. */
static void work(uint64_t ns)
{
	uint64_t end = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < end)
		;
}

static int measure(struct exact_events *events, unsigned readings, uint64_t reading_ns,
		   struct error *error)
{
	uint64_t covered = 0, seen = 0, irqs = 0, own = 0;
	int failures = 0, code = exact_events_begin(events, error);
	uint64_t start = clock_monotonic_ns(), cpu_before = own_cpu_time();

	exact_events_begin_cost(events);
	for (unsigned i = 0; !code && i < readings; i++) {
		struct sums sums = {0};
		struct exact_visitor visitor = {&sums, add_thread, add_exits};
		struct exact_totals totals;
		work(reading_ns / 4);
		usleep((useconds_t)(reading_ns / 1000 * 3 / 4));
		code = exact_events_take(events, &visitor, &totals, error);
		if (code)
			break;
		failures += check(&sums, &totals);
		covered += totals.covered_ns;
		seen += totals.events;
		irqs += sums.ns[EXACT_HARDIRQ] + sums.ns[EXACT_SOFTIRQ];
		own += sums.own_ns;
	}
	if (code) {
		printf("FAIL: %s\n", error->message);
		return 1;
	}
	uint64_t cpu = own_cpu_time() - cpu_before;
	uint64_t elapsed =
		(clock_monotonic_ns() - start) * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (covered > elapsed + elapsed / 100 || covered < elapsed - elapsed / 50)
		failures += fail("time of all CPUs that was followed", covered, elapsed);
	if (irqs == 0)
		failures += fail("interrupt time", 0, 1);
	/* The scheduler's time has interrupts in it, and on a virtual machine leaves out stolen
	 * time. */
	if (own > cpu + cpu / 2 || own < cpu / 2)
		failures += fail("own time", own, cpu);
	printf("INFO %u readings balanced to the ns; %" PRIu64 " events, %.1f ns each\n",
	       readings, seen, exact_events_end_cost(events));
	return failures;
}

int main(int argc, char **argv)
{
	struct exact_exit_layout layout;
	struct exact_events *events;
	struct error error;

	if (argc != 3)
		return 2;
	/* What is left out because this kernel hasn't it is no news. */
	libbpf_set_print(NULL);
	bool kvm = exit_layout_read(&layout, &error) == 0;
	if (exact_events_new(&events, kvm ? &layout : NULL, &error)) {
		printf("FAIL: %s\n", error.message);
		return 1;
	}
	int failures = measure(events, (unsigned)atoi(argv[1]),
			       (uint64_t)atoi(argv[2]) * 1000000, &error);
	exact_events_free(events);
	return failures ? 1 : 0;
}
