/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_KERNEL_MAPPINGS_H
#define KVMPERF_RECORD_KERNEL_MAPPINGS_H

#include "perf_data/writer.h"
#include "record/mapped_files.h"

/*
 * Records where the kernel's text and its modules are, as perf does (util/synthetic-events.c,
 * perf_event__synthesize_kernel_mmap and _modules), and adds them to the files, with their
 * build ids. Errors: -EPERM where addresses are hidden (no CAP_SYSLOG), those of the writer.
 */
int kernel_mappings_record(struct perf_data_writer *writer, struct mapped_files *files,
			   struct error *error);

#endif
