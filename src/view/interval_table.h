/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_INTERVAL_TABLE_H
#define KVMPERF_VIEW_INTERVAL_TABLE_H

#include <stdio.h>

#include "measure/interval.h"
#include "view/grouping.h"
#include "view/text_table.h"

/*
 * Writes the interval as a table for people: percent of one CPU, with the sum against the
 * capacity as the last row. On a terminal it keeps to the terminal's width and uses bold and
 * dim, but for NO_COLOR. By module a second table tells who makes the shared modules busy.
 * title (NULL: the time of day) stands in the line above the table. -ENOMEM; -EIO when the
 * stream fails.
 */
int interval_write_table(FILE *stream, const struct interval *interval, enum view_grouping by,
			 const char *title);

/* The layout for a stream, and the lines above and below the table: for other tables too. */
struct text_layout interval_table_layout(FILE *stream);
void interval_table_title(FILE *stream, const struct interval *interval, const char *title,
			  unsigned width);
void interval_table_footer(FILE *stream, const struct interval *interval);

#endif
