/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples that are counted by what is remembered come out as those that are looked up. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "perf_data/sample.h"
#include "report/profile.h"

#define PERIOD	4000000
#define THREADS 40

static void begin(struct profile *profile, enum profile_anchor anchor)
{
	*profile = (struct profile){.anchor = anchor, .period_ns = PERIOD};
	assert_int_equal(resolver_init(&profile->resolver, &profile->names, &profile->places),
			 0);
	assert_int_equal(profile_init(profile), 0);
}

static void map(struct profile *profile, uint32_t pid, const char *file, uint64_t start)
{
	struct mapping mapping = {.start = start, .end = start + 0x10000};

	mapping.file = names_intern(&profile->names, file, strlen(file));
	assert_int_equal(tasks_map(&profile->tasks, pid, pid, &mapping), 0);
}

/* The quick way: by what is remembered, or later, one by one. */
static void add_quickly(struct profile *profile, const struct queued *queued)
{
	const struct queued *first = queued;
	double stands_for;

	while (profile_take(profile, &first, queued + 1, UINT64_MAX, &stands_for) == 1) {
		struct profile_sample sample = profile_sample_of(first++);
		assert_int_equal(profile_count(profile, &sample, stands_for), 0);
	}
	assert_ptr_equal(first, queued + 1);
}

static void add_slowly(struct profile *profile, const struct queued *queued)
{
	struct profile_sample sample = profile_sample_of(queued);

	assert_int_equal(profile_add(profile, &sample), 0);
}

static void expect_equal(const struct profile *one, const struct profile *other)
{
	assert_int_equal(one->samples, other->samples);
	assert_int_equal(one->lost, other->lost);
	assert_int_equal(one->first_ns, other->first_ns);
	assert_int_equal(one->last_ns, other->last_ns);
	assert_int_equal(one->cpus_seen, other->cpus_seen);
	assert_memory_equal(one->rates, other->rates, sizeof(one->rates));
	assert_int_equal(one->tally.cell_count, other->tally.cell_count);
	for (size_t i = 0; i < one->tally.cell_count; i++) {
		const struct tally_cell *a = &one->tally.cells[i], *b = &other->tally.cells[i];
		assert_int_equal(a->group, b->group);
		assert_int_equal(a->key, b->key);
		assert_int_equal(a->samples, b->samples);
		assert_true(a->time == b->time);
	}
}

static struct queued random_sample(uint64_t *state, uint64_t *time)
{
	static const uint8_t modes[] = {SAMPLE_GUEST_USER, SAMPLE_GUEST_KERNEL, SAMPLE_USER,
					SAMPLE_KERNEL, SAMPLE_SOFTIRQ | WORK_NET_RX << 3};
	struct queued sample = {
		.value = 0x400000 + random_next(state) % 8 * 0x8000,
		.weight = random_next(state) % 3 * PERIOD,
		.pid = 100 + (uint32_t)(random_next(state) % THREADS),
		.cpu = (uint16_t)(random_next(state) % 4 * 7),
		.kind = QUEUED_SAMPLE,
		.mode = modes[random_next(state) % (sizeof(modes) / sizeof(*modes))],
	};

	*time += random_next(state) % (5 * PERIOD);
	sample.tid = sample.pid;
	/* Now and then one without a time, or one that comes late. */
	sample.time = random_next(state) % 50 == 0   ? 0
		      : random_next(state) % 50 == 0 ? *time / 2
						     : *time;
	sample.memo = sample_memo_number(sample.value, sample.pid, sample.mode);
	return sample;
}

/* What changes in between: names, mappings, threads that end; samples that are lost. */
static void change(struct profile *profile, uint64_t choice, uint64_t time)
{
	struct tasks *tasks = &profile->tasks;
	uint32_t pid = 100 + (uint32_t)(choice / 8 % THREADS);

	switch (choice % 8) {
	case 0: assert_int_equal(tasks_name(tasks, pid, pid, "worker", 6, false), 0); break;
	case 1: assert_int_equal(tasks_name(tasks, pid, pid, "program", 7, true), 0); break;
	case 2: map(profile, pid, "/usr/bin/one", 0x400000); break;
	case 3: map(profile, pid, "/usr/lib/two.so", 0x410000); break;
	case 4: assert_int_equal(tasks_exit(tasks, pid, pid, time), 0); break;
	case 5: assert_int_equal(tasks_fork(tasks, pid, pid, pid + 1, pid + 1, true), 0); break;
	case 6: assert_int_equal(profile_add_lost(profile, time, 7, 1), 0); break;
	default:
		assert_int_equal(
			resolver_add_module(&profile->resolver, "[kvm]", 0x400000, 0x408000),
			0);
	}
}

static void compare_ways(uint64_t seed, enum profile_anchor anchor, bool window,
			 uint32_t serial)
{
	struct profile quick, slow;
	uint64_t state = seed, time = 1000000000;

	begin(&quick, anchor);
	begin(&slow, anchor);
	quick.tasks.group_serial = serial;
	if (window) {
		quick.start_ns = slow.start_ns = 5000000000;
		quick.stop_ns = slow.stop_ns = 15000000000;
	}
	for (size_t i = 0; i < 3000; i++) {
		struct queued sample = random_sample(&state, &time);
		add_quickly(&quick, &sample);
		add_slowly(&slow, &sample);
		if (random_next(&state) % 20)
			continue;
		uint64_t choice = random_next(&state);
		change(&quick, choice, time);
		change(&slow, choice, time);
	}
	expect_equal(&quick, &slow);
	profile_clear(&quick);
	profile_clear(&slow);
}

static void test_both_ways(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++) {
		compare_ways(seed, ANCHOR_GAPS, false, 0);
		compare_ways(seed, ANCHOR_GAPS, true, 0);
		compare_ways(seed, ANCHOR_CYCLES, false, 0);
		compare_ways(seed, ANCHOR_SHARES, false, 0);
	}
}

/* What is remembered under a serial is forgotten when serials begin anew. */
static void test_serials_begin_anew(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++)
		compare_ways(seed, ANCHOR_GAPS, false, GROUP_NONE - 3 - (uint32_t)seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_serials_begin_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
