/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_TEXT_TABLE_H
#define KVMPERF_VIEW_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A table of text in columns that are as wide as what stands in them. */
struct text_table;

enum text_align { TEXT_LEFT, TEXT_RIGHT };

struct text_column {
	const char *title;
	enum text_align align;
	/*
	 * 0: never cut. Else the column may be cut down to this width when the table is wider
	 * than it should be; a cut cell ends in '~'. The widest such column gives way first.
	 */
	unsigned shrink_to;
};

enum text_style { TEXT_PLAIN, TEXT_BOLD, TEXT_DIM };

struct text_layout {
	unsigned width; /* columns of the terminal; 0: no limit, nothing is cut */
	bool styles;	/* escape sequences for bold and dim: only on a terminal */
};

/* columns is borrowed and must live as long as the table. NULL without memory. */
struct text_table *text_table_new(const struct text_column *columns, size_t count);

/*
 * Adds a row: one string a column, copied; NULL is an empty cell. Returns 0 or -ENOMEM, after
 * which the table stays as it was.
 */
int text_table_add(struct text_table *table, const char *const *cells, enum text_style style);

/*
 * Writes titles (in bold) and rows, without blanks at line ends. Columns are two blanks apart,
 * or one when that saves cutting. A table that can't be made narrow enough is written wider.
 * Errors of the stream are left to the caller (ferror).
 */
void text_table_print(const struct text_table *table, const struct text_layout *layout,
		      FILE *out);

void text_table_free(struct text_table *table);

#endif
