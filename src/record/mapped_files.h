/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_MAPPED_FILES_H
#define KVMPERF_RECORD_MAPPED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "perf_data/section_bytes.h"
#include "symbols/build_id.h"

/* One file with code that was mapped while we recorded, or the kernel, or a module. */
struct mapped_file {
	char *name;
	bool kernel;
	struct build_id build_id;
};

/*
 * The files whose build ids go into the recording: all that were mapped, since to find those
 * that samples hit would need the recording to be read again.
 */
struct mapped_files {
	struct mapped_file *files; /* in rising order of name */
	size_t count, room;
};

/*
 * Adds the file that process pid maps under this name, unless it is there, and reads its build
 * id: from the process's root directory while the process lives, else from ours. Names that
 * are no paths ("[vdso]", "//anon") are left out. -ENOMEM.
 */
int mapped_files_add(struct mapped_files *files, pid_t pid, const char *name);

/* Adds the kernel or a module, with its build id. -ENOMEM. */
int mapped_files_add_kernel(struct mapped_files *files, const char *name,
			    const struct build_id *build_id);

/* PERF_FEATURE_BUILD_ID of those that have one. */
void mapped_files_put(const struct mapped_files *files, struct section_bytes *bytes);

void mapped_files_clear(struct mapped_files *files);

#endif
