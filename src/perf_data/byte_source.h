/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_BYTE_SOURCE_H
#define KVMPERF_PERF_DATA_BYTE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The bytes of a file from its beginning to its end, in little memory: a regular file is mapped
 * window by window, anything else is read piece by piece.
 */
struct byte_source {
	const uint8_t *at; /* the next byte; the user reads from here */
	size_t available;  /* bytes that follow there */
	uint64_t offset;   /* of the next byte in the file */
	/* The rest is the source's own. */
	const char *name; /* of the file, for messages; borrowed */
	int fd;
	bool close_fd;
	bool mapped;
	bool at_end; /* of what can be read */
	uint64_t file_size;
	uint8_t *window; /* mapped, or a buffer */
	size_t window_size;
};

/*
 * Opens path; "-" is standard input. path must live as long as the source. Errors: -errno of
 * open(2), mmap(2).
 */
int byte_source_open(struct byte_source *source, const char *path, struct error *error);

/*
 * Makes count bytes (1 MiB at most) available at one place, or all that are left when there are
 * fewer. Pointers into the source become invalid. Errors: -errno of read(2) or mmap(2).
 */
int byte_source_fill(struct byte_source *source, size_t count, struct error *error);

/* The same, when they aren't available already. */
static inline int byte_source_need(struct byte_source *source, size_t count,
				   struct error *error)
{
	return source->available >= count ? 0 : byte_source_fill(source, count, error);
}

/* Goes on by count bytes that are available. */
static inline void byte_source_advance(struct byte_source *source, size_t count)
{
	source->at += count;
	source->available -= count;
	source->offset += count;
}

/* Goes on by any number of bytes. False: the file ends before. */
int byte_source_skip(struct byte_source *source, uint64_t count, bool *ended,
		     struct error *error);

/* Reads from another place of a regular file; *got is short at its end. */
int byte_source_read_at(const struct byte_source *source, uint64_t offset, void *to,
			size_t count, size_t *got, struct error *error);

/* Goes on at another place of a regular file. */
int byte_source_seek(struct byte_source *source, uint64_t offset, struct error *error);

void byte_source_close(struct byte_source *source);

#endif
