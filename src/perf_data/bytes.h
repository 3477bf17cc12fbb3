/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_BYTES_H
#define KVMPERF_PERF_DATA_BYTES_H

#include <stdint.h>
#include <string.h>

/* Numbers out of bytes that may stand anywhere; little-endian, as this machine is. */
static inline uint16_t get16(const void *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static inline uint32_t get32(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static inline uint64_t get64(const void *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "perf.data is read as it stands");

#endif
