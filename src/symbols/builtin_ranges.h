/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_BUILTIN_RANGES_H
#define KVMPERF_SYMBOLS_BUILTIN_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * modules.builtin.ranges: where the linker put the modules that are built in (since Linux 6.12,
 * CONFIG_BUILTIN_MODULE_RANGES; made by scripts/generate_builtin_ranges.awk). Offsets count
 * from the section's base, which the section's anchor symbol tells:
 *
 *	.text 00000000-00000000 = _text
 *	.text 00012ab0-00034cd0 kvm
 */
struct builtin_anchor {
	char section[64];
	char symbol[128];
	uint64_t offset;  /* of the symbol in the section */
	uint64_t address; /* to be filled in by the caller; 0: not known */
};

/* A code range. Several modules may share an object file: the first one named has it. */
struct builtin_range {
	uint64_t start; /* offset in the section */
	uint64_t end;
	size_t anchor; /* index of its section's anchor */
	char module[64];
};

struct builtin_ranges {
	struct builtin_anchor *anchors;
	size_t anchor_count;
	size_t anchor_room;
	struct builtin_range *ranges; /* in the order of the file */
	size_t range_count;
	size_t range_room;
};

/*
 * Reads the ranges of text sections; out is owned by the caller (builtin_ranges_clear). A file
 * that is not there is an empty list when optional. Errors: -ENOENT, -EBADMSG for a malformed
 * file, -ENOMEM.
 */
int builtin_ranges_read(struct builtin_ranges *out, const char *path, bool optional,
			struct error *error);

void builtin_ranges_clear(struct builtin_ranges *ranges);

#endif
