/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/perf_event.h>

#include "record/ring_records.h"

static char ring[4096];
static size_t used;
static pid_t mapped_pid, guests[16];
static char mapped_name[64];
static size_t guest_count, mapped_count;

static void note_mapped(void *context, pid_t pid, const char *name)
{
	(void)context;
	mapped_pid = pid;
	snprintf(mapped_name, sizeof(mapped_name), "%s", name);
	mapped_count++;
}

static void note_guest(void *context, pid_t pid)
{
	(void)context;
	guests[guest_count++] = pid;
}

static const struct ring_visitor visitor = {note_mapped, note_guest, NULL};

static void put(uint32_t type, uint16_t misc, const void *body, size_t size)
{
	struct perf_event_header header = {
		.type = type, .misc = misc, .size = (uint16_t)(sizeof(header) + size)};

	memcpy(ring + used, &header, sizeof(header));
	memcpy(ring + used + sizeof(header), body, size);
	used += header.size;
}

static void put_sample(uint16_t mode, uint32_t pid, uint64_t time)
{
	/* identifier, ip, pid and tid, time, cpu, period */
	uint64_t words[] = {11, 0x1000, pid | (uint64_t)(pid + 1) << 32, time, 0, 4000000};

	put(PERF_RECORD_SAMPLE, mode, words, sizeof(words));
}

static void put_mapping(uint16_t misc)
{
	struct {
		uint32_t pid, tid;
		uint64_t numbers[7];
		char name[16];
	} mmap2 = {.pid = 77, .tid = 78, .name = "/usr/bin/true"};

	_Static_assert(offsetof(__typeof__(mmap2), name) == 64, "perf_event.h");
	put(PERF_RECORD_MMAP2, misc, &mmap2, sizeof(mmap2));
}

static int fill(void **state)
{
	uint64_t lost[] = {11, 5};

	(void)state;
	used = 0;
	guest_count = mapped_count = 0;
	put_sample(PERF_RECORD_MISC_KERNEL, 1, 300);
	put_mapping(PERF_RECORD_MISC_USER);
	put_sample(PERF_RECORD_MISC_GUEST_KERNEL, 500, 400);
	put_sample(PERF_RECORD_MISC_GUEST_USER, 500, 500);
	put(PERF_RECORD_LOST, 0, lost, sizeof(lost));
	put_sample(PERF_RECORD_MISC_GUEST_USER, 600, 550);
	put_mapping(PERF_RECORD_MISC_KERNEL);
	put_sample(PERF_RECORD_MISC_USER, 2, 700);
	return 0;
}

static void check(const struct record_tally *tally)
{
	assert_int_equal(tally->samples, 5);
	assert_int_equal(tally->lost, 5);
	assert_int_equal(tally->first_time, 300);
	assert_int_equal(tally->last_time, 700);
	assert_int_equal(mapped_count, 1);
	assert_int_equal(mapped_pid, 77);
	assert_string_equal(mapped_name, "/usr/bin/true");
	assert_int_equal(guest_count, 2);
	assert_int_equal(guests[0], 500);
	assert_int_equal(guests[1], 600);
}

static void test_one_part(void **state)
{
	struct record_tally tally = {0};
	struct iovec part = {ring, used};
	pid_t last_guest = 0;

	(void)state;
	ring_records_look(&part, 1, &tally, &last_guest, &visitor);
	check(&tally);
	assert_int_equal(last_guest, 600);
}

/* The ring's end may be anywhere, also in the middle of a field. */
static void test_two_parts(void **state)
{
	for (size_t cut = 8; cut < used; cut += 8) {
		struct record_tally tally = {0};
		struct iovec parts[] = {{ring, cut}, {ring + cut, used - cut}};
		pid_t last_guest = 0;

		guest_count = mapped_count = 0;
		ring_records_look(parts, 2, &tally, &last_guest, &visitor);
		check(&tally);
	}
	(void)state;
}

static void test_rounds_add_up(void **state)
{
	struct record_tally tally = {
		.samples = 10, .lost = 1, .first_time = 100, .last_time = 900};
	struct iovec part = {ring, used};
	pid_t last_guest = 500;

	(void)state;
	ring_records_look(&part, 1, &tally, &last_guest, &visitor);
	assert_int_equal(tally.samples, 15);
	assert_int_equal(tally.lost, 6);
	assert_int_equal(tally.first_time, 100);
	assert_int_equal(tally.last_time, 900);
	assert_int_equal(guest_count, 1);
}

static void test_cut_record(void **state)
{
	struct record_tally tally = {0};
	struct iovec part = {ring, used - 8};
	pid_t last_guest = 0;

	(void)state;
	ring_records_look(&part, 1, &tally, &last_guest, &visitor);
	assert_int_equal(tally.samples, 4);
	ring_records_look(NULL, 0, &tally, &last_guest, &visitor);
	assert_int_equal(tally.samples, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_part, fill),
		cmocka_unit_test_setup(test_two_parts, fill),
		cmocka_unit_test_setup(test_rounds_add_up, fill),
		cmocka_unit_test_setup(test_cut_record, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
