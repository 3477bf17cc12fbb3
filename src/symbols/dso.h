/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_DSO_H
#define KVMPERF_SYMBOLS_DSO_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Which shared object a user address of a process belongs to. */
struct dso_cache;

/* proc_root NULL: "/proc". NULL without memory. */
struct dso_cache *dso_cache_new(const char *proc_root);

/*
 * The basename of the file mapped at address in process pid ("qemu-system-x86_64",
 * "libc.so.6", "[vdso]", "[anon]" for mapped memory without a file, such as JIT code), or
 * "[unknown]" when the process had ended before its maps were read or maps nothing there. Reads
 * PROC_ROOT/<pid>/maps when the process is new or the address is not known yet (at most a few
 * times a second a process). The string is interned: valid, and the same pointer, until
 * dso_cache_free().
 */
const char *dso_lookup(struct dso_cache *cache, pid_t pid, uint64_t address);

/* Forgets a process that ended; a new one with the same pid is read anew. */
void dso_forget(struct dso_cache *cache, pid_t pid);

void dso_cache_free(struct dso_cache *cache);

#endif
