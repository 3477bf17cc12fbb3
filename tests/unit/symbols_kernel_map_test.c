/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/builtin_ranges.h"
#include "symbols/kernel_map.h"
#include "symbols/network.h"
#include "symbols/proc_modules.h"

static char directory[] = "/tmp/kvmperf-symbols-XXXXXX";
static char kallsyms[64], modules[64], ranges[64], absent[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(kallsyms, sizeof(kallsyms), "%s/kallsyms", directory);
	snprintf(modules, sizeof(modules), "%s/modules", directory);
	snprintf(ranges, sizeof(ranges), "%s/ranges", directory);
	snprintf(absent, sizeof(absent), "%s/absent", directory);
	return 0;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static const char builtin_text[] = "0000000000000000 A fixed_percpu_data\n"
				   "0000000000020a40 A __preempt_count\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000000 T _text\n"
				   "ffffffff81001000 T tcp_aaa\n"
				   "ffffffff81001080 t anything_unknown\n"
				   "ffffffff81001100 T tcp_bbb\n"
				   "ffffffff81001200 t unknown_between\n"
				   "ffffffff81001300 t __pfx_kvm_aaa\n"
				   "ffffffff81001310 t kvm_aaa\n"
				   "ffffffff81001380 t __pfx_kvm_vcpu_ioctl\n"
				   "ffffffff81001390 t kvm_vcpu_ioctl\n"
				   "ffffffff81001400 T _etext\n"
				   "ffffffff82000000 D jiffies\n"
				   "ffffffff82000100 d tcp_data\n";

static int load(struct kernel_map **map, const char *text, struct error *error)
{
	const struct kernel_map_options options = {kallsyms, absent, NULL};

	write_text(kallsyms, text);
	return kernel_map_load(map, &options, error);
}

static const char *name_at(const struct kernel_map *map, uint64_t address,
			   enum kernel_map_method expected)
{
	enum kernel_map_method method;
	uint16_t subsystem = kernel_map_lookup(map, address, &method);

	assert_in_range(subsystem, 0, kernel_map_count(map) - 1);
	assert_int_equal(method, expected);
	assert_int_equal(kernel_map_lookup(map, address, NULL), subsystem);
	return kernel_map_name(map, subsystem);
}

static void check_order(const struct kernel_map *map)
{
	size_t count;
	const struct kernel_range *all = kernel_map_ranges(map, &count);

	assert_true(count >= 1);
	assert_int_equal(all[0].start, 0);
	for (size_t i = 1; i < count; i++) {
		assert_true(all[i - 1].start < all[i].start);
		assert_true(all[i - 1].subsystem != all[i].subsystem ||
			    all[i - 1].method != all[i].method);
	}
}

static void check_builtin(const struct kernel_map *map)
{
	check_order(map);
	assert_string_equal(kernel_map_name(map, 0), "core");
	assert_string_equal(name_at(map, 0, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, 0x20a40, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, 0xffffffff81000fff, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, 0xffffffff81001000, KERNEL_MAP_INTERVAL), "net");
	assert_string_equal(name_at(map, 0xffffffff810010ff, KERNEL_MAP_INTERVAL), "net");
	assert_string_equal(name_at(map, 0xffffffff810011ff, KERNEL_MAP_INTERVAL), "net");
	assert_string_equal(name_at(map, 0xffffffff81001200, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, 0xffffffff81001310, KERNEL_MAP_INTERVAL), "kvm");
	assert_string_equal(name_at(map, 0xffffffff810013ff, KERNEL_MAP_INTERVAL), "kvm");
	/* above the kernel only JIT programs run */
	assert_string_equal(name_at(map, 0xffffffffc0123456, KERNEL_MAP_MODULE), "bpf");
	assert_string_equal(name_at(map, 0xffffffffff600000, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, UINT64_MAX, KERNEL_MAP_CORE), "core");
}

static void test_builtin(void **state)
{
	struct kernel_map *map;

	(void)state;
	assert_int_equal(load(&map, builtin_text, NULL), 0);
	check_builtin(map);
	assert_int_equal(
		kernel_map_is_network(map, kernel_map_lookup(map, 0xffffffff81001000, NULL)),
		1);
	assert_int_equal(
		kernel_map_is_network(map, kernel_map_lookup(map, 0xffffffff81001310, NULL)),
		0);
	assert_int_equal(kernel_map_is_network(map, 0), 0);
	assert_int_equal(kernel_map_stale(map), 0);
	kernel_map_free(map);
	kernel_map_free(NULL);
}

static int compare_lines(const void *left, const void *right)
{
	/* by name: any order that is not the address's */
	return strcmp(strrchr(*(char *const *)left, ' '), strrchr(*(char *const *)right, ' '));
}

static void test_unsorted(void **state)
{
	char copy[sizeof(builtin_text)], text[sizeof(builtin_text) + 1] = "";
	char *lines[32], *save;
	size_t count = 0;
	struct kernel_map *map;

	(void)state;
	strcpy(copy, builtin_text);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		lines[count++] = line;
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++) {
		strcat(text, lines[i]);
		strcat(text, "\n");
	}
	assert_string_not_equal(text, builtin_text);
	assert_int_equal(load(&map, text, NULL), 0);
	check_builtin(map);
	kernel_map_free(map);
}

static void test_symbol(void **state)
{
	struct kernel_map *map;

	(void)state;
	assert_int_equal(load(&map, builtin_text, NULL), 0);
	assert_int_equal(kernel_map_symbol(map, "kvm_vcpu_ioctl"), 0xffffffff81001390);
	assert_int_equal(kernel_map_symbol(map, "__preempt_count"), 0x20a40);
	assert_int_equal(kernel_map_symbol(map, "pcpu_hot"), 0);
	assert_int_equal(kernel_map_symbol(map, "jiffies"), 0xffffffff82000000);
	assert_int_equal(kernel_map_symbol(map, "jiffies_64"), 0);
	assert_int_equal(kernel_map_symbol(map, "jiffie"), 0);
	kernel_map_free(map);
}

static void test_bad_files(void **state)
{
	struct kernel_map *map = (struct kernel_map *)1;
	struct error error = {0};

	(void)state;
	assert_int_equal(load(&map, "", &error), -EBADMSG);
	assert_non_null(strstr(error.message, "no function"));
	assert_int_equal(load(&map, "ffffffff82000000 D jiffies\n", &error), -EBADMSG);
	assert_int_equal(load(&map, "garbage\n", &error), -EBADMSG);
	assert_non_null(strstr(error.message, "line 1"));
	assert_int_equal(load(&map, "ffffffff81000000 T _stext\nffffffff81", &error), -EBADMSG);
	assert_int_equal(load(&map,
			      "0000000000000000 T _stext\n"
			      "0000000000000000 T tcp_sendmsg\n"
			      "0000000000000000 t tun_chr_ioctl\t[tun]\n",
			      &error),
			 -EPERM);
	assert_non_null(strstr(error.message, "CAP_SYSLOG"));
	assert_null(strchr(error.message, '\n'));
	const struct kernel_map_options options = {absent, absent, NULL};
	assert_int_equal(kernel_map_load(&map, &options, &error), -ENOENT);
	const struct kernel_map_options no_ranges = {kallsyms, absent, absent};
	write_text(kallsyms, builtin_text);
	assert_int_equal(kernel_map_load(&map, &no_ranges, &error), -ENOENT);
	assert_ptr_equal(map, (struct kernel_map *)1);
	/* the ends of the address space */
	assert_int_equal(load(&map, "0 T tcp_a\n1 T tcp_b\nffffffffffffffff T tcp_c\n", NULL),
			 0);
	check_order(map);
	assert_string_equal(name_at(map, 0, KERNEL_MAP_INTERVAL), "net");
	kernel_map_free(map);
}

static const char module_text[] = "kvm 1146880 1 kvm_amd, Live 0xffffffffc0206000\n"
				  "newdriver 16384 0 - Live 0xffffffffc0400000 (OE)\n";

static void test_modules_and_stale(void **state)
{
	const struct kernel_map_options options = {kallsyms, modules, NULL};
	char text[1024];
	struct kernel_map *map;
	struct error error = {0};

	(void)state;
	snprintf(text, sizeof(text), "%s%s", builtin_text,
		 "ffffffffc0400100 t probe\t[newdriver]\n"
		 "ffffffffc0400300 d table\t[newdriver]\n"
		 "ffffffffc0206210 t kvm_x\t[kvm]\n"
		 "ffffffffc0001004 t bpf_prog_1234_main\t[bpf]\n"
		 "ffffffffc0002000 t ftrace_trampoline\t[__builtin__ftrace]\n");
	write_text(kallsyms, text);
	write_text(modules, module_text);
	assert_int_equal(kernel_map_load(&map, &options, &error), 0);
	check_order(map);
	assert_string_equal(name_at(map, 0xffffffffc0206000, KERNEL_MAP_MODULE), "kvm");
	assert_string_equal(name_at(map, 0xffffffffc0206fff, KERNEL_MAP_MODULE), "kvm");
	assert_string_equal(name_at(map, 0xffffffffc0207000, KERNEL_MAP_MODULE), "bpf");
	assert_string_equal(name_at(map, 0xffffffffc0400200, KERNEL_MAP_MODULE), "newdriver");
	assert_string_equal(name_at(map, 0xffffffffc0001010, KERNEL_MAP_MODULE), "bpf");
	assert_string_equal(name_at(map, 0xffffffffc0002010, KERNEL_MAP_MODULE), "ftrace");
	/* built in and loaded, a module has one name */
	assert_int_equal(kernel_map_lookup(map, 0xffffffffc0206000, NULL),
			 kernel_map_lookup(map, 0xffffffff81001310, NULL));

	assert_int_equal(kernel_map_stale(map), 0);
	/* use counts and states change all the time */
	write_text(modules, "kvm 1146880 7 kvm_amd, Unloading 0xffffffffc0206000\n"
			    "newdriver 16384 3 - Live 0xffffffffc0400000 (OE)\n");
	assert_int_equal(kernel_map_stale(map), 0);
	write_text(modules, "kvm 1146880 1 kvm_amd, Live 0xffffffffc0206000\n");
	assert_int_not_equal(kernel_map_stale(map), 0);
	write_text(modules, "kvm 1146880 1 kvm_amd, Live 0xffffffffc0306000\n"
			    "newdriver 16384 0 - Live 0xffffffffc0400000 (OE)\n");
	assert_int_not_equal(kernel_map_stale(map), 0);
	assert_int_equal(unlink(modules), 0);
	assert_int_not_equal(kernel_map_stale(map), 0);
	kernel_map_free(map);
}

static void test_proc_modules(void **state)
{
	static const char *const malformed[] = {
		"kvm\n", "kvm 1146880 1 kvm_amd, Live\n", "kvm x 1 - Live 0xffffffffc0206000\n",
		"kvm 1146880 1 - Live 0xffffffffc0206000", "\n"};
	struct proc_modules list;
	struct error error = {0};

	(void)state;
	write_text(modules, module_text);
	assert_int_equal(proc_modules_read(&list, modules, NULL), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[1].name, "newdriver");
	assert_int_equal(list.items[0].base, 0xffffffffc0206000);
	proc_modules_clear(&list);
	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		char text[256];
		snprintf(text, sizeof(text), "%s%s", module_text, malformed[i]);
		write_text(modules, text);
		assert_int_equal(proc_modules_read(&list, modules, &error), -EBADMSG);
		assert_non_null(strstr(error.message, "line 3"));
		assert_int_equal(list.count, 0);
	}
	assert_int_equal(proc_modules_read(&list, absent, NULL), 0);
	assert_int_equal(list.count, 0);
}

static void test_builtin_ranges(void **state)
{
	const struct kernel_map_options options = {kallsyms, absent, ranges};
	struct kernel_map *map;

	(void)state;
	write_text(kallsyms, builtin_text);
	/* an anchor inside its section, overlapping and shared ranges, data, an unknown anchor
	 */
	write_text(ranges, ".text 00001310-00001310 = kvm_aaa\n"
			   ".text 00001040-00001090 tun tap\n"
			   ".text 00001080-000010a0 veth\n"
			   ".text 00001210-00001210 dummy\n"
			   ".text 00001220-00001240 bridge\n"
			   ".rodata 00000000-00000000 = _text\n"
			   ".rodata 00001310-00001400 ext4\n"
			   ".init.text 00000000-00000000 = _sinittext\n"
			   ".init.text 00001310-00001400 xfs\n");
	assert_int_equal(kernel_map_load(&map, &options, NULL), 0);
	check_order(map);
	assert_string_equal(name_at(map, 0xffffffff8100103f, KERNEL_MAP_INTERVAL), "net");
	assert_string_equal(name_at(map, 0xffffffff81001040, KERNEL_MAP_RANGES), "tun");
	assert_string_equal(name_at(map, 0xffffffff8100108f, KERNEL_MAP_RANGES), "tun");
	assert_string_equal(name_at(map, 0xffffffff81001090, KERNEL_MAP_RANGES), "veth");
	assert_string_equal(name_at(map, 0xffffffff810010a0, KERNEL_MAP_INTERVAL), "net");
	assert_string_equal(name_at(map, 0xffffffff81001210, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, 0xffffffff81001220, KERNEL_MAP_RANGES), "bridge");
	assert_string_equal(name_at(map, 0xffffffff81001240, KERNEL_MAP_CORE), "core");
	assert_string_equal(name_at(map, 0xffffffff81001310, KERNEL_MAP_INTERVAL), "kvm");
	kernel_map_free(map);
}

static void test_malformed_builtin_ranges(void **state)
{
	static const char *const malformed[] = {".text\n",
						".text 00001000-00002000\n",
						".text 00001000 kvm\n",
						".text 00002000-00001000 kvm\n",
						".text 00001000-00002000 =\n",
						".text 00001000-00002000 kvm",
						".head.text 00001000-00002000 kvm\n",
						"\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		struct builtin_ranges builtin;
		struct error error = {0};
		char text[256];
		snprintf(text, sizeof(text), ".text 00000000-00000000 = _text\n%s",
			 malformed[i]);
		write_text(ranges, text);
		assert_int_equal(builtin_ranges_read(&builtin, ranges, false, &error),
				 -EBADMSG);
		assert_non_null(strstr(error.message, "line 2"));
		assert_int_equal(builtin.range_count, 0);
	}
}

static void count_drivers(void *data, const char *module)
{
	size_t *count = data;

	assert_string_equal(module, "newdriver");
	++*count;
}

static void test_network(void **state)
{
	static const char *const yes[] = {"net",   "bridge",	    "tun",	 "vhost_net",
					  "e1000", "nft_chain_nat", "ip_tables", "virtio_net"};
	static const char *const no[] = {"core", "kvm",	    "",	     " ",
					 "ne",	 "net tun", "sched", "nvme"};
	char path[256], link[300];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		assert_true(network_is_known(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(network_is_known(no[i]));
	snprintf(path, sizeof(path), "%s/net", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/net/lo", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "mkdir -p %s/net/eth0/device/driver", directory);
	assert_int_equal(system(path), 0);
	snprintf(link, sizeof(link), "%s/net/eth0/device/driver/module", directory);
	assert_int_equal(symlink("../../../../module/newdriver", link), 0);
	snprintf(path, sizeof(path), "%s/net", directory);
	network_each_driver(path, count_drivers, &count);
	assert_int_equal(count, 1);
	network_each_driver(absent, count_drivers, &count);
	assert_int_equal(count, 1);
}

static void test_method_names(void **state)
{
	static const char *const names[] = {"module", "ranges", "interval", "prefix", "core"};

	(void)state;
	for (int i = 0; i < KERNEL_MAP_METHOD_COUNT; i++)
		assert_string_equal(kernel_map_method_name((enum kernel_map_method)i),
				    names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_unsorted),
		cmocka_unit_test(test_symbol),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_modules_and_stale),
		cmocka_unit_test(test_proc_modules),
		cmocka_unit_test(test_builtin_ranges),
		cmocka_unit_test(test_malformed_builtin_ranges),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_method_names),
	};

	return cmocka_run_group_tests_name("symbols: kernel map", tests, make_directory,
					   remove_directory);
}
