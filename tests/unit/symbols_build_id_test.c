/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/build_id.h"

static char root[] = "/tmp/kvmperf-build-id-XXXXXX";

static void write_file(const char *name, const void *bytes, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void test_notes(void **state)
{
	/* A note of another type first, whose name and text are padded. */
	static const uint8_t notes[] = {6,   0,	  0,   0,   3,	 0, 0, 0, 1, 1, 0, 0,
					'L', 'i', 'n', 'u', 'x', 0, 0, 0, 1, 2, 3, 0,
					4,   0,	  0,   0,   8,	 0, 0, 0, 3, 0, 0, 0,
					'G', 'N', 'U', 0,   9,	 8, 7, 6, 5, 4, 3, 2};
	struct build_id id;

	(void)state;
	write_file("kernel/notes", notes, sizeof(notes));
	build_id_of_kernel(root, &id);
	assert_int_equal(id.size, 8);
	assert_memory_equal(id.bytes, notes + sizeof(notes) - 8, 8);
	/* Cut off anywhere: none, and nothing read beyond the end. */
	for (size_t size = 0; size < sizeof(notes); size++) {
		write_file("kernel/notes", notes, size);
		build_id_of_kernel(root, &id);
		assert_int_equal(id.size, 0);
	}
	write_file("module/kvm/notes/.note.gnu.build-id", notes + 24, sizeof(notes) - 24);
	build_id_of_module(root, "kvm", &id);
	assert_int_equal(id.size, 8);
	build_id_of_module(root, "absent", &id);
	assert_int_equal(id.size, 0);
}

static void test_longer_than_any(void **state)
{
	uint8_t notes[16 + 64] = {4, 0, 0, 0, 64, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};
	struct build_id id;

	(void)state;
	write_file("kernel/notes", notes, sizeof(notes));
	build_id_of_kernel(root, &id);
	assert_int_equal(id.size, 0);
	memset(notes + 4, 0xff, 4);
	write_file("kernel/notes", notes, sizeof(notes));
	build_id_of_kernel(root, &id);
	assert_int_equal(id.size, 0);
}

static void test_files(void **state)
{
	struct build_id id;

	(void)state;
	/* This program: linked by Debian's gcc, which gives all programs an id. */
	build_id_of_file("/proc/self/exe", &id);
	assert_int_equal(id.size, 20);
	build_id_of_file("/nonexistent", &id);
	assert_int_equal(id.size, 0);
	build_id_of_file("/dev/zero", &id);
	assert_int_equal(id.size, 0);
	build_id_of_file(root, &id);
	assert_int_equal(id.size, 0);
	build_id_of_file("/etc/passwd", &id);
	assert_int_equal(id.size, 0);
}

static int make_root(void **state)
{
	static const char *const directories[] = {"kernel", "module", "module/kvm",
						  "module/kvm/notes"};
	char path[128];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, directories[i]);
		if (mkdir(path, 0700))
			return -1;
	}
	return 0;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_longer_than_any),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
