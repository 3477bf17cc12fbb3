/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_EXISTING_TASKS_H
#define KVMPERF_RECORD_EXISTING_TASKS_H

#include "perf_data/writer.h"
#include "record/mapped_files.h"

/*
 * Records what already runs, as if it had been started and had mapped its files just now: FORK
 * and COMM for each thread, MMAP2 for each mapping with code of each process (perf's way, see
 * tools/perf/util/synthetic-events.c, __event__synthesize_thread). Mapped files are added to
 * the list. Tasks may end at any moment, and maps that can't be read (CAP_SYS_PTRACE) are left
 * out. between is called after each process with context. Errors: those of the writer, -errno
 * of /proc, -ENOMEM.
 */
int existing_tasks_record(struct perf_data_writer *writer, struct mapped_files *files,
			  void (*between)(void *context), void *context, struct error *error);

#endif
