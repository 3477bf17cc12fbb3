/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Holds the largest piece asked for, and is read (or mapped and given back) in one go. */
#define WINDOW_SIZE ((size_t)4 << 20)

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
	source->mapped = S_ISREG(status.st_mode);
	if (source->mapped) {
		source->file_size = (uint64_t)status.st_size;
		return 0;
	}
	source->window = malloc(WINDOW_SIZE);
	source->window_size = WINDOW_SIZE;
	source->at = source->window;
	return source->window ? 0 : error_set(error, -ENOMEM, "no memory to read %s", path);
}

/* Maps the window that begins at the page of the next byte. */
static int map_window(struct byte_source *source, size_t count, struct error *error)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t start = source->offset / page * page;
	struct stat status;

	/* A file that was made shorter in the meantime must not be touched behind its end. */
	if (fstat(source->fd, &status) == 0 && (uint64_t)status.st_size < source->file_size)
		source->file_size = (uint64_t)status.st_size;
	if (source->window)
		munmap(source->window, source->window_size);
	source->window = NULL;
	source->available = 0;
	source->at = NULL;
	if (source->offset >= source->file_size) {
		source->at_end = true;
		return 0;
	}
	uint64_t want = source->offset - start + count;
	if (want < WINDOW_SIZE)
		want = WINDOW_SIZE;
	if (want >= source->file_size - start) {
		want = source->file_size - start;
		source->at_end = true;
	}
	void *window = mmap(NULL, (size_t)want, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
			    source->fd, (off_t)start);
	if (window == MAP_FAILED)
		return error_set(error, -errno, "cannot map %s: %m", source->name);
	source->window = window;
	source->window_size = (size_t)want;
	source->at = source->window + (source->offset - start);
	source->available = (size_t)(start + want - source->offset);
	return 0;
}

static int read_more(struct byte_source *source, size_t count, struct error *error)
{
	if (source->available)
		memmove(source->window, source->at, source->available);
	source->at = source->window;
	while (source->available < count && !source->at_end) {
		ssize_t got = read(source->fd, source->window + source->available,
				   source->window_size - source->available);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, -errno, "cannot read %s: %m", source->name);
		source->available += (size_t)got;
		source->at_end = got == 0;
	}
	return 0;
}

int byte_source_fill(struct byte_source *source, size_t count, struct error *error)
{
	if (source->available >= count || source->at_end)
		return 0;
	return source->mapped ? map_window(source, count, error)
			      : read_more(source, count, error);
}

int byte_source_skip(struct byte_source *source, uint64_t count, bool *ended,
		     struct error *error)
{
	*ended = false;
	if (count <= source->available) {
		byte_source_advance(source, (size_t)count);
		return 0;
	}
	if (source->mapped) {
		uint64_t left = source->file_size > source->offset
					? source->file_size - source->offset
					: 0;
		if (count > left) {
			*ended = true;
			count = left;
		}
		return byte_source_seek(source, source->offset + count, error);
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

int byte_source_seek(struct byte_source *source, uint64_t offset, struct error *error)
{
	source->offset = offset;
	source->available = 0;
	source->at_end = false;
	return map_window(source, 1, error);
}

void byte_source_close(struct byte_source *source)
{
	if (source->mapped && source->window)
		munmap(source->window, source->window_size);
	else if (!source->mapped)
		free(source->window);
	if (source->close_fd)
		close(source->fd);
	*source = (struct byte_source){.fd = -1};
}
