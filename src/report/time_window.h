/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_TIME_WINDOW_H
#define KVMPERF_REPORT_TIME_WINDOW_H

#include <stdint.h>

#include "base/error.h"

/*
 * A stretch of a recording, as perf report --time takes it (tools/perf/util/time-utils.c):
 * "START,STOP" in seconds of the samples' clock, either of which may be left out, or "10%-20%"
 * of the time from first_ns to last_ns (last_ns 0: they are not known). *start and *stop get
 * ns, the stop not included. Errors: -EINVAL with what is wrong; -ENODATA for percent when the
 * recording doesn't tell its times.
 */
int time_window_parse(const char *text, uint64_t first_ns, uint64_t last_ns, uint64_t *start,
		      uint64_t *stop, struct error *error);

#endif
