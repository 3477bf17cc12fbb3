/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_FOLDED_H
#define KVMPERF_VIEW_FOLDED_H

#include <stdio.h>

#include "report/report.h"

/*
 * Writes the samples of a report as folded stacks, one line each, for flame graph tools:
 * "VM;mode;module;function;...;function SAMPLES", the outermost function first, the module that
 * of the innermost. What is no VM's begins with "host processes;COMM", "host kernel;COMM" or
 * "idle". VMs that were not selected are left out. The part of a VM's guest time that was
 * corrected is as large a part of its guest samples, in a line
 * "VM;kernel;kvm/world-switch;...". -ENOMEM; -EIO when the stream fails.
 */
int folded_write(FILE *stream, const struct report *report, const struct report_input *input);

#endif
