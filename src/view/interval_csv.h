/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_INTERVAL_CSV_H
#define KVMPERF_VIEW_INTERVAL_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "measure/interval.h"
#include "view/grouping.h"

/*
 * Writes the interval as lines of CSV, one for each account, with the same columns in every
 * grouping's lines; header: the titles first. Times are seconds; an empty field is not known or
 * has no meaning for the account. The column total_s sums to capacity_s over the lines of an
 * interval. -EIO when the stream fails.
 */
int interval_write_csv(FILE *stream, const struct interval *interval, enum view_grouping by,
		       bool header);

#endif
