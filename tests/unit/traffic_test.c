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

#include <sys/stat.h>
#include <unistd.h>

#include "traffic/net_dev.h"
#include "traffic/traffic.h"

#define HEADER                                                                                 \
	"Inter-|   Receive                                                |  Transmit\n"       \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "  \
	"errs "                                                                                \
	"drop fifo colls carrier compressed\n"

static void test_find(void **state)
{
	static const char text[] = HEADER "    lo:    3267      29    0    0    0     0        "
					  "  0         0     3267      "
					  "29    0    0    0     0       0          0\n"
					  "vnet10:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
					  "  vnet1:18446744073709551615 18446744073709551614   "
					  " 0    0    0     0          "
					  "0         0 18446744073709551613 4 0 0 0 0 0 0\n";
	struct net_dev_counters counters;

	(void)state;
	assert_true(net_dev_find(text, "vnet10", &counters));
	assert_int_equal(counters.received_bytes, 1);
	assert_int_equal(counters.received_packets, 2);
	assert_int_equal(counters.sent_bytes, 9);
	assert_int_equal(counters.sent_packets, 10);
	assert_true(net_dev_find(text, "vnet1", &counters));
	assert_int_equal(counters.received_bytes, UINT64_MAX);
	assert_int_equal(counters.received_packets, UINT64_MAX - 1);
	assert_int_equal(counters.sent_bytes, UINT64_MAX - 2);
	assert_false(net_dev_find(text, "vnet", &counters));
	assert_false(net_dev_find(text, "face", &counters));
	assert_false(net_dev_find(text, "net1", &counters));
}

static void test_malformed(void **state)
{
	struct net_dev_counters counters;

	(void)state;
	assert_false(net_dev_find("", "tap0", &counters));
	assert_false(net_dev_find(HEADER, "tap0", &counters));
	assert_false(net_dev_find(HEADER "tap0", "tap0", &counters));
	assert_false(net_dev_find(HEADER "tap0:", "tap0", &counters));
	assert_false(net_dev_find(HEADER "tap0: 1 2 3 4 5 6 7 8 9", "tap0", &counters));
	assert_false(net_dev_find(HEADER "tap0: 1 x 3 4 5 6 7 8 9 10", "tap0", &counters));
	assert_false(net_dev_find(HEADER "tap0: 1 2 3 4\n 5 6 7 8 9", "tap0", &counters));
}

/* A proc root with PID/net/dev. */
static char root[] = "/tmp/kvmperf-traffic-XXXXXX";

static int make_root(void **state)
{
	char path[128];
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/42", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/42/net", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/42/net/dev", root);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(HEADER "tap0: 100 1 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n"
		     "tap1: 300 3 0 0 0 0 0 0 4000 40 0 0 0 0 0 0\n",
	      file);
	return fclose(file);
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void test_directions_are_the_guests(void **state)
{
	struct vm_tap taps[] = {{"tap0", 7}, {"tap1", 8}, {"gone", 9}};
	char name[] = "web1";
	struct vm vm = {.pid = 42, .name = name, .taps = taps, .tap_count = 2};
	struct traffic traffic;
	struct error error = {0};
	bool known;

	(void)state;
	assert_int_equal(traffic_read(&vm, root, &traffic, &known, &error), 0);
	assert_true(known);
	assert_int_equal(traffic.rx_bytes, 6000);
	assert_int_equal(traffic.rx_packets, 60);
	assert_int_equal(traffic.tx_bytes, 400);
	assert_int_equal(traffic.tx_packets, 4);

	vm.tap_count = 3;
	assert_int_equal(traffic_read(&vm, root, &traffic, &known, &error), 0);
	assert_false(known);
	assert_int_equal(traffic.rx_bytes, 6000);

	vm.tap_count = 0;
	assert_int_equal(traffic_read(&vm, root, &traffic, &known, &error), 0);
	assert_true(known);
	assert_int_equal(traffic.rx_bytes, 0);
}

static void test_ended(void **state)
{
	struct vm_tap taps[] = {{"tap0", 7}};
	char name[] = "web1";
	struct vm vm = {.pid = 43, .name = name, .taps = taps, .tap_count = 1};
	struct traffic traffic;
	struct error error = {0};
	bool known;

	(void)state;
	assert_int_equal(traffic_read(&vm, root, &traffic, &known, &error), -ESRCH);
	assert_non_null(strstr(error.message, "web1"));
	vm.pid = getpid();
	strcpy(taps[0].name, "lo");
	assert_int_equal(traffic_read(&vm, NULL, &traffic, &known, &error), 0);
	assert_true(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_directions_are_the_guests),
		cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
