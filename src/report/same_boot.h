/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SAME_BOOT_H
#define KVMPERF_REPORT_SAME_BOOT_H

#include <stdbool.h>

#include "perf_data/features.h"

/*
 * Was the recording at path made on this machine, by the kernel that runs now, at the addresses
 * that it has now? Then /proc/kallsyms tells its symbols. It was when host name and release are
 * the same and the kernel and all its modules stand where the first records say; false when
 * that can't be told.
 */
bool same_boot(const char *path, const struct perf_data_features *features);

#endif
