/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "perf_data/section_bytes.h"
#include "perf_data/writer.h"

static char path[] = "/tmp/kvmperf-writer-XXXXXX";
static const uint64_t ids[] = {11, 22};

static struct perf_event_attr attribute(void)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.type = PERF_TYPE_SOFTWARE,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			       PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_IDENTIFIER,
	};
}

static struct perf_data_writer *open_writer(int *fd, bool pipe)
{
	struct perf_event_attr attr = attribute();
	struct perf_data_writer *writer;

	*fd = open(path, O_RDWR | O_TRUNC);
	assert_true(*fd >= 0);
	struct perf_data_target target = {.fd = *fd, .name = path, .pipe = pipe};
	assert_int_equal(
		perf_data_writer_new(&writer, &target, &attr, ids, 2, "cpu-clock", NULL), 0);
	return writer;
}

static char *content(int fd, size_t *size)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	*size = (size_t)status.st_size;
	char *bytes = malloc(*size + 1);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *size, 0), *size);
	return bytes;
}

static struct perf_data_header header_of(const char *bytes)
{
	struct perf_data_header header;

	memcpy(&header, bytes, sizeof(header));
	return header;
}

/* The numbers of a record of the kernel's as it lies in a ring: 8 bytes of header, 16 more. */
static const char ring_record[24] = {9, 0, 0, 0, 2, 0, 24, 0, 'r', 'i', 'n', 'g'};

static void test_file(void **state)
{
	struct perf_event_attr attr = attribute();
	const char text[] = "comm";
	int fd;
	size_t size;

	(void)state;
	struct perf_data_writer *writer = open_writer(&fd, false);
	assert_int_equal(perf_data_write_record(writer, 3, 0x2000, text, 5, true, NULL), 0);
	/* A record that lies around the end of its ring. */
	struct iovec parts[] = {{(void *)ring_record, 16}, {(void *)(ring_record + 16), 8}};
	assert_int_equal(perf_data_write_records(writer, parts, 2, NULL), 0);
	assert_int_equal(perf_data_writer_flush(writer, NULL), 0);

	char *bytes = content(fd, &size);
	struct perf_data_header header = header_of(bytes);
	assert_memory_equal(bytes, "PERFILE2", 8);
	assert_int_equal(header.size, 104);
	assert_int_equal(header.attr_size, sizeof(attr) + 16);
	assert_int_equal(header.attrs.size, header.attr_size);
	assert_memory_equal(bytes + header.attrs.offset, &attr, sizeof(attr));
	struct perf_data_section section;
	memcpy(&section, bytes + header.attrs.offset + sizeof(attr), sizeof(section));
	assert_int_equal(section.size, sizeof(ids));
	assert_memory_equal(bytes + section.offset, ids, sizeof(ids));
	assert_int_equal(header.features[0] | header.features[3], 0);
	/* Header, text padded to 8, then tid, time, cpu and identifier, all 0. */
	assert_int_equal(header.data.size, 8 + 8 + 4 * 8 + 24);
	assert_int_equal(header.data.offset + header.data.size, size);
	const char *data = bytes + header.data.offset;
	assert_memory_equal(data, ((char[]){3, 0, 0, 0, 0, 0x20, 48, 0}), 8);
	assert_string_equal(data + 8, "comm");
	for (size_t i = 12; i < 48; i++)
		assert_int_equal(data[i], 0);
	assert_memory_equal(data + 48, ring_record, sizeof(ring_record));
	free(bytes);
	assert_int_equal(perf_data_writer_size(writer), size);
	perf_data_writer_free(writer);
	close(fd);
}

static void test_features(void **state)
{
	struct section_bytes name = {0};
	int fd;
	size_t size;

	(void)state;
	struct perf_data_writer *writer = open_writer(&fd, false);
	struct iovec part = {(void *)ring_record, sizeof(ring_record)};
	assert_int_equal(perf_data_write_records(writer, &part, 1, NULL), 0);
	section_put_string(&name, "host");
	section_put_u64(&name, 7);
	assert_false(name.failed);
	struct perf_data_feature_section sections[] = {
		{PERF_FEATURE_HOSTNAME, name.data, name.size},
		{PERF_FEATURE_KVMPERF, "{}", 2},
	};
	assert_int_equal(perf_data_writer_finish(writer, sections, 2, NULL), 0);

	char *bytes = content(fd, &size);
	struct perf_data_header header = header_of(bytes);
	assert_int_equal(header.data.size, sizeof(ring_record));
	assert_int_equal(header.features[0], 1 << 3);
	assert_true(header.features[3] == 1ULL << 63);
	struct perf_data_section table[2];
	memcpy(table, bytes + header.data.offset + header.data.size, sizeof(table));
	/* A string counts its padding to 64. */
	assert_int_equal(table[0].size, 4 + 64 + 8);
	assert_memory_equal(bytes + table[0].offset, "\x40\0\0\0host\0", 9);
	assert_int_equal(table[1].offset, table[0].offset + table[0].size);
	assert_int_equal(table[1].size, 2);
	assert_memory_equal(bytes + table[1].offset, "{}", 2);
	assert_int_equal(table[1].offset + 2, size);
	free(bytes);
	section_bytes_clear(&name);
	perf_data_writer_free(writer);
	close(fd);
}

static void test_build_id(void **state)
{
	const uint8_t id[20] = {1, 2, 3};
	struct section_bytes bytes = {0};
	struct perf_data_build_id record;

	(void)state;
	section_put_build_id(&bytes, -1, 2, id, 16, "/lib/a");
	memcpy(&record, bytes.data, sizeof(record));
	assert_int_equal(record.header.size, sizeof(record) + 8);
	assert_int_equal(record.header.size, bytes.size);
	assert_int_equal(record.header.misc, 2 | PERF_DATA_MISC_BUILD_ID_SIZE);
	assert_int_equal(record.pid, -1);
	assert_int_equal(record.build_id_size, 16);
	assert_memory_equal(record.build_id, id, 16);
	assert_string_equal(bytes.data + sizeof(record), "/lib/a");
	/* One that is none is left out. */
	size_t before = bytes.size;
	section_put_build_id(&bytes, -1, 2, id, 21, "/lib/a");
	assert_int_equal(bytes.size, before);
	section_bytes_clear(&bytes);
}

static void test_recording_text(void **state)
{
	const size_t length = 100000;
	char *text = malloc(length), *together = malloc(length);
	int fd;
	size_t size, got = 0;

	(void)state;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + i % 23);
	struct perf_data_writer *writer = open_writer(&fd, false);
	assert_int_equal(perf_data_write_recording(writer, text, length, NULL), 0);
	assert_int_equal(perf_data_writer_flush(writer, NULL), 0);
	char *bytes = content(fd, &size);
	struct perf_data_header header = header_of(bytes);
	uint32_t number = 0;
	for (size_t at = header.data.offset; at < size; number++) {
		struct perf_data_recording_part part;
		memcpy(&part, bytes + at, sizeof(part));
		assert_int_equal(part.header.type, PERF_RECORD_EVENT_UPDATE);
		assert_int_equal(part.header.size % 8, 0);
		assert_true(part.type == PERF_DATA_UPDATE_KVMPERF);
		assert_int_equal(part.id, 11);
		assert_int_equal(part.part, number);
		assert_int_equal(part.parts, 4);
		memcpy(together + got, bytes + at + sizeof(part), part.size);
		got += part.size;
		at += part.header.size;
	}
	assert_int_equal(number, 4);
	assert_int_equal(got, length);
	assert_memory_equal(text, together, length);
	free(bytes);
	free(text);
	free(together);
	perf_data_writer_free(writer);
	close(fd);
}

static void test_pipe(void **state)
{
	struct perf_event_attr attr = attribute();
	int fd;
	size_t size;

	(void)state;
	struct perf_data_writer *writer = open_writer(&fd, true);
	struct iovec part = {(void *)ring_record, sizeof(ring_record)};
	assert_int_equal(perf_data_write_records(writer, &part, 1, NULL), 0);
	struct perf_data_feature_section section = {PERF_FEATURE_KVMPERF, "{}", 2};
	assert_int_equal(perf_data_writer_finish(writer, &section, 1, NULL), 0);
	char *bytes = content(fd, &size);
	assert_memory_equal(bytes, "PERFILE2\x10\0\0\0\0\0\0\0", 16);
	struct perf_data_record record;
	memcpy(&record, bytes + 16, sizeof(record));
	assert_int_equal(record.type, PERF_RECORD_HEADER_ATTR);
	assert_int_equal(record.size, 8 + sizeof(attr) + sizeof(ids));
	assert_memory_equal(bytes + 24, &attr, sizeof(attr));
	assert_memory_equal(bytes + 24 + sizeof(attr), ids, sizeof(ids));
	struct perf_data_event_update update;
	size_t at = 16 + record.size;
	memcpy(&update, bytes + at, sizeof(update));
	assert_int_equal(update.header.type, PERF_RECORD_EVENT_UPDATE);
	assert_int_equal(update.type, PERF_DATA_UPDATE_NAME);
	assert_string_equal(bytes + at + sizeof(update), "cpu-clock");
	/* No sections: the records are all that follows. */
	at += update.header.size;
	assert_int_equal(size, at + sizeof(ring_record));
	assert_memory_equal(bytes + at, ring_record, sizeof(ring_record));
	free(bytes);
	perf_data_writer_free(writer);
	close(fd);
}

static void test_record_too_long(void **state)
{
	static char body[70000];
	int fd;

	(void)state;
	struct perf_data_writer *writer = open_writer(&fd, false);
	assert_int_equal(perf_data_write_record(writer, 10, 0, body, sizeof(body), true, NULL),
			 -EMSGSIZE);
	assert_int_equal(
		perf_data_write_record(writer, 10, 0, body, 65535 - 40 - 7, true, NULL), 0);
	perf_data_writer_free(writer);
	close(fd);
}

/* The file may not grow any more in the middle of the records: what was whole before stays. */
static void test_no_room(void **state)
{
	static char many[64 * sizeof(ring_record)];
	struct error error = {0};
	struct rlimit before, limit;
	int fd;
	size_t size;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		memcpy(many + i * sizeof(ring_record), ring_record, sizeof(ring_record));
	struct perf_data_writer *writer = open_writer(&fd, false);
	struct iovec part = {many, sizeof(many)};
	assert_int_equal(perf_data_write_records(writer, &part, 1, NULL), 0);
	uint64_t end = perf_data_writer_size(writer);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = end + 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(perf_data_write_records(writer, &part, 1, &error), -EFBIG);
	assert_non_null(strstr(error.message, path));
	/* A section that fits, then one that doesn't. */
	static char long_section[4096];
	struct perf_data_feature_section sections[] = {
		{PERF_FEATURE_CPUDESC, "abcd", 4}, {PERF_FEATURE_KVMPERF, long_section, 4096}};
	assert_int_equal(perf_data_writer_finish(writer, sections, 2, &error), -EFBIG);
	char *bytes = content(fd, &size);
	struct perf_data_header header = header_of(bytes);
	assert_int_equal(header.data.size, sizeof(many));
	assert_int_equal(size, end);
	assert_int_equal(header.features[0] | header.features[3], 0);
	free(bytes);
	assert_int_equal(perf_data_writer_finish(writer, sections, 1, &error), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	bytes = content(fd, &size);
	header = header_of(bytes);
	assert_int_equal(header.data.size, sizeof(many));
	assert_int_equal(header.features[0], 1 << PERF_FEATURE_CPUDESC);
	assert_int_equal(size, end + 16 + 4);
	free(bytes);
	perf_data_writer_free(writer);
	close(fd);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),	 cmocka_unit_test(test_features),
		cmocka_unit_test(test_build_id), cmocka_unit_test(test_recording_text),
		cmocka_unit_test(test_pipe),	 cmocka_unit_test(test_record_too_long),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
