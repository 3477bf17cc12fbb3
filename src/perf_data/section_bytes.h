/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_SECTION_BYTES_H
#define KVMPERF_PERF_DATA_SECTION_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes put one behind the other: the content of a feature section. */
struct section_bytes {
	char *data; /* owned: section_bytes_clear() */
	size_t size, room;
	bool failed; /* there was no memory; nothing is put any more */
};

void section_put(struct section_bytes *bytes, const void *data, size_t size);
void section_put_u32(struct section_bytes *bytes, uint32_t number);
void section_put_u64(struct section_bytes *bytes, uint64_t number);

/* struct perf_data_string, padded with zeros as perf does (NAME_ALIGN). */
void section_put_string(struct section_bytes *bytes, const char *text);

/*
 * A struct perf_data_build_id; pid -1: the host. cpumode: PERF_RECORD_MISC_KERNEL or _USER.
 * size is that of the id, at most 20 bytes.
 */
void section_put_build_id(struct section_bytes *bytes, int32_t pid, uint16_t cpumode,
			  const uint8_t *build_id, size_t size, const char *filename);

void section_bytes_clear(struct section_bytes *bytes);

#endif
