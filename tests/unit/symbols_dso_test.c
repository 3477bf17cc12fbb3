/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/dso.h"

static char root[] = "/tmp/kvmperf-dso-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void write_maps(pid_t pid, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%d", root, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%d/maps", root, pid);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void wait_for_reread(void)
{
	const struct timespec pause = {0, 300000000};

	nanosleep(&pause, NULL);
}

static const char qemu_maps[] =
	"55d0c0000000-55d0c0400000 r--p 00000000 fe:00 332  /usr/bin/qemu-system-x86_64\n"
	"55d0c0400000-55d0c0900000 r-xp 00400000 fe:00 332  /usr/bin/qemu-system-x86_64\n"
	"55d0c1000000-55d0c1200000 rw-p 00000000 00:00 0                          [heap]\n"
	"7f0000000000-7f0040000000 rw-p 00000000 00:00 0 \n"
	"7f0040000000-7f0041000000 rwxp 00000000 00:00 0                  [anon:tcg-jit]\n"
	"7f0050000000-7f0060000000 rw-s 00000000 00:01 1 /memfd:guest ram (deleted)\n"
	"7f0061000000-7f0061200000 r-xp 00026000 fe:00 9 /lib/x86_64-linux-gnu/libc.so.6\n"
	"7f0062000000-7f0062200000 r-xp 00026000 fe:00 9 /opt/my lib/a b.so.1 (deleted)\n"
	"7f0063000000-7f0063200000 rw-s 00000000 00:0e 9 anon_inode:kvm-vcpu:0\n"
	"7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0              [vsyscall]\n";

static void test_names(void **state)
{
	struct dso_cache *cache = dso_cache_new(root);

	(void)state;
	write_maps(100, qemu_maps);
	assert_string_equal(dso_lookup(cache, 100, 0x55d0c0000000), "qemu-system-x86_64");
	assert_string_equal(dso_lookup(cache, 100, 0x55d0c08fffff), "qemu-system-x86_64");
	assert_string_equal(dso_lookup(cache, 100, 0x55d0c0900000), "[unknown]");
	assert_string_equal(dso_lookup(cache, 100, 0x55d0c1000000), "[anon]");
	assert_string_equal(dso_lookup(cache, 100, 0x7f0000000000), "[anon]");
	assert_string_equal(dso_lookup(cache, 100, 0x7f0040abcdef), "[anon]");
	assert_string_equal(dso_lookup(cache, 100, 0x7f0050000000), "memfd:guest ram");
	assert_string_equal(dso_lookup(cache, 100, 0x7f0061000000), "libc.so.6");
	assert_string_equal(dso_lookup(cache, 100, 0x7f0062000000), "a b.so.1");
	assert_string_equal(dso_lookup(cache, 100, 0x7f0063000000), "[anon]");
	assert_string_equal(dso_lookup(cache, 100, 0x7ffd00001fff), "[vdso]");
	assert_string_equal(dso_lookup(cache, 100, 0xffffffffff600000), "[vsyscall]");
	assert_string_equal(dso_lookup(cache, 100, 0), "[unknown]");
	assert_string_equal(dso_lookup(cache, 100, UINT64_MAX), "[unknown]");
	dso_cache_free(cache);
	dso_cache_free(NULL);
}

static void test_interned(void **state)
{
	struct dso_cache *cache = dso_cache_new(root);

	(void)state;
	write_maps(100, qemu_maps);
	write_maps(99, "7e0000000000-7e0000001000 r-xp 0 fe:00 9 /another/libc.so.6\n");
	const char *first = dso_lookup(cache, 100, 0x7f0061000000);
	assert_ptr_equal(dso_lookup(cache, 99, 0x7e0000000000), first);
	assert_ptr_equal(dso_lookup(cache, 100, 1), dso_lookup(cache, 99, 1));
	dso_forget(cache, 100);
	dso_forget(cache, 12345);
	assert_string_equal(first, "libc.so.6");
	dso_cache_free(cache);
}

static void test_reread(void **state)
{
	struct dso_cache *cache = dso_cache_new(root);

	(void)state;
	write_maps(101, "10000-20000 r-xp 0 fe:00 9 /a.so\n");
	assert_string_equal(dso_lookup(cache, 101, 0x10000), "a.so");
	write_maps(101, "10000-20000 r-xp 0 fe:00 9 /a.so\n30000-40000 r-xp 0 fe:00 9 /b.so\n");
	/* not for every sample */
	assert_string_equal(dso_lookup(cache, 101, 0x30000), "[unknown]");
	wait_for_reread();
	assert_string_equal(dso_lookup(cache, 101, 0x30000), "b.so");
	/* the process ends: what was known stays, until it is forgotten */
	write_maps(101, "");
	wait_for_reread();
	assert_string_equal(dso_lookup(cache, 101, 0x50000), "[unknown]");
	assert_string_equal(dso_lookup(cache, 101, 0x30000), "b.so");
	dso_forget(cache, 101);
	assert_string_equal(dso_lookup(cache, 101, 0x30000), "[unknown]");
	dso_forget(cache, 101);
	write_maps(101, "30000-40000 r-xp 0 fe:00 9 /reused\n");
	assert_string_equal(dso_lookup(cache, 101, 0x30000), "reused");
	assert_string_equal(dso_lookup(cache, 102, 0x30000), "[unknown]");
	dso_cache_free(cache);
}

static void test_malformed(void **state)
{
	static const char *const texts[] = {
		"garbage\n",
		"10000-20000\n",
		"10000-20000 r-xp 0 fe:00\n",
		"\n",
		"20000-10000 r-xp 0 0 0 /x\n",
		"10000 r-xp 0 fe:00 9 /x\n",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct dso_cache *cache = dso_cache_new(root);
		snprintf(text, sizeof(text),
			 "1000-2000 r-xp 0 fe:00 9 /good\n%s40000-50000 r-xp 0 0 0 /after\n",
			 texts[i]);
		write_maps(103, text);
		assert_string_equal(dso_lookup(cache, 103, 0x1000), "good");
		assert_string_equal(dso_lookup(cache, 103, 0x10000), "[unknown]");
		dso_cache_free(cache);
	}
}

/* A last line that is cut off may name another file. */
static void test_cut_off(void **state)
{
	struct dso_cache *cache = dso_cache_new(root);

	(void)state;
	write_maps(104, "1000-2000 r-xp 0 fe:00 9 /good\n10000-20000 r-xp 0 fe:00 9 /lib/libc");
	assert_string_equal(dso_lookup(cache, 104, 0x1000), "good");
	assert_string_equal(dso_lookup(cache, 104, 0x10000), "[unknown]");
	dso_cache_free(cache);
}

/* Entries in any order of pids are found again. */
static void test_many_processes(void **state)
{
	struct dso_cache *cache = dso_cache_new(root);
	char text[128];

	(void)state;
	for (int i = 0; i < 200; i++) {
		pid_t pid = 1000 + i * 73 % 200;
		snprintf(text, sizeof(text), "%d000-%d800 r-xp 0 0 0 /dso%d\n", pid, pid,
			 pid % 7);
		write_maps(pid, text);
		assert_string_not_equal(dso_lookup(cache, pid, strtoull(text, NULL, 16)),
					"[unknown]");
	}
	for (pid_t pid = 1000; pid < 1200; pid += 2)
		dso_forget(cache, pid);
	for (pid_t pid = 1001; pid < 1200; pid += 2) {
		snprintf(text, sizeof(text), "%d010", pid);
		uint64_t address = strtoull(text, NULL, 16);
		snprintf(text, sizeof(text), "dso%d", pid % 7);
		assert_string_equal(dso_lookup(cache, pid, address), text);
	}
	dso_cache_free(cache);
}

static void test_live(void **state)
{
	struct dso_cache *cache = dso_cache_new(NULL);
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_true(child > 0);
	assert_string_equal(dso_lookup(cache, getpid(), (uintptr_t)test_live),
			    "symbols_dso_test");
	assert_non_null(strstr(dso_lookup(cache, getpid(), (uintptr_t)strtoull), "libc"));
	assert_string_equal(dso_lookup(cache, child, (uintptr_t)test_live), "symbols_dso_test");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_string_equal(dso_lookup(cache, child, (uintptr_t)test_live), "symbols_dso_test");
	dso_forget(cache, child);
	assert_string_equal(dso_lookup(cache, child, (uintptr_t)test_live), "[unknown]");
	dso_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_interned),
		cmocka_unit_test(test_reread),	cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cut_off), cmocka_unit_test(test_many_processes),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests_name("symbols: shared objects", tests, make_root,
					   remove_root);
}
