/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/kernel_map.h"

/* The recordings are described in tests/golden/kernel/README.md. */
#define RECORDS "tests/golden/kernel/"

static struct kernel_map *load(const char *kallsyms, const char *modules, const char *ranges)
{
	const struct kernel_map_options options = {kallsyms, modules, ranges};
	struct kernel_map *map = NULL;
	struct error error = {0};
	int code = kernel_map_load(&map, &options, &error);

	if (code)
		fail_msg("%s", error.message);
	return map;
}

/* How far the map agrees with where the sources define the functions. */
struct agreement {
	size_t functions;
	size_t wrong;
	size_t unnamed;
};

static struct agreement compare(const struct kernel_map *map, const char *truth)
{
	struct agreement result = {0};
	FILE *file = fopen(truth, "r");
	char subsystem[64];
	uint64_t address;

	assert_non_null(file);
	while (fscanf(file, "%" SCNx64 " %63s", &address, subsystem) == 2) {
		const char *name = kernel_map_name(map, kernel_map_lookup(map, address, NULL));
		result.functions++;
		if (strcmp(name, "core") == 0)
			result.unnamed++;
		else if (strcmp(name, subsystem) != 0)
			result.wrong++;
	}
	assert_true(feof(file));
	fclose(file);
	return result;
}

/* At most 1 % wrong and 2.5 % unnamed: hot code or not, every function counts alike here. */
static void assert_agreement(const struct kernel_map *map, const char *truth, size_t functions)
{
	struct agreement result = compare(map, truth);

	assert_true(result.functions >= functions);
	assert_in_range(result.wrong, 0, result.functions / 100);
	assert_in_range(result.unnamed, 0, result.functions / 40);
}

struct home {
	const char *symbol;
	const char *subsystem;
	enum kernel_map_method method;
	int network;
};

static void assert_homes(const struct kernel_map *map, const struct home *homes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum kernel_map_method method;
		uint64_t address = kernel_map_symbol(map, homes[i].symbol);
		if (!address)
			fail_msg("%s is not recorded", homes[i].symbol);
		uint16_t subsystem = kernel_map_lookup(map, address, &method);
		if (strcmp(kernel_map_name(map, subsystem), homes[i].subsystem) != 0)
			fail_msg("%s: %s", homes[i].symbol, kernel_map_name(map, subsystem));
		if (method != homes[i].method ||
		    kernel_map_is_network(map, subsystem) != homes[i].network)
			fail_msg("%s: method %s, network %d", homes[i].symbol,
				 kernel_map_method_name(method),
				 kernel_map_is_network(map, subsystem));
	}
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void test_everything_built_in(void **state)
{
	static const struct home homes[] = {
		{"kvm_vcpu_ioctl", "kvm", KERNEL_MAP_INTERVAL, 0},
		{"kvm_vcpu_fault", "kvm", KERNEL_MAP_INTERVAL, 0},
		{"pvm_vcpu_run", "kvm_pvm", KERNEL_MAP_INTERVAL, 0},
		{"tun_chr_ioctl", "tun", KERNEL_MAP_INTERVAL, 1},
		{"veth_xmit", "veth", KERNEL_MAP_INTERVAL, 1},
		{"br_handle_frame", "bridge", KERNEL_MAP_INTERVAL, 1},
		{"tcp_v4_rcv", "net", KERNEL_MAP_INTERVAL, 1},
		{"try_to_wake_up", "sched", KERNEL_MAP_INTERVAL, 0},
		{"__schedule", "sched", KERNEL_MAP_INTERVAL, 0},
		{"mutex_lock", "locking", KERNEL_MAP_INTERVAL, 0},
		{"_raw_spin_lock", "locking", KERNEL_MAP_INTERVAL, 0},
		{"handle_mm_fault", "mm", KERNEL_MAP_INTERVAL, 0},
		{"handle_softirqs", "irq", KERNEL_MAP_INTERVAL, 0},
		{"entry_SYSCALL_64", "entry", KERNEL_MAP_INTERVAL, 0},
		{"asm_sysvec_apic_timer_interrupt", "entry", KERNEL_MAP_INTERVAL, 0},
		{"ext4_file_read_iter", "ext4", KERNEL_MAP_INTERVAL, 0},
		/* the kernel as a guest is not KVM */
		{"kvm_io_delay", "x86", KERNEL_MAP_INTERVAL, 0},
		{"pvm_safe_halt", "x86", KERNEL_MAP_INTERVAL, 0},
	};
	struct kernel_map *map = load(RECORDS "6.18/kallsyms", "/nonexistent", NULL);
	size_t ranges;

	(void)state;
	kernel_map_ranges(map, &ranges);
	assert_in_range(ranges, 100, 4096);
	assert_homes(map, homes, COUNT(homes));
	assert_agreement(map, RECORDS "6.18/truth", 2000);
	assert_int_equal(kernel_map_symbol(map, "__preempt_count"), 0);
	assert_int_equal(kernel_map_stale(map), 0);
	kernel_map_free(map);
}

static const struct home module_homes[] = {
	{"kvm_vcpu_ioctl", "kvm", KERNEL_MAP_MODULE, 0},
	{"svm_vcpu_run", "kvm_amd", KERNEL_MAP_MODULE, 0},
	{"tun_chr_ioctl", "tun", KERNEL_MAP_MODULE, 1},
	{"br_handle_frame", "bridge", KERNEL_MAP_MODULE, 1},
	{"handle_tx", "vhost_net", KERNEL_MAP_MODULE, 1},
	{"e1000_clean", "e1000", KERNEL_MAP_MODULE, 1},
	{"__schedule", "sched", KERNEL_MAP_INTERVAL, 0},
};

static void test_modules(void **state)
{
	struct kernel_map *map = load(RECORDS "6.1/kallsyms", RECORDS "6.1/modules", NULL);
	enum kernel_map_method method;

	(void)state;
	assert_homes(map, module_homes, COUNT(module_homes));
	assert_agreement(map, RECORDS "6.1/truth", 900);
	assert_int_equal(kernel_map_symbol(map, "__preempt_count"), 0x1fb40);
	assert_int_equal(kernel_map_stale(map), 0);
	/* at the module's base, before its first function; behind its last page */
	assert_string_equal(
		kernel_map_name(map, kernel_map_lookup(map, 0xffffffffc033d000, &method)),
		"kvm_amd");
	assert_int_equal(method, KERNEL_MAP_MODULE);
	assert_string_equal(
		kernel_map_name(map, kernel_map_lookup(map, 0xffffffffc033d000 - 1, NULL)),
		"bpf");
	kernel_map_free(map);
}

/* Since 6.4 a module's text, data and read-only data lie apart. */
static void test_split_module_memory(void **state)
{
	struct kernel_map *map = load(RECORDS "6.12/kallsyms", RECORDS "6.12/modules", NULL);

	(void)state;
	assert_homes(map, module_homes, COUNT(module_homes));
	assert_agreement(map, RECORDS "6.12/truth", 600);
	assert_int_equal(kernel_map_symbol(map, "pcpu_hot"), 0x351c0);
	kernel_map_free(map);
}

static void test_builtin_ranges(void **state)
{
	static const struct home homes[] = {
		{"kvm_vcpu_ioctl", "kvm", KERNEL_MAP_RANGES, 0},
		{"tun_chr_ioctl", "tun", KERNEL_MAP_RANGES, 1},
		{"veth_xmit", "veth", KERNEL_MAP_RANGES, 1},
		{"br_handle_frame", "bridge", KERNEL_MAP_RANGES, 1},
		{"tcp_v4_rcv", "net", KERNEL_MAP_INTERVAL, 1},
		{"__schedule", "sched", KERNEL_MAP_INTERVAL, 0},
	};
	struct kernel_map *map = load(RECORDS "6.18/kallsyms", "/nonexistent",
				      RECORDS "6.18/modules.builtin.ranges");

	(void)state;
	assert_homes(map, homes, COUNT(homes));
	assert_agreement(map, RECORDS "6.18/truth", 2000);
	kernel_map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_built_in),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_split_module_memory),
		cmocka_unit_test(test_builtin_ranges),
	};

	return cmocka_run_group_tests_name("symbols of recorded kernels", tests, NULL, NULL);
}
