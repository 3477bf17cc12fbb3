/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_SHARED_TABLE_H
#define KVMPERF_VIEW_SHARED_TABLE_H

#include <stdio.h>

#include "measure/interval.h"
#include "view/text_table.h"

/*
 * Writes who makes the shared modules busy: a row for each module (or subsystem) with shared
 * work, the largest first: all of it, what no VM owns, and the VMs' parts, the largest first;
 * percent of one CPU. VMs that were not selected stand together as "other VMs". Nothing is
 * written when there was no shared work. -ENOMEM.
 */
int shared_table_write(FILE *stream, const struct interval *interval,
		       const struct text_layout *layout);

#endif
