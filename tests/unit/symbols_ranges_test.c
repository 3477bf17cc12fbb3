/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/module_text.h"
#include "symbols/range_list.h"
#include "symbols/text_intervals.h"

enum { CORE, NET, MM, KVM };

struct expected {
	uint64_t start;
	uint16_t subsystem;
	uint16_t method;
};

static void assert_ranges(const struct range_list *list, const struct expected *expected,
			  size_t count)
{
	assert_int_equal(list->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list->ranges[i].start, expected[i].start);
		assert_int_equal(list->ranges[i].subsystem, expected[i].subsystem);
		assert_int_equal(list->ranges[i].method, expected[i].method);
	}
}

#define ASSERT_RANGES(list, ...)                                                               \
	do {                                                                                   \
		const struct expected expected[] = {__VA_ARGS__};                              \
		assert_ranges(list, expected, sizeof(expected) / sizeof(*expected));           \
	} while (0)

static void test_add(void **state)
{
	struct range_list list = {0};

	(void)state;
	assert_int_equal(range_list_add(&list, 0, CORE, KERNEL_MAP_CORE), 0);
	assert_int_equal(range_list_add(&list, 10, NET, KERNEL_MAP_INTERVAL), 0);
	assert_int_equal(range_list_add(&list, 20, NET, KERNEL_MAP_INTERVAL), 0);
	assert_int_equal(range_list_add(&list, 30, NET, KERNEL_MAP_PREFIX), 0);
	assert_int_equal(range_list_add(&list, 30, MM, KERNEL_MAP_PREFIX), 0);
	assert_int_equal(range_list_add(&list, 40, CORE, KERNEL_MAP_CORE), 0);
	assert_int_equal(range_list_add(&list, 40, MM, KERNEL_MAP_PREFIX), 0);
	ASSERT_RANGES(&list, {0, CORE, KERNEL_MAP_CORE}, {10, NET, KERNEL_MAP_INTERVAL},
		      {30, MM, KERNEL_MAP_PREFIX});
	assert_ptr_equal(range_list_find(list.ranges, list.count, 0), &list.ranges[0]);
	assert_ptr_equal(range_list_find(list.ranges, list.count, 9), &list.ranges[0]);
	assert_ptr_equal(range_list_find(list.ranges, list.count, 10), &list.ranges[1]);
	assert_ptr_equal(range_list_find(list.ranges, list.count, 29), &list.ranges[1]);
	assert_ptr_equal(range_list_find(list.ranges, list.count, UINT64_MAX), &list.ranges[2]);
	range_list_clear(&list);
	assert_int_equal(list.count, 0);
}

static void test_patch(void **state)
{
	static struct kernel_range base_ranges[] = {{0, CORE, KERNEL_MAP_CORE},
						    {100, NET, KERNEL_MAP_INTERVAL},
						    {200, MM, KERNEL_MAP_INTERVAL},
						    {300, CORE, KERNEL_MAP_CORE}};
	static const struct range_list base = {base_ranges, 4, 4};
	/* within a range, over a whole one and its edges, touching, at the end of all */
	static const struct range_patch patches[] = {{110, 120, KVM},
						     {150, 310, KVM},
						     {310, 320, NET},
						     {UINT64_MAX - 1, UINT64_MAX, MM}};
	struct range_list out = {0};

	(void)state;
	assert_int_equal(range_list_patch(&out, &base, patches, 4, KERNEL_MAP_RANGES), 0);
	ASSERT_RANGES(&out, {0, CORE, KERNEL_MAP_CORE}, {100, NET, KERNEL_MAP_INTERVAL},
		      {110, KVM, KERNEL_MAP_RANGES}, {120, NET, KERNEL_MAP_INTERVAL},
		      {150, KVM, KERNEL_MAP_RANGES}, {310, NET, KERNEL_MAP_RANGES},
		      {320, CORE, KERNEL_MAP_CORE}, {UINT64_MAX - 1, MM, KERNEL_MAP_RANGES});
	range_list_clear(&out);
	assert_int_equal(range_list_patch(&out, &base, NULL, 0, KERNEL_MAP_RANGES), 0);
	ASSERT_RANGES(&out, {0, CORE, KERNEL_MAP_CORE}, {100, NET, KERNEL_MAP_INTERVAL},
		      {200, MM, KERNEL_MAP_INTERVAL}, {300, CORE, KERNEL_MAP_CORE});
	range_list_clear(&out);
}

/* Patches over random ranges give at each address what a plain array gives. */
static void test_patch_random(void **state)
{
	(void)state;
	srandom(20251);
	for (int round = 0; round < 300; round++) {
		uint16_t truth[400] = {0};
		struct range_list base = {0}, out = {0};
		struct range_patch patches[40];
		size_t count = 0;
		uint16_t subsystem = CORE;
		for (uint64_t at = 0; at < 400; at++) {
			if (at == 0 || random() % 20 == 0) {
				subsystem = (uint16_t)(random() % 4);
				assert_int_equal(
					range_list_add(&base, at, subsystem, KERNEL_MAP_PREFIX),
					0);
			}
			truth[at] = subsystem;
		}
		for (uint64_t at = (uint64_t)(random() % 30); at < 360 && count < 40;
		     at += (uint64_t)(random() % 30)) {
			uint64_t end = at + 1 + (uint64_t)(random() % 30);
			patches[count] = (struct range_patch){at, end, (uint16_t)(10 + count)};
			for (; at < end; at++)
				truth[at] = patches[count].subsystem;
			count++;
		}
		assert_int_equal(
			range_list_patch(&out, &base, patches, count, KERNEL_MAP_MODULE), 0);
		for (uint64_t at = 0; at < 400; at++)
			assert_int_equal(range_list_find(out.ranges, out.count, at)->subsystem,
					 truth[at]);
		for (size_t i = 1; i < out.count; i++) {
			assert_true(out.ranges[i - 1].start < out.ranges[i].start);
			assert_true(out.ranges[i - 1].subsystem != out.ranges[i].subsystem ||
				    out.ranges[i - 1].method != out.ranges[i].method);
		}
		range_list_clear(&base);
		range_list_clear(&out);
	}
}

/* Symbols from a word: n m k by prefix, N M K by whole name, '.' unknown, '|' a section mark.
 */
static int intervals(struct range_list *list, const char *word)
{
	struct text_symbol symbols[64];
	size_t count = 0;

	for (; word[count]; count++) {
		static const char letters[] = "?nmkNMK";
		const char *letter = strchr(letters + 1, word[count]);
		size_t index = letter ? (size_t)(letter - letters) : 0;
		symbols[count] = (struct text_symbol){
			.address = 100 + 10 * count,
			.subsystem = (uint16_t)(index > 3 ? index - 3 : index),
			.match = index == 0  ? KERNEL_NAME_UNKNOWN
				 : index > 3 ? KERNEL_NAME_WHOLE
					     : KERNEL_NAME_PREFIX,
			.section_mark = word[count] == '|',
		};
	}
	assert_int_equal(range_list_add(list, 0, CORE, KERNEL_MAP_CORE), 0);
	return text_intervals(list, symbols, count, CORE);
}

#define ASSERT_INTERVALS(word, ...)                                                            \
	do {                                                                                   \
		struct range_list list = {0};                                                  \
		assert_int_equal(intervals(&list, word), 0);                                   \
		ASSERT_RANGES(&list, {0, CORE, KERNEL_MAP_CORE}, __VA_ARGS__);                 \
		range_list_clear(&list);                                                       \
	} while (0)

static void test_intervals(void **state)
{
	(void)state;
	ASSERT_INTERVALS("..n...n..", {120, NET, KERNEL_MAP_INTERVAL},
			 {170, CORE, KERNEL_MAP_CORE});
	ASSERT_INTERVALS(".n..", {110, NET, KERNEL_MAP_PREFIX}, {120, CORE, KERNEL_MAP_CORE});
	ASSERT_INTERVALS("NNNMMM", {100, NET, KERNEL_MAP_INTERVAL},
			 {130, MM, KERNEL_MAP_INTERVAL});
	ASSERT_INTERVALS("NN..MM", {100, NET, KERNEL_MAP_INTERVAL},
			 {120, CORE, KERNEL_MAP_CORE}, {140, MM, KERNEL_MAP_INTERVAL});
	/* not across sections */
	ASSERT_INTERVALS("nn..|..nn|", {100, NET, KERNEL_MAP_INTERVAL},
			 {120, CORE, KERNEL_MAP_CORE}, {170, NET, KERNEL_MAP_INTERVAL},
			 {190, CORE, KERNEL_MAP_CORE});
}

static void test_strangers(void **state)
{
	(void)state;
	ASSERT_INTERVALS("nn.m.nn.", {100, NET, KERNEL_MAP_INTERVAL},
			 {170, CORE, KERNEL_MAP_CORE});
	ASSERT_INTERVALS("nnmmnn.", {100, NET, KERNEL_MAP_INTERVAL},
			 {160, CORE, KERNEL_MAP_CORE});
	/* strangers one after the other, and of several subsystems apart */
	ASSERT_INTERVALS("nnmnknmmn.", {100, NET, KERNEL_MAP_INTERVAL},
			 {190, CORE, KERNEL_MAP_CORE});
	/* three are no strangers, nor is one known by its whole name */
	ASSERT_INTERVALS("nnmmmnn", {100, NET, KERNEL_MAP_INTERVAL},
			 {120, MM, KERNEL_MAP_INTERVAL}, {150, NET, KERNEL_MAP_INTERVAL});
	ASSERT_INTERVALS("nnMnn", {100, NET, KERNEL_MAP_INTERVAL}, {120, MM, KERNEL_MAP_PREFIX},
			 {130, NET, KERNEL_MAP_INTERVAL});
	/* nor one between two sections, or where the neighbours differ */
	ASSERT_INTERVALS("nn|m|nn", {100, NET, KERNEL_MAP_INTERVAL},
			 {120, CORE, KERNEL_MAP_CORE}, {130, MM, KERNEL_MAP_PREFIX},
			 {140, CORE, KERNEL_MAP_CORE}, {150, NET, KERNEL_MAP_INTERVAL});
	ASSERT_INTERVALS("nnmkk", {100, NET, KERNEL_MAP_INTERVAL}, {120, MM, KERNEL_MAP_PREFIX},
			 {130, KVM, KERNEL_MAP_INTERVAL});
}

static void test_aliases(void **state)
{
	static const struct text_symbol symbols[] = {
		{100, NET, KERNEL_NAME_WHOLE, false}, {100, 0, KERNEL_NAME_UNKNOWN, false},
		{120, 0, KERNEL_NAME_UNKNOWN, false}, {130, MM, KERNEL_NAME_WHOLE, false},
		{130, KVM, KERNEL_NAME_WHOLE, false}, {140, 0, KERNEL_NAME_UNKNOWN, false},
	};
	struct range_list list = {0};

	(void)state;
	assert_int_equal(range_list_add(&list, 0, CORE, KERNEL_MAP_CORE), 0);
	assert_int_equal(text_intervals(&list, symbols, 6, CORE), 0);
	ASSERT_RANGES(&list, {0, CORE, KERNEL_MAP_CORE}, {100, NET, KERNEL_MAP_PREFIX},
		      {120, CORE, KERNEL_MAP_CORE}, {130, KVM, KERNEL_MAP_PREFIX},
		      {140, CORE, KERNEL_MAP_CORE});
	range_list_clear(&list);
}

static void test_module_text(void **state)
{
	static const struct module_symbol symbols[] = {
		{0xc0201010, NET},     {0xc0203f00, NET}, /* one area */
		{0xc0204020, MM},			  /* the page behind it */
		{0xc0300500, MM},			  /* .init.text elsewhere */
		{0xc0400010, KVM},     {0xc0400080, NET}, /* two JIT programs in a page */
		{UINT64_MAX - 8, KVM},
	};
	static const struct module_base bases[] = {
		{0xc0200000, NET}, {0, MM}, {0xc0200000, KVM}};
	struct range_patch *patches = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(module_text(&patches, &count, symbols, 7, bases, 3), 0);
	assert_int_equal(count, 5);
	assert_int_equal(patches[0].start, 0xc0200000);
	assert_int_equal(patches[0].end, 0xc0204000);
	assert_int_equal(patches[0].subsystem, NET);
	assert_int_equal(patches[1].start, 0xc0204000);
	assert_int_equal(patches[1].end, 0xc0205000);
	assert_int_equal(patches[2].start, 0xc0300000);
	assert_int_equal(patches[2].end, 0xc0301000);
	assert_int_equal(patches[2].subsystem, MM);
	assert_int_equal(patches[3].start, 0xc0400000);
	assert_int_equal(patches[3].end, 0xc0400080);
	assert_int_equal(patches[3].subsystem, KVM);
	assert_int_equal(patches[4].start, 0xc0400080);
	assert_int_equal(patches[4].end, 0xc0401000);
	free(patches);
	patches = NULL;
	count = 0;
	assert_int_equal(module_text(&patches, &count, NULL, 0, NULL, 0), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),	     cmocka_unit_test(test_patch),
		cmocka_unit_test(test_patch_random), cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_strangers),    cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_module_text),
	};

	return cmocka_run_group_tests_name("symbols: ranges", tests, NULL, NULL);
}
