/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "discover/identity.h"
#include "base/printable.h"
#include "discover/proc_file.h"
#include "discover/tap_files.h"
#include "discover/vcpu_threads.h"

#define TAIL                                                                                   \
	" S 6000 6000 3052 0 -1 138412416 4478 0 42 0 2 3 0 0 20 0 4 0 149079 365772800 8507 " \
	"18446744073709551615 1 2 3 0 0 0 268444224 4100 16963 0 0 0 17 0 0 0 5 77 0 4 5 6 7 " \
	"8 9 "                                                                                 \
	"10 0\n"

static void test_stat(void **state)
{
	struct proc_stat fields;

	(void)state;
	assert_int_equal(proc_parse_stat("6003 (qemu-system-x86)" TAIL, &fields), 0);
	assert_int_equal(fields.pid, 6003);
	assert_int_equal(fields.parent, 6000);
	assert_int_equal(fields.start_ticks, 149079);
	assert_int_equal(fields.guest_time_ticks, 77);
	assert_string_equal(fields.comm, "qemu-system-x86");
	assert_false(fields.kernel_thread);

	/* a name made to mislead */
	assert_int_equal(proc_parse_stat("7 (a) R 1 (\n) x)" TAIL, &fields), 0);
	assert_string_equal(fields.comm, "a) R 1 (\n) x");
	assert_int_equal(fields.parent, 6000);

	assert_int_equal(
		proc_parse_stat("9 (vhost-6003) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 "
				"0 1 0 150000 0 0",
				&fields),
		0);
	assert_true(fields.kernel_thread);
	assert_int_equal(fields.guest_time_ticks, 0);
}

static void test_stat_malformed(void **state)
{
	const char *whole = "6003 (qemu-system-x86)" TAIL;
	const char *start = strstr(whole, " 149079");
	struct proc_stat fields;

	(void)state;
	for (size_t length = 0; length <= (size_t)(start - whole) + 1; length++) {
		char *cut = strndup(whole, length);

		assert_int_equal(proc_parse_stat(cut, &fields), -EBADMSG);
		free(cut);
	}
	assert_int_equal(proc_parse_stat(")(", &fields), -EBADMSG);
	assert_int_equal(proc_parse_stat("x (y)" TAIL, &fields), -EBADMSG);
}

static void test_numbers(void **state)
{
	unsigned long number;

	(void)state;
	assert_true(proc_parse_number("0", 10, &number));
	assert_true(proc_parse_number("10", 10, &number));
	assert_int_equal(number, 10);
	assert_false(proc_parse_number("11", 10, &number));
	assert_false(proc_parse_number("", 10, &number));
	assert_false(proc_parse_number("-1", 10, &number));
	assert_false(proc_parse_number("+1", 10, &number));
	assert_false(proc_parse_number(" 1", 10, &number));
	assert_false(proc_parse_number("1 ", 10, &number));
	assert_false(proc_parse_number("99999999999999999999", ~0ul, &number));
}

static void test_printable(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"plain", "plain"},
		{"tab\tline\n\x7f", "tab?line??"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbb",
		 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbb"},
		{"cut \xe2\x82", "cut ??"},
		{"\xff\xc0\x80\xed\xa0\x80", "??????"},	     /* no byte, too long, surrogate */
		{"\xf4\x90\x80\x80\xe0\x80\x80", "???????"}, /* above U+10FFFF, too long */
		{"\xc2\x9b", "??"},			     /* a control character: CSI */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = strdup(cases[i].text);

		printable(text);
		assert_string_equal(text, cases[i].expected);
		free(text);
	}
}

static void test_read(void **state)
{
	char path[] = "/tmp/kvmperf-proc-file-XXXXXX";
	int fd = mkstemp(path);
	size_t length = 0;
	char *text;

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(write(fd, "0123456789", 10), 10);
	text = proc_read(1 << 20, &length, "%s", path);
	assert_int_equal(length, 100000);
	assert_int_equal(strlen(text), 100000);
	free(text);
	text = proc_read(1023, &length, "%s", path);
	assert_int_equal(length, 1023);
	free(text);
	close(fd);
	unlink(path);
	assert_null(proc_read(1, &length, "%s", path));
	assert_int_equal(errno, ENOENT);
	assert_null(proc_read(1, &length, "/proc"));
	assert_null(proc_read(1, &length, "%0*d", 10000, 7));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void test_link(void **state)
{
	char buffer[64];

	(void)state;
	assert_true(proc_link(buffer, sizeof(buffer), "/proc/%d/ns/net", getpid()) > 5);
	assert_memory_equal(buffer, "net:[", 5);
	assert_int_equal(proc_link(buffer, 5, "/proc/self/ns/net"), -ENAMETOOLONG);
	assert_int_equal(proc_link(buffer, sizeof(buffer), "/proc/self/no"), -ENOENT);
}

static void assert_cgroup(const char *text, const char *expected)
{
	char *path;

	assert_int_equal(identity_cgroup_path(text, &path), 0);
	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void test_cgroup(void **state)
{
	(void)state;
	assert_cgroup("0::/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope/libvirt/emulator\n",
		      "/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope");
	assert_cgroup("0::/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope/libvirt/vcpu12\n",
		      "/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope");
	assert_cgroup(
		"12:cpuset:/a\n4:cpu,cpuacct:/machine/vm.libvirt-qemu/emulator\n0::/other\n",
		"/machine/vm.libvirt-qemu");
	assert_cgroup("3:cpuset:/a\n2:cpuacct:/b\n0::/c:d\n", "/c:d");
	assert_cgroup("3:cpuset:/a\n2:cpuacct:/b\n", NULL);
	assert_cgroup("0::/no-newline", "/no-newline");
	assert_cgroup("0::/", "/");
	assert_cgroup("", NULL);
	assert_cgroup("\n\n", NULL);
	assert_cgroup("0:\n:", NULL);
	assert_cgroup("0::\n", NULL);
}

static void assert_nova(const char *xml, const char *expected)
{
	char *name;

	assert_int_equal(identity_nova_name(xml, &name), 0);
	if (expected)
		assert_string_equal(name, expected);
	else
		assert_null(name);
	free(name);
}

static void test_nova_name(void **state)
{
	(void)state;
	assert_nova("<a><nova:name>shop &amp; &lt;db&gt; &quot;1&quot;&apos;</nova:name></a>",
		    "shop & <db> \"1\"'");
	assert_nova("<nova:name>a &unknown; &amp</nova:name>", "a &unknown; &amp");
	assert_nova("<nova:name>two\nlines</nova:name>", "two?lines");
	assert_nova("<nova:name></nova:name>", NULL);
	assert_nova("<nova:name>cut", NULL);
	assert_nova("<name>other</name>", NULL);
	assert_nova("", NULL);
}

static void test_fdinfo(void **state)
{
	char name[16] = "";

	(void)state;
	assert_true(tap_file_parse_fdinfo("pos:\t0\nflags:\t0104002\niff:\ttap0\n", name));
	assert_string_equal(name, "tap0");
	assert_true(tap_file_parse_fdinfo("iff:\tfifteen-bytes-x", name));
	assert_string_equal(name, "fifteen-bytes-x");
	assert_false(tap_file_parse_fdinfo("iff:\tsixteen-bytes-xy\n", name));
	assert_false(tap_file_parse_fdinfo("pos:\t0\niff:\t\n", name));
	assert_false(tap_file_parse_fdinfo("pos:\t0\niff:", name));
	assert_false(tap_file_parse_fdinfo("pos:\t0\n", name));
	assert_false(tap_file_parse_fdinfo("", name));
}

static void test_igmp(void **state)
{
	static const char text[] =
		"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
		"1\tlo        :     1      V3\n"
		"\t\t\t\t010000E0     1 0:00000000\t\t0\n"
		"12\tmacvtap0  :     1      V3\n"
		"\t\t\t\t010000E0     1 0:00000000\t\t0\n";
	char name[16] = "";
	unsigned index = 12;

	(void)state;
	tap_file_parse_igmp(text, name, &index);
	assert_string_equal(name, "macvtap0");
	index = 0;
	tap_file_parse_igmp(text, name, &index);
	assert_int_equal(index, 12);
	strcpy(name, "macvtap");
	index = 0;
	tap_file_parse_igmp(text, name, &index);
	assert_int_equal(index, 0);
	tap_file_parse_igmp("12", name, &index);
	tap_file_parse_igmp("", name, &index);
	assert_int_equal(index, 0);
	assert_string_equal(name, "macvtap");
}

static void test_syscall(void **state)
{
	unsigned fd = 0;

	(void)state;
	assert_true(vcpu_threads_parse_syscall(
		"16 0xc 0xae80 0x0 0x0 0x8 0x0 0x7fff4211fc00 0x7fc3c8318366\n", &fd));
	assert_int_equal(fd, 12);
	assert_true(vcpu_threads_parse_syscall("29 0x1f 0xae80 0x0\n", &fd)); /* arm64 */
	assert_int_equal(fd, 31);
	assert_false(vcpu_threads_parse_syscall("running\n", &fd));
	assert_false(vcpu_threads_parse_syscall("-1 0x7fff4211fc00 0x7fc3c8318366\n", &fd));
	assert_false(vcpu_threads_parse_syscall("16 0xc 0xae03 0x0\n", &fd));
	assert_false(vcpu_threads_parse_syscall("16 0xc\n", &fd));
	assert_false(vcpu_threads_parse_syscall("", &fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),	cmocka_unit_test(test_stat_malformed),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_printable),
		cmocka_unit_test(test_read),	cmocka_unit_test(test_link),
		cmocka_unit_test(test_cgroup),	cmocka_unit_test(test_nova_name),
		cmocka_unit_test(test_fdinfo),	cmocka_unit_test(test_igmp),
		cmocka_unit_test(test_syscall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
