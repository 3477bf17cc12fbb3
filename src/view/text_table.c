/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/text_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct row {
	char *text; /* the cells one behind the other, each ended with 0 */
	enum text_style style;
};

struct text_table {
	const struct text_column *columns;
	size_t column_count;
	struct row *rows;
	size_t row_count, row_room;
	size_t *widths; /* widest cell or title */
};

/* Characters of a UTF-8 string; each is taken to be one column wide. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* The bytes of the first characters of text. */
static size_t prefix_bytes(const char *text, size_t characters)
{
	size_t bytes = 0;

	while (text[bytes]) {
		characters -= (text[bytes] & 0xc0) != 0x80;
		if (characters == (size_t)-1)
			break;
		bytes++;
	}
	return bytes;
}

struct text_table *text_table_new(const struct text_column *columns, size_t count)
{
	struct text_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->widths = calloc(count, sizeof(*table->widths));
	if (!table->widths) {
		free(table);
		return NULL;
	}
	table->columns = columns;
	table->column_count = count;
	for (size_t i = 0; i < count; i++)
		table->widths[i] = text_width(columns[i].title);
	return table;
}

int text_table_add(struct text_table *table, const char *const *cells, enum text_style style)
{
	size_t bytes = 0;
	char *text, *at;

	for (size_t i = 0; i < table->column_count; i++)
		bytes += (cells[i] ? strlen(cells[i]) : 0) + 1;
	if (array_reserve(&table->rows, &table->row_room, table->row_count + 1,
			  sizeof(struct row)))
		return -ENOMEM;
	text = malloc(bytes);
	if (!text)
		return -ENOMEM;
	at = text;
	for (size_t i = 0; i < table->column_count; i++) {
		size_t width;

		at = stpcpy(at, cells[i] ? cells[i] : "") + 1;
		width = cells[i] ? text_width(cells[i]) : 0;
		if (width > table->widths[i])
			table->widths[i] = width;
	}
	table->rows[table->row_count++] = (struct row){text, style};
	return 0;
}

static size_t total_width(const size_t *widths, size_t count, size_t gap)
{
	size_t total = count ? (count - 1) * gap : 0;

	for (size_t i = 0; i < count; i++)
		total += widths[i];
	return total;
}

/* Narrows the widest column that may be cut by one; false when there is none. */
static bool shrink_one(const struct text_table *table, size_t *widths)
{
	size_t widest = table->column_count;

	for (size_t i = 0; i < table->column_count; i++) {
		unsigned least = table->columns[i].shrink_to;

		if (least && widths[i] > least &&
		    (widest == table->column_count || widths[i] > widths[widest]))
			widest = i;
	}
	if (widest == table->column_count)
		return false;
	widths[widest]--;
	return true;
}

static void print_cell(const char *text, size_t width, enum text_align align, bool last,
		       FILE *out)
{
	size_t length = text_width(text);
	size_t blanks = length < width ? width - length : 0;

	if (align == TEXT_RIGHT)
		fprintf(out, "%*s", (int)blanks, "");
	if (length > width)
		fprintf(out, "%.*s~", (int)prefix_bytes(text, width - 1), text);
	else
		fputs(text, out);
	if (align == TEXT_LEFT && !last)
		fprintf(out, "%*s", (int)blanks, "");
}

/* Writes one line: the cells of a row, or without text the titles. */
static void print_row(const struct text_table *table, const size_t *widths, size_t gap,
		      const char *text, const char *style, FILE *out)
{
	fputs(style, out);
	for (size_t i = 0; i < table->column_count; i++) {
		const char *cell = text ? text : table->columns[i].title;
		bool last = i + 1 == table->column_count;

		/* the cells behind may all be empty: then the line ends here */
		if (text) {
			const char *rest = text + strlen(text) + 1;
			size_t empty = i + 1;

			while (empty < table->column_count && !*rest)
				rest++, empty++;
			last = empty == table->column_count;
		}
		print_cell(cell, widths[i], table->columns[i].align, last, out);
		if (last)
			break;
		fprintf(out, "%*s", (int)gap, "");
		if (text)
			text += strlen(text) + 1;
	}
	fputs(*style ? "\033[0m\n" : "\n", out);
}

void text_table_print(const struct text_table *table, const struct text_layout *layout,
		      FILE *out)
{
	static const char *const styles[] = {
		[TEXT_PLAIN] = "", [TEXT_BOLD] = "\033[1m", [TEXT_DIM] = "\033[2m"};
	size_t count = table->column_count, gap = 2;
	size_t widths[count ? count : 1];

	memcpy(widths, table->widths, count * sizeof(*widths));
	if (layout->width) {
		if (total_width(widths, count, gap) > layout->width)
			gap = 1;
		while (total_width(widths, count, gap) > layout->width &&
		       shrink_one(table, widths))
			;
	}
	print_row(table, widths, gap, NULL, layout->styles ? styles[TEXT_BOLD] : "", out);
	for (size_t i = 0; i < table->row_count; i++)
		print_row(table, widths, gap, table->rows[i].text,
			  layout->styles ? styles[table->rows[i].style] : "", out);
}

void text_table_free(struct text_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->row_count; i++)
		free(table->rows[i].text);
	free(table->rows);
	free(table->widths);
	free(table);
}
