/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any file and any pipe gives its bytes, in pieces of any size, up to its end. */
#include <pthread.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "perf_data/byte_source.h"

#define SIZE 1500007

static uint8_t bytes[SIZE];

static int file_of(size_t size)
{
	int fd = memfd_create("bytes", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static void open_fd(struct byte_source *source, char *path, size_t room, int fd)
{
	snprintf(path, room, "/proc/self/fd/%d", fd);
	assert_int_equal(byte_source_open(source, path, NULL), 0);
}

/* Reads and skips at random until nothing is left; each piece has to be the file's. */
static void read_all(struct byte_source *source, uint64_t seed)
{
	uint64_t state = seed, at = source->offset;

	for (bool ended = false; !ended;) {
		size_t want = 1 + (size_t)(random_next(&state) % BYTE_SOURCE_PIECE_MAX);
		assert_int_equal(byte_source_need(source, want, NULL), 0);
		assert_int_equal(source->offset, at);
		if (source->available < want)
			assert_int_equal(at + source->available, SIZE);
		size_t piece = source->available < want ? source->available : want;
		assert_memory_equal(source->at, bytes + at, piece);
		byte_source_advance(source, piece);
		at += piece;
		uint64_t skip = random_next(&state) % 3 ? 0 : random_next(&state) % 400000;
		assert_int_equal(byte_source_skip(source, skip, &ended, NULL), 0);
		at = at + skip < SIZE ? at + skip : SIZE;
		ended |= at == SIZE;
	}
}

static void test_file(void **state)
{
	struct byte_source source;
	char path[32];
	int fd = file_of(SIZE);

	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++) {
		open_fd(&source, path, sizeof(path), fd);
		read_all(&source, seed);
		byte_source_seek(&source, seed * 1000);
		read_all(&source, seed + 100);
		byte_source_close(&source);
	}
	close(fd);
}

static void *write_all(void *context)
{
	int fd = *(const int *)context;

	for (size_t at = 0; at < SIZE;) {
		ssize_t done = write(fd, bytes + at, SIZE - at < 7777 ? SIZE - at : 7777);
		if (done < 0)
			break;
		at += (size_t)done;
	}
	close(fd);
	return NULL;
}

static void test_pipe(void **state)
{
	struct byte_source source;
	char path[32];
	int fds[2];
	pthread_t writer;

	(void)state;
	for (uint64_t seed = 1; seed < 5; seed++) {
		assert_int_equal(pipe(fds), 0);
		assert_int_equal(pthread_create(&writer, NULL, write_all, &fds[1]), 0);
		open_fd(&source, path, sizeof(path), fds[0]);
		close(fds[0]);
		read_all(&source, seed);
		byte_source_close(&source);
		pthread_join(writer, NULL);
	}
}

/* A file that was made shorter ends where it ends now; one that grew, where it ended. */
static void test_size_changes(void **state)
{
	struct byte_source source;
	char path[32];
	int fd = file_of(SIZE);

	(void)state;
	open_fd(&source, path, sizeof(path), fd);
	assert_int_equal(byte_source_need(&source, 100, NULL), 0);
	assert_int_equal(ftruncate(fd, 900000), 0);
	bool ended;
	assert_int_equal(byte_source_skip(&source, 899990, &ended, NULL), 0);
	assert_int_equal(byte_source_need(&source, 100, NULL), 0);
	assert_int_equal(source.available, 10);
	byte_source_close(&source);
	open_fd(&source, path, sizeof(path), fd);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(byte_source_skip(&source, 899990, &ended, NULL), 0);
	assert_int_equal(byte_source_need(&source, 100, NULL), 0);
	assert_int_equal(source.available, 10);
	byte_source_close(&source);
	close(fd);
}

static int fill(void **state)
{
	uint64_t random = 42;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)random_next(&random);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_size_changes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, fill, NULL);
}
