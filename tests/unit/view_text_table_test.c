/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/csv.h"
#include "view/text_table.h"

static const struct text_column columns[] = {
	{"NAME", TEXT_LEFT, 6},
	{"CPU", TEXT_RIGHT, 0},
	{"NOTE", TEXT_LEFT, 4},
};

static struct text_table *table_of(const char *const (*rows)[3], size_t count)
{
	struct text_table *table = text_table_new(columns, 3);

	assert_non_null(table);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(text_table_add(table, rows[i], i ? TEXT_PLAIN : TEXT_DIM), 0);
	return table;
}

static void assert_prints(const char *const (*rows)[3], size_t count, struct text_layout layout,
			  const char *expected)
{
	struct text_table *table = table_of(rows, count);
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	text_table_print(table, &layout, memory);
	fclose(memory);
	assert_string_equal(text, expected);
	free(text);
	text_table_free(table);
}

static void test_alignment(void **state)
{
	static const char *const rows[][3] = {{"web1", "12.5", "x"}, {"a", "3", NULL}};

	(void)state;
	assert_prints(rows, 2, (struct text_layout){0},
		      "NAME   CPU  NOTE\n"
		      "web1  12.5  x\n"
		      "a        3\n");
	assert_prints(rows, 0, (struct text_layout){0}, "NAME  CPU  NOTE\n");
}

static void test_cutting(void **state)
{
	static const char *const rows[][3] = {{"a-rather-long-name", "12.5", "remarks"}};

	(void)state;
	/* it fits with one blank between */
	assert_prints(rows, 1, (struct text_layout){.width = 31},
		      "NAME                CPU NOTE\n"
		      "a-rather-long-name 12.5 remarks\n");
	assert_prints(rows, 1, (struct text_layout){.width = 30},
		      "NAME               CPU NOTE\n"
		      "a-rather-long-na~ 12.5 remarks\n");
	/* both that may be cut are, down to their least */
	assert_prints(rows, 1, (struct text_layout){.width = 10},
		      "NAME    CPU NOTE\n"
		      "a-rat~ 12.5 rem~\n");
}

static void test_utf8_is_not_torn(void **state)
{
	static const char *const rows[][3] = {
		{"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4", "1", "n"}};

	(void)state;
	assert_prints(rows, 1, (struct text_layout){0},
		      "NAME     CPU  NOTE\n"
		      "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4    1  n\n");
	assert_prints(rows, 1, (struct text_layout){.width = 1},
		      "NAME   CPU NOTE\n"
		      "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6~   1 n\n");
}

static void test_styles_only_when_asked(void **state)
{
	static const char *const rows[][3] = {{"a", "1", "x"}, {"b", "2", "y"}};

	(void)state;
	assert_prints(rows, 2, (struct text_layout){.styles = true},
		      "\033[1mNAME  CPU  NOTE\033[0m\n"
		      "\033[2ma       1  x\033[0m\n"
		      "b       2  y\n");
}

static void test_cells_are_copied(void **state)
{
	struct text_table *table = text_table_new(columns, 3);
	char cell[] = "before";
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	(void)state;
	assert_int_equal(text_table_add(table, (const char *const[]){cell, "", ""}, TEXT_PLAIN),
			 0);
	strcpy(cell, "after!");
	text_table_print(table, &(struct text_layout){0}, memory);
	fclose(memory);
	assert_string_equal(text, "NAME    CPU  NOTE\nbefore\n");
	free(text);
	text_table_free(table);
}

static void test_csv(void **state)
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);
	struct csv csv = {.out = memory};

	(void)state;
	csv_text(&csv, "plain");
	csv_text(&csv, "a,b");
	csv_text(&csv, "say \"hi\"");
	csv_text(&csv, "two\nlines");
	csv_text(&csv, NULL);
	csv_text(&csv, "");
	csv_end(&csv);
	csv_integer(&csv, UINT64_MAX);
	csv_seconds(&csv, 0.25);
	csv_seconds(&csv, (double)__builtin_nanf(""));
	csv_text(&csv, "\r");
	csv_end(&csv);
	fclose(memory);
	assert_string_equal(text, "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,\n"
				  "18446744073709551615,0.250000000,,\"\r\"\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_cutting),
		cmocka_unit_test(test_utf8_is_not_torn),
		cmocka_unit_test(test_styles_only_when_asked),
		cmocka_unit_test(test_cells_are_copied),
		cmocka_unit_test(test_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
