/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "traffic/host_traffic.h"

#define HEADER                                                                                 \
	"Inter-|   Receive                                                |  Transmit\n"       \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "  \
	"errs drop fifo colls carrier compressed\n"

static char root[] = "/tmp/kvmperf-host-traffic-XXXXXX";
static char proc_root[64], sys_root[64];

static void make_directory(const char *format, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), format, root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* A device with hardware behind it has the link (here: directory) 'device'. */
static void make_device(const char *name, bool hardware)
{
	make_directory("%s/sys/class/net/%s", name);
	if (hardware)
		make_directory("%s/sys/class/net/%s/device", name);
}

static int make_roots(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	snprintf(proc_root, sizeof(proc_root), "%s/proc", root);
	snprintf(sys_root, sizeof(sys_root), "%s/sys", root);
	make_directory("%s/%s", "proc");
	make_directory("%s/%s", "proc/net");
	make_directory("%s/%s", "sys");
	make_directory("%s/%s", "sys/class");
	make_directory("%s/%s", "sys/class/net");
	make_device("lo", false);
	make_device("eth0", true);
	make_device("enp129s0f1np1", true);
	make_device("tap1", false);
	make_device("br0", false);
	return 0;
}

static int remove_roots(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void write_net_dev(const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/net/dev", proc_root);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static uint64_t bytes_of(const char *text)
{
	struct host_traffic traffic = {.received.bytes = 12345};

	write_net_dev(text);
	assert_int_equal(host_traffic_read(proc_root, sys_root, &traffic, NULL), 0);
	return traffic.received.bytes + traffic.sent.bytes;
}

static void test_which_devices(void **state)
{
	(void)state;
	assert_int_equal(
		bytes_of(HEADER "    lo:       1 9 0 0 0 0 0 0      10 9 0 0 0 0 0 0\n"), 11);
	assert_int_equal(
		bytes_of(HEADER "  eth0:     100 9 0 0 0 0 0 0    1000 9 0 0 0 0 0 0\n"), 1100);
	assert_int_equal(
		bytes_of(HEADER "  tap1:     100 9 0 0 0 0 0 0    1000 9 0 0 0 0 0 0\n"), 0);
	assert_int_equal(
		bytes_of(HEADER "   br0:     100 9 0 0 0 0 0 0    1000 9 0 0 0 0 0 0\n"), 0);
	/* In no sysfs at all: a device that came up just now, or of another namespace. */
	assert_int_equal(
		bytes_of(HEADER "  eth1:     100 9 0 0 0 0 0 0    1000 9 0 0 0 0 0 0\n"), 0);
}

static void test_sum(void **state)
{
	(void)state;
	/* All columns differ; a long name leaves no blank before the figures. */
	assert_int_equal(
		bytes_of(HEADER
			 "    lo:       1 2 3 4 5 6 7 8      20 10 11 12 13 14 15 16\n"
			 "  eth0:     300 2 3 4 5 6 7 8    4000 10 11 12 13 14 15 16\n"
			 "  tap1: 7777777 2 3 4 5 6 7 8 8888888 10 11 12 13 14 15 16\n"
			 "enp129s0f1np1:50000 2 3 4 5 6 7 8 600000 10 11 12 13 14 15 16\n"
			 "   br0: 9999999 2 3 4 5 6 7 8 9999999 10 11 12 13 14 15 16\n"),
		654321);
	assert_true(bytes_of(HEADER "eth0: 9223372036854775807 0 0 0 0 0 0 0 "
				    "9223372036854775808 0 0 0 0 0 0 0\n") == UINT64_MAX);
}

static void test_no_device(void **state)
{
	(void)state;
	assert_int_equal(bytes_of(HEADER), 0);
	assert_int_equal(bytes_of(""), 0);
}

static void test_malformed_lines(void **state)
{
	static const char *const malformed[] = {
		"eth0",
		"eth0:\n",
		"eth0: many 2 3 4 5 6 7 8 9 10\n",
		"eth0: 1 2 3 4 5 6 7 8",
		":\n",
		"../../../proc: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text), HEADER "lo: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n%s",
			 malformed[i]);
		assert_int_equal(bytes_of(text), 3);
	}
}

static void test_missing(void **state)
{
	struct error error = {0};
	struct host_traffic traffic;

	(void)state;
	assert_int_equal(host_traffic_read("/nowhere", sys_root, &traffic, &error), -ENOENT);
	assert_int_equal(error.code, -ENOENT);
	assert_non_null(strstr(error.message, "/nowhere/net/dev"));
	assert_int_equal(host_traffic_read("/nowhere", sys_root, &traffic, NULL), -ENOENT);
	/* Without sysfs nothing is known to be hardware. */
	write_net_dev(HEADER "lo: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n"
			     "eth0: 10 0 0 0 0 0 0 0 20 0 0 0 0 0 0 0\n");
	assert_int_equal(host_traffic_read(proc_root, "/nowhere", &traffic, NULL), 0);
	assert_int_equal(traffic.received.bytes, 1);
	assert_int_equal(traffic.sent.bytes, 2);
}

static void test_unowned(void **state)
{
	const struct host_traffic host = {.received = {1000, 500000}, .sent = {10, 1000}};
	struct traffic_use vms = {0};

	(void)state;
	vms.counts[TRAFFIC_TAP][TRAFFIC_RECEIVED] = (struct traffic_count){100, 300000};
	vms.counts[TRAFFIC_MACVTAP][TRAFFIC_RECEIVED] = (struct traffic_count){50, 75000};
	vms.counts[TRAFFIC_TAP][TRAFFIC_SENT] = (struct traffic_count){100, 2000};
	struct traffic_use use = host_traffic_unowned(&host, &vms);
	const struct traffic_count *counts = use.counts[TRAFFIC_HOST];
	assert_int_equal(counts[TRAFFIC_RECEIVED].bytes, 125000);
	assert_int_equal(counts[TRAFFIC_RECEIVED].packets, 250);
	/* VMs that send to each other send more than the host does. */
	assert_int_equal(counts[TRAFFIC_SENT].bytes, 0);
	assert_int_equal(counts[TRAFFIC_SENT].packets, 0);
	assert_int_equal(traffic_use_total(&use).bytes, 125000);
}

static void test_own_host(void **state)
{
	struct host_traffic before, after;

	(void)state;
	assert_int_equal(host_traffic_read(NULL, NULL, &before, NULL), 0);
	assert_int_equal(host_traffic_read("/proc", "/sys", &after, NULL), 0);
	assert_true(after.received.bytes >= before.received.bytes);
	assert_true(after.sent.packets >= before.sent.packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_devices), cmocka_unit_test(test_sum),
		cmocka_unit_test(test_no_device),     cmocka_unit_test(test_malformed_lines),
		cmocka_unit_test(test_missing),	      cmocka_unit_test(test_own_host),
		cmocka_unit_test(test_unowned),
	};

	return cmocka_run_group_tests(tests, make_roots, remove_roots);
}
