/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_FILE_SYMBOLS_H
#define KVMPERF_SYMBOLS_FILE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/build_id.h"

/*
 * The functions of programs and libraries, out of their ELF files: the file itself, its debug
 * file in /usr/lib/debug/.build-id, or perf's cache (~/.debug).
 */
struct file_symbols;

/*
 * trust_paths: a file of which no build id is known is taken for the one that stands at its
 * path now. NULL without memory.
 */
struct file_symbols *file_symbols_new(bool trust_paths);

/*
 * The function at an offset of the file of this path and build id, or NULL: a file that is not
 * here, is another one now, or has no symbol there. Valid until file_symbols_free().
 */
const char *file_symbols_find(struct file_symbols *files, const char *path,
			      const struct build_id *build_id, uint64_t offset);

/* NULL is allowed. */
void file_symbols_free(struct file_symbols *files);

#endif
