/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_BUILD_ID_H
#define KVMPERF_SYMBOLS_BUILD_ID_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 20

/* What the linker puts into a program, a library or a kernel to tell it from all others. */
struct build_id {
	uint8_t bytes[BUILD_ID_MAX];
	size_t size; /* 0: none */
};

/*
 * The build id of an ELF file, from its notes (NT_GNU_BUILD_ID). A file that can't be read, is
 * no ELF file or has no id gets size 0. Regular files only.
 */
void build_id_of_file(const char *path, struct build_id *out);

/* The same of a file that is open already. */
void build_id_of_elf(Elf *elf, struct build_id *out);

/* That of the running kernel, from SYS_ROOT/kernel/notes. sys_root NULL: "/sys". */
void build_id_of_kernel(const char *sys_root, struct build_id *out);

/* That of a loaded module, from SYS_ROOT/module/NAME/notes. */
void build_id_of_module(const char *sys_root, const char *name, struct build_id *out);

#endif
