/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_PPROF_H
#define KVMPERF_VIEW_PPROF_H

#include <stdio.h>

#include "report/report.h"

/*
 * Writes the samples of a report as a profile of pprof, compressed: the stacks and counts that
 * folded_write() shows, in which each function has its module as its mapping. The outermost
 * frames, VM and mode, are also labels ("vm" or "process", "mode"). -ENOMEM; -EIO when the
 * stream fails.
 */
int pprof_write(FILE *stream, const struct report *report, const struct report_input *input);

#endif
