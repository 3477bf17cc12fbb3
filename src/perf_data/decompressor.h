/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_DECOMPRESSOR_H
#define KVMPERF_PERF_DATA_DECOMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The records inside of PERF_RECORD_COMPRESSED records. Their payloads are one zstd stream
 * (tools/perf/util/zstd.c), and a record in it may begin in one and end in the next.
 */
struct decompressor;

/* NULL without memory. */
struct decompressor *decompressor_new(void);

/*
 * Takes a compressed payload, which must stay valid until the next call or until no record is
 * left. False: the last one was not used up.
 */
bool decompressor_feed(struct decompressor *decompressor, const uint8_t *payload, size_t size);

/*
 * Finds the next whole record: 1, with it and what follows at *bytes, *size bytes in all, valid
 * until the next call; 0 when the payload has no more; -EBADMSG for a broken stream or record.
 */
int decompressor_next(struct decompressor *decompressor, const uint8_t **bytes, size_t *size);

/* Goes on by so many of the bytes that decompressor_next() found. */
void decompressor_advance(struct decompressor *decompressor, size_t size);

/* Is there the beginning of a record whose end never came? */
bool decompressor_holds_part(const struct decompressor *decompressor);

void decompressor_free(struct decompressor *decompressor);

#endif
