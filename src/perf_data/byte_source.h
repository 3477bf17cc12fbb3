/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_BYTE_SOURCE_H
#define KVMPERF_PERF_DATA_BYTE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The most that can be asked for at one place: more than the largest record. */
#define BYTE_SOURCE_PIECE_MAX ((size_t)64 << 10)

/*
 * The bytes of a file from its beginning to its end, read piece by piece into a small buffer
 * that stays in the processor's cache. (A mapping has to be made and taken down page by page,
 * which costs more than copying the page, most of all in a virtual machine.)
 */
struct byte_source {
	const uint8_t *at; /* the next byte; the user reads from here */
	size_t available;  /* bytes that follow there */
	uint64_t offset;   /* of the next byte in the file */
	/* The rest is the source's own. */
	const char *name; /* of the file, for messages; borrowed */
	int fd;
	bool close_fd;
	bool regular;	    /* a file whose bytes can be read in any order */
	bool at_end;	    /* of what can be read */
	uint64_t file_size; /* of a regular file, when it was opened */
	uint8_t *buffer;
};

/*
 * Opens path; "-" is standard input. path must live as long as the source. Errors: -errno of
 * open(2); -ENOMEM.
 */
int byte_source_open(struct byte_source *source, const char *path, struct error *error);

/*
 * Makes count bytes (BYTE_SOURCE_PIECE_MAX at most) available at one place, or all that are
 * left when there are fewer. Pointers into the source become invalid. Errors: -errno of
 * read(2).
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

/* Goes on by any number of bytes; *ended: the file ends before. Errors: -errno of read(2). */
int byte_source_skip(struct byte_source *source, uint64_t count, bool *ended,
		     struct error *error);

/* Reads from another place of a regular file; *got is short at its end. */
int byte_source_read_at(const struct byte_source *source, uint64_t offset, void *to,
			size_t count, size_t *got, struct error *error);

/* Goes on at another place of a regular file. */
void byte_source_seek(struct byte_source *source, uint64_t offset);

void byte_source_close(struct byte_source *source);

#endif
