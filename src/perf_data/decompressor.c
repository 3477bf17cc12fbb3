/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/decompressor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "perf_data/bytes.h"
#include "perf_data/format.h"

/* Holds the largest record, and many of the usual ones. */
#define ROOM ((size_t)256 << 10)

struct decompressor {
	ZSTD_DStream *stream;
	const uint8_t *payload;
	size_t payload_size, payload_used;
	bool more_inside;  /* the stream holds output that found no room */
	size_t start, end; /* what of bytes is not used up yet */
	uint8_t bytes[ROOM];
};

struct decompressor *decompressor_new(void)
{
	struct decompressor *decompressor = calloc(1, sizeof(*decompressor));

	if (!decompressor)
		return NULL;
	decompressor->stream = ZSTD_createDStream();
	if (!decompressor->stream) {
		free(decompressor);
		return NULL;
	}
	return decompressor;
}

bool decompressor_feed(struct decompressor *decompressor, const uint8_t *payload, size_t size)
{
	if (decompressor->payload_used < decompressor->payload_size)
		return false;
	decompressor->payload = payload;
	decompressor->payload_size = size;
	decompressor->payload_used = 0;
	return true;
}

/* Decompresses as much as there is room for. Returns 0 or -EBADMSG. */
static int decompress(struct decompressor *decompressor)
{
	size_t held = decompressor->end - decompressor->start;
	ZSTD_inBuffer input = {decompressor->payload, decompressor->payload_size,
			       decompressor->payload_used};

	memmove(decompressor->bytes, decompressor->bytes + decompressor->start, held);
	decompressor->start = 0;
	ZSTD_outBuffer output = {decompressor->bytes, ROOM, held};
	size_t result = ZSTD_decompressStream(decompressor->stream, &output, &input);
	if (ZSTD_isError(result))
		return -EBADMSG;
	decompressor->more_inside = output.pos == output.size;
	/* No way on: neither input taken nor output made, though there is room for it. */
	if (input.pos == decompressor->payload_used && output.pos == held &&
	    input.pos < input.size)
		return -EBADMSG;
	decompressor->payload_used = input.pos;
	decompressor->end = output.pos;
	return 0;
}

int decompressor_next(struct decompressor *decompressor, const uint8_t **bytes, size_t *size)
{
	for (;;) {
		size_t held = decompressor->end - decompressor->start;
		const uint8_t *at = decompressor->bytes + decompressor->start;
		if (held >= sizeof(struct perf_data_record)) {
			uint16_t first = get16(at + offsetof(struct perf_data_record, size));
			if (first < sizeof(struct perf_data_record))
				return -EBADMSG;
			if (first <= held) {
				*bytes = at;
				*size = held;
				return 1;
			}
		}
		if (decompressor->payload_used == decompressor->payload_size &&
		    !decompressor->more_inside)
			return 0;
		int code = decompress(decompressor);
		if (code)
			return code;
	}
}

void decompressor_advance(struct decompressor *decompressor, size_t size)
{
	decompressor->start += size;
}

bool decompressor_holds_part(const struct decompressor *decompressor)
{
	return decompressor->end > decompressor->start;
}

void decompressor_free(struct decompressor *decompressor)
{
	if (!decompressor)
		return;
	ZSTD_freeDStream(decompressor->stream);
	free(decompressor);
}
