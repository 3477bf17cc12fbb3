/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/section_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/format.h"

/* tools/perf/util/header.h, NAME_ALIGN */
#define STRING_ALIGN 64

void section_put(struct section_bytes *bytes, const void *data, size_t size)
{
	if (bytes->failed || array_reserve(&bytes->data, &bytes->room, bytes->size + size, 1)) {
		bytes->failed = true;
		return;
	}
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void put_zeros(struct section_bytes *bytes, size_t size)
{
	static const char zeros[STRING_ALIGN];

	section_put(bytes, zeros, size);
}

void section_put_u32(struct section_bytes *bytes, uint32_t number)
{
	section_put(bytes, &number, sizeof(number));
}

void section_put_u64(struct section_bytes *bytes, uint64_t number)
{
	section_put(bytes, &number, sizeof(number));
}

void section_put_string(struct section_bytes *bytes, const char *text)
{
	size_t length = strlen(text) + 1;
	size_t padded = (length + STRING_ALIGN - 1) / STRING_ALIGN * STRING_ALIGN;

	section_put_u32(bytes, (uint32_t)padded);
	section_put(bytes, text, length);
	put_zeros(bytes, padded - length);
}

void section_put_build_id(struct section_bytes *bytes, int32_t pid, uint16_t cpumode,
			  const uint8_t *build_id, size_t size, const char *filename)
{
	size_t length = strlen(filename) + 1, padded = (length + 7) / 8 * 8;
	struct perf_data_build_id record = {
		.header.type = PERF_RECORD_HEADER_BUILD_ID,
		.header.misc = cpumode | PERF_DATA_MISC_BUILD_ID_SIZE,
		.header.size = (uint16_t)(sizeof(record) + padded),
		.pid = pid,
		.build_id_size = (uint8_t)size,
	};

	if (size > sizeof(record.build_id) || sizeof(record) + padded > UINT16_MAX)
		return;
	memcpy(record.build_id, build_id, size);
	section_put(bytes, &record, sizeof(record));
	section_put(bytes, filename, length);
	put_zeros(bytes, padded - length);
}

void section_bytes_clear(struct section_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct section_bytes){0};
}
