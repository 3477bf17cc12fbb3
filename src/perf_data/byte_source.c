/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read in one go: large enough to make few calls, small enough for the second-level cache. */
#define READ_SIZE ((size_t)256 << 10)

/* Of the memory that is read into: a page. */
#define READ_ALIGN 4096

int byte_source_open(struct byte_source *source, const char *path, struct error *error)
{
	struct stat status;

	*source = (struct byte_source){.name = path, .fd = STDIN_FILENO};
	if (strcmp(path, "-") == 0) {
		source->name = "standard input";
	} else {
		source->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (source->fd < 0)
			return error_set(error, -errno, "cannot open %s: %m", path);
		source->close_fd = true;
	}
	if (fstat(source->fd, &status))
		return error_set(error, -errno, "cannot read %s: %m", source->name);
	if (S_ISDIR(status.st_mode))
		return error_set(error, -EISDIR,
				 "%s is a directory: recordings of perf record --threads are "
				 "not supported; name one file in it",
				 source->name);
	source->regular = S_ISREG(status.st_mode);
	if (source->regular)
		source->file_size = (uint64_t)status.st_size;
	/* What is left of one read stands in front of where the next one goes to. */
	source->buffer = aligned_alloc(READ_ALIGN, BYTE_SOURCE_PIECE_MAX + READ_SIZE);
	source->at = source->buffer;
	return source->buffer ? 0 : error_set(error, -ENOMEM, "no memory to read %s", path);
}

/* Reads what comes behind the available bytes; -1 and errno as read(2). */
static ssize_t read_on(const struct byte_source *source, uint8_t *to, size_t room)
{
	uint64_t end = source->offset + source->available;

	if (!source->regular)
		return read(source->fd, to, room);
	/* What is written behind the end in the meantime is of no interest. */
	if (end >= source->file_size)
		return 0;
	if (room > source->file_size - end)
		room = (size_t)(source->file_size - end);
	return pread(source->fd, to, room, (off_t)end);
}

int byte_source_fill(struct byte_source *source, size_t count, struct error *error)
{
	uint8_t *to = source->buffer + BYTE_SOURCE_PIECE_MAX;
	size_t room = READ_SIZE;

	if (source->available >= count || source->at_end)
		return 0;
	/* Reads into aligned memory: copying to elsewhere takes half as long again. */
	if (source->available)
		memmove(to - source->available, source->at, source->available);
	source->at = to - source->available;
	while (source->available < count && !source->at_end) {
		ssize_t got = read_on(source, to, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, -errno, "cannot read %s: %m", source->name);
		source->available += (size_t)got;
		source->at_end = got == 0;
		to += got;
		room -= (size_t)got;
	}
	return 0;
}

int byte_source_skip(struct byte_source *source, uint64_t count, bool *ended,
		     struct error *error)
{
	*ended = false;
	if (count <= source->available) {
		byte_source_advance(source, (size_t)count);
		return 0;
	}
	if (source->regular) {
		uint64_t left = source->file_size > source->offset
					? source->file_size - source->offset
					: 0;
		if (count > left) {
			*ended = true;
			count = left;
		}
		byte_source_seek(source, source->offset + count);
		return 0;
	}
	while (count) {
		int code = byte_source_need(source, 1, error);
		if (code)
			return code;
		if (source->available == 0) {
			*ended = true;
			return 0;
		}
		size_t step = count < source->available ? (size_t)count : source->available;
		byte_source_advance(source, step);
		count -= step;
	}
	return 0;
}

int byte_source_read_at(const struct byte_source *source, uint64_t offset, void *to,
			size_t count, size_t *got, struct error *error)
{
	*got = 0;
	while (*got < count && offset + *got < source->file_size) {
		ssize_t more = pread(source->fd, (uint8_t *)to + *got, count - *got,
				     (off_t)(offset + *got));
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return error_set(error, -errno, "cannot read %s: %m", source->name);
		if (more == 0)
			break;
		*got += (size_t)more;
	}
	return 0;
}

void byte_source_seek(struct byte_source *source, uint64_t offset)
{
	source->offset = offset;
	source->available = 0;
	source->at_end = false;
}

void byte_source_close(struct byte_source *source)
{
	free(source->buffer);
	if (source->close_fd)
		close(source->fd);
	*source = (struct byte_source){.fd = -1};
}
