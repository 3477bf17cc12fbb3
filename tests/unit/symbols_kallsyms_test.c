/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/kallsyms.h"

static char path[] = "/tmp/kvmperf-kallsyms-XXXXXX";

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_text(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

struct seen {
	size_t count;
	size_t stop_at; /* 0: never */
	uint64_t address;
	char type;
	char name[64];
	char module[64];
	size_t longest;
};

static int note(void *data, const struct kallsyms_symbol *symbol)
{
	struct seen *seen = data;

	seen->count++;
	seen->address = symbol->address;
	seen->type = symbol->type;
	snprintf(seen->name, sizeof(seen->name), "%.*s", (int)symbol->name_length,
		 symbol->name);
	snprintf(seen->module, sizeof(seen->module), "%.*s", (int)symbol->module_length,
		 symbol->module);
	if (symbol->name_length > seen->longest)
		seen->longest = symbol->name_length;
	return seen->count == seen->stop_at ? 7 : 0;
}

static int read_text(const char *text, struct seen *seen, struct error *error)
{
	write_text(text, strlen(text));
	*seen = (struct seen){.stop_at = seen->stop_at};
	return kallsyms_read(path, note, seen, error);
}

static void test_forms(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_int_equal(read_text("ffffffff81000010 T _stext\n", &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.address, 0xffffffff81000010);
	assert_int_equal(seen.type, 'T');
	assert_string_equal(seen.name, "_stext");
	assert_string_equal(seen.module, "");
	assert_int_equal(read_text("0000000000000000 A fixed_percpu_data\n"
				   "ffffffffc0206a00 t kvm_vcpu_ioctl\t[kvm]\n",
				   &seen, NULL),
			 0);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.name, "kvm_vcpu_ioctl");
	assert_string_equal(seen.module, "kvm");
	/* a 32-bit kernel; the kernel writes a blank behind nothing */
	assert_int_equal(read_text("c0100000 t f.isra.0\n", &seen, NULL), 0);
	assert_int_equal(seen.address, 0xc0100000);
	assert_string_equal(seen.name, "f.isra.0");
	assert_int_equal(read_text("", &seen, NULL), 0);
	assert_int_equal(seen.count, 0);
}

static void test_malformed(void **state)
{
	static const char *const lines[] = {
		"\n",
		"ffffffff81000010\n",
		"ffffffff81000010 T\n",
		"ffffffff81000010 T \n",
		"ffffffff81000010 TT name\n",
		"ffffffff81000010T name\n",
		" T name\n",
		"xyz T name\n",
		"fffffffff81000010 T name\n",
		"ffffffff81000010 T name\t[]\n",
		"ffffffff81000010 T name\tkvm]\n",
		"ffffffff81000010 T name]\n",
		"ffffffff81000010 T \t[kvm]\n",
		"ffffffff81000010 T cut",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[128];
		struct seen seen = {0};
		struct error error = {0};
		snprintf(text, sizeof(text), "ffffffff81000000 T _stext\n%s", lines[i]);
		assert_int_equal(read_text(text, &seen, &error), -EBADMSG);
		assert_int_equal(seen.count, 1);
		assert_int_equal(error.code, -EBADMSG);
		assert_non_null(strstr(error.message, path));
		assert_non_null(strstr(error.message, "line 2"));
	}
}

static void test_huge_names(void **state)
{
	static char text[200000];
	struct seen seen = {0};
	struct error error = {0};

	(void)state;
	/* lines that end on both sides of every chunk boundary */
	size_t length = 0, lines = 0;
	while (length + 3100 < sizeof(text)) {
		int name = (int)(1 + lines * 7919 % 3000);
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "ffffffff81%06zx t %0*d\n", lines, name, 0);
		lines++;
	}
	assert_int_equal(read_text(text, &seen, &error), 0);
	assert_int_equal(seen.count, lines);
	assert_int_equal(seen.address, 0xffffffff81000000 + lines - 1);
	assert_true(seen.longest > 2900);
	/* one that no kernel makes */
	memset(text, 'x', sizeof(text));
	memcpy(text, "ffffffff81000000 t ", 19);
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(read_text(text, &seen, &error), -EBADMSG);
	assert_int_equal(seen.count, 0);
	assert_non_null(strstr(error.message, "line 1 is too long"));
}

static void test_nul_bytes(void **state)
{
	static const char text[] = "ffffffff81000000 T a\0b\nffffffff81000010 T c\n\0\0";
	struct seen seen = {0};

	(void)state;
	write_text(text, sizeof(text) - 1);
	assert_int_equal(kallsyms_read(path, note, &seen, NULL), -EBADMSG);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.longest, 3);
}

static void test_visitor_stops(void **state)
{
	struct seen seen = {.stop_at = 2};

	(void)state;
	assert_int_equal(read_text("1 T a\n2 T b\n3 T c\n", &seen, NULL), 7);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.name, "b");
}

static void test_absent(void **state)
{
	struct error error = {0};

	(void)state;
	assert_int_equal(kallsyms_read("/nonexistent/kallsyms", note, NULL, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/nonexistent/kallsyms"));
	assert_int_equal(kallsyms_read("/tmp", note, NULL, &error), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),	      cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_huge_names),    cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_visitor_stops), cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests_name("symbols: kallsyms", tests, make_file, remove_file);
}
