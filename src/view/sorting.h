/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_SORTING_H
#define KVMPERF_VIEW_SORTING_H

#include "measure/interval.h"

/* What VMs can be ordered by; ends with NULL. */
extern const char *const interval_sort_keys[];

/*
 * Brings the VMs of an interval into the order of a key: the largest first, but names in rising
 * order (NULL: by name). -ENOMEM leaves it as it was.
 */
int interval_sort(struct interval *interval, const char *key);

#endif
