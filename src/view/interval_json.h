/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_INTERVAL_JSON_H
#define KVMPERF_VIEW_INTERVAL_JSON_H

#include <stdio.h>

#include "measure/interval.h"

/*
 * Writes the interval as one line of JSON, schema kvmperf.interval/1 (../shared/design.md,
 * section 5). Figures that are not known are null. VMs that are not selected are in
 * host.processes_s, and in host.other_vms_s on their own. The threads must stand in the order
 * of their VMs, as they do in an interval (not in a sum of intervals). -ENOMEM, or -EIO when
 * the stream fails.
 */
int interval_write_json(FILE *stream, const struct interval *interval);

/* The same with another key at its end; the value is taken over. key NULL: none. */
struct json_t;
int interval_write_json_with(FILE *stream, const struct interval *interval, const char *key,
			     struct json_t *value);

#endif
