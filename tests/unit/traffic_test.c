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

#include "base/clock.h"
#include "traffic/disk.h"
#include "traffic/net_dev.h"
#include "traffic/traffic.h"
#include "traffic/unseen.h"

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

static void make_directory(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void write_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int make_root(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	make_directory("42");
	make_directory("42/net");
	make_directory("42/ns");
	return 0;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* One reading of the VM's taps at a time (s). */
struct reading {
	struct vm_traffic traffic;
	struct traffic delta;
	struct traffic_use use;
	bool known;
};

static void read_at(struct reading *reading, const struct vm *vm, uint64_t seconds,
		    const char *net_dev)
{
	struct net_dev_texts *texts = net_dev_texts_new(root);
	struct error error = {0};

	write_file("42/net/dev", net_dev);
	assert_int_equal(vm_traffic_read(&reading->traffic, vm, texts, root, seconds * NS_PER_S,
					 &reading->delta, &reading->use, &reading->known,
					 &error),
			 0);
	net_dev_texts_free(texts);
}

static void test_directions_are_the_guests(void **state)
{
	struct vm_tap taps[] = {{"tap0", 7}, {"tap1", 8}};
	char name[] = "web1";
	struct vm vm = {.pid = 42, .name = name, .taps = taps, .tap_count = 2};
	struct reading reading = {0};

	(void)state;
	read_at(&reading, &vm, 100,
		HEADER "tap0: 100 1 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n"
		       "tap1: 300 3 0 0 0 0 0 0 4000 40 0 0 0 0 0 0\n");
	/* What was before the first reading is not ours. */
	assert_false(reading.known);
	assert_int_equal(reading.delta.rx_bytes, 0);
	read_at(&reading, &vm, 101,
		HEADER "tap0: 150 2 0 0 0 0 0 0 2600 24 0 0 0 0 0 0\n"
		       "tap1: 400 5 0 0 0 0 0 0 4010 41 0 0 0 0 0 0\n");
	assert_true(reading.known);
	assert_int_equal(reading.delta.rx_bytes, 610);
	assert_int_equal(reading.delta.rx_packets, 5);
	assert_int_equal(reading.delta.tx_bytes, 150);
	assert_int_equal(reading.delta.tx_packets, 3);
	assert_int_equal(reading.use.counts[TRAFFIC_TAP][TRAFFIC_RECEIVED].bytes, 610);
	assert_int_equal(reading.use.counts[TRAFFIC_TAP][TRAFFIC_SENT].packets, 3);

	vm.tap_count = 0;
	read_at(&reading, &vm, 102, HEADER);
	assert_false(reading.known); /* the taps went away in this interval */
	read_at(&reading, &vm, 103, HEADER);
	assert_true(reading.known); /* a VM without taps */
	assert_int_equal(reading.delta.rx_bytes, 0);
	vm_traffic_free(&reading.traffic);
}

static void test_taps_come_and_go(void **state)
{
	struct vm_tap taps[] = {{"tap0", 7}, {"tap1", 8}};
	char name[] = "web1";
	struct vm vm = {.pid = 42, .name = name, .taps = taps, .tap_count = 1};
	struct reading reading = {0};

	(void)state;
	read_at(&reading, &vm, 1, HEADER "tap0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
	/* A second NIC is plugged in: the first still counts. */
	vm.tap_count = 2;
	read_at(&reading, &vm, 2,
		HEADER "tap0: 11 2 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
		       "tap1: 500 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	assert_false(reading.known);
	assert_int_equal(reading.delta.tx_bytes, 10);
	read_at(&reading, &vm, 3,
		HEADER "tap0: 21 3 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
		       "tap1: 600 6 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	assert_true(reading.known);
	assert_int_equal(reading.delta.tx_bytes, 110);
	/* One that is made anew under the same name begins at 0: that is no negative traffic.
	 */
	read_at(&reading, &vm, 4,
		HEADER "tap0: 31 4 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
		       "tap1: 5 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	assert_false(reading.known);
	assert_int_equal(reading.delta.tx_bytes, 10);
	/* Plugged out, and its interface is gone. */
	read_at(&reading, &vm, 5, HEADER "tap0: 41 5 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
	assert_false(reading.known);
	assert_int_equal(reading.delta.tx_bytes, 10);
	vm.tap_count = 1;
	read_at(&reading, &vm, 6, HEADER "tap0: 51 6 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
	read_at(&reading, &vm, 7, HEADER "tap0: 61 7 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
	assert_true(reading.known);
	vm_traffic_free(&reading.traffic);
}

static void test_classes(void **state)
{
	struct vm_tap taps[] = {{"tap0", 7}};
	char name[] = "web1";
	struct vm vm = {.pid = 42, .name = name, .taps = taps, .tap_count = 1};
	struct reading reading = {0};

	(void)state;
	make_directory("class");
	make_directory("class/net");
	make_directory("class/net/tap0");
	make_directory("class/net/tap0/queues");
	make_directory("class/net/tap0/queues/rx-0");
	make_directory("class/net/tap0/queues/rx-1");
	make_directory("class/net/tap1");
	make_directory("class/net/tap1/macvtap");
	write_file("class/net/tap0/queues/rx-0/rps_cpus", "00000000,00000000\n");
	assert_int_equal(tap_class(root, "tap0"), TRAFFIC_TAP);
	assert_int_equal(tap_class(root, "tap1"), TRAFFIC_MACVTAP);
	assert_int_equal(tap_class(root, "not-there"), TRAFFIC_TAP);
	read_at(&reading, &vm, 1, HEADER "tap0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	write_file("class/net/tap0/queues/rx-1/rps_cpus", "00000000,00000100\n");
	assert_int_equal(tap_class(root, "tap0"), TRAFFIC_TAP_STEERED);
	/* Found out within 10 s. */
	read_at(&reading, &vm, 12, HEADER "tap0: 9 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	read_at(&reading, &vm, 13, HEADER "tap0: 29 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	assert_int_equal(reading.use.counts[TRAFFIC_TAP_STEERED][TRAFFIC_SENT].bytes, 20);
	assert_int_equal(reading.use.counts[TRAFFIC_TAP][TRAFFIC_SENT].bytes, 0);
	vm_traffic_free(&reading.traffic);
}

/* Processes of one network namespace share one reading. */
static void test_namespaces(void **state)
{
	struct net_dev_texts *texts = net_dev_texts_new(root);
	char path[128];

	(void)state;
	write_file("42/net/dev", "first");
	make_directory("44");
	make_directory("44/ns");
	make_directory("44/net");
	write_file("44/net/dev", "second");
	snprintf(path, sizeof(path), "%s/42/ns/net", root);
	assert_int_equal(symlink("net:[4026531840]", path), 0);
	snprintf(path, sizeof(path), "%s/44/ns/net", root);
	assert_int_equal(symlink("net:[4026531840]", path), 0);
	assert_int_equal(net_namespace(root, 42), 4026531840);
	assert_int_equal(net_namespace(root, 43), 0);
	assert_string_equal(net_dev_text(texts, 42), "first");
	assert_string_equal(net_dev_text(texts, 44), "first");
	net_dev_texts_clear(texts);
	assert_string_equal(net_dev_text(texts, 44), "second");
	assert_null(net_dev_text(texts, 43));
	net_dev_texts_free(texts);
}

/* What is passed through or goes by other processes is no tap's. */
static void test_unseen(void **state)
{
	static const char qemu[] =
		"qemu\0-netdev\0tap,id=n0\0-netdev\0vhost-user,id=n1,chardev=c\0-name\0user";
	char path[128];

	(void)state;
	assert_int_equal(unseen_paths(root, 45), 0);
	make_directory("45");
	make_directory("45/fd");
	assert_int_equal(unseen_paths(root, 45), 0);
	snprintf(path, sizeof(path), "%s/45/fd/7", root);
	assert_int_equal(symlink("/dev/vfio/vfio", path), 0);
	assert_int_equal(unseen_paths(root, 45), 0);
	snprintf(path, sizeof(path), "%s/45/fd/8", root);
	assert_int_equal(symlink("/dev/vfio/12", path), 0);
	snprintf(path, sizeof(path), "%s/45/cmdline", root);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(qemu, sizeof(qemu), 1, file), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(unseen_paths(root, 45), UNSEEN_VFIO | UNSEEN_VHOST_USER);
	write_file("45/cmdline", "qemu");
	assert_int_equal(unseen_paths(root, 45), UNSEEN_VFIO);
	assert_string_equal(unseen_path_name(0), "vfio");
}

static void test_disks(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	write_file("42/io", "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\n"
			    "write_bytes: 1024\ncancelled_write_bytes: 7\n");
	assert_true(disk_read_process(root, 42, &bytes));
	assert_int_equal(bytes, 5120);
	assert_false(disk_read_process(root, 43, &bytes));
	write_file("42/io", "rchar: 1\n");
	assert_false(disk_read_process(root, 42, &bytes));
	make_directory("block");
	make_directory("block/sda");
	make_directory("block/sda/device");
	make_directory("block/dm-0");
	write_file("diskstats", "   8       0 sda 10 1 100 5 20 2 200 6 0 7 8 0 0 0 0 0 0\n"
				"   8       1 sda1 10 1 100 5 20 2 200 6 0 7 8 0 0 0 0 0 0\n"
				" 253       0 dm-0 10 1 100 5 20 2 200 6 0 7 8 0 0 0 0 0 0\n");
	assert_true(disk_read_host(root, root, &bytes));
	assert_int_equal(bytes, 300 * 512);
	assert_false(disk_read_host("/nowhere", root, &bytes));
	assert_true(disk_read_process(NULL, getpid(), &bytes));
}

static void test_ended(void **state)
{
	struct vm_tap taps[] = {{"tap0", 7}};
	char name[] = "web1";
	struct vm vm = {.pid = 43, .name = name, .taps = taps, .tap_count = 1};
	struct net_dev_texts *texts = net_dev_texts_new(root);
	struct reading reading = {0};
	struct error error = {0};

	(void)state;
	assert_int_equal(vm_traffic_read(&reading.traffic, &vm, texts, NULL, NS_PER_S,
					 &reading.delta, &reading.use, &reading.known, &error),
			 -ESRCH);
	assert_non_null(strstr(error.message, "web1"));
	net_dev_texts_free(texts);
	texts = net_dev_texts_new(NULL);
	vm.pid = getpid();
	strcpy(taps[0].name, "lo");
	for (int i = 0; i < 2; i++)
		assert_int_equal(vm_traffic_read(&reading.traffic, &vm, texts, NULL, NS_PER_S,
						 &reading.delta, &reading.use, &reading.known,
						 &error),
				 0);
	assert_true(reading.known);
	net_dev_texts_free(texts);
	vm_traffic_free(&reading.traffic);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_directions_are_the_guests),
		cmocka_unit_test(test_taps_come_and_go),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
