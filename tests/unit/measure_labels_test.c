/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample_interval.h"

static uint32_t intern(struct labels *labels, const char *name)
{
	uint32_t label = UINT32_MAX;

	assert_int_equal(labels_intern(labels, name, &label), 0);
	assert_true(label < labels_count(labels));
	assert_string_equal(labels_name(labels, label), name);
	return label;
}

static void test_one_label_a_name(void **state)
{
	struct labels *labels = labels_new();
	char name[] = "libc.so.6";

	(void)state;
	assert_non_null(labels);
	assert_int_equal(labels_count(labels), 0);
	uint32_t libc = intern(labels, name);
	name[0] = 'L';
	assert_string_equal(labels_name(labels, libc), "libc.so.6");
	uint32_t other = intern(labels, name);
	assert_int_not_equal(other, libc);
	assert_int_equal(intern(labels, "libc.so.6"), libc);
	assert_int_equal(labels_count(labels), 2);
	uint32_t empty = intern(labels, "");
	assert_int_equal(intern(labels, ""), empty);
	assert_int_equal(labels_count(labels), 3);
	labels_free(labels);
	labels_free(NULL);
}

static void test_many_labels(void **state)
{
	struct labels *labels = labels_new();
	char name[32];

	(void)state;
	assert_non_null(labels);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "module%u", i);
		assert_int_equal(intern(labels, name), i);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "module%u", i);
		assert_string_equal(labels_name(labels, i), name);
		assert_int_equal(labels_work(labels, i), WORK_OTHER);
	}
	assert_int_equal(labels_count(labels), 1000);
	labels_free(labels);
}

static void test_unsampled(void **state)
{
	struct labels *labels = labels_new();

	(void)state;
	assert_non_null(labels);
	assert_string_equal(labels_name(labels, LABEL_UNSAMPLED), "unsampled");
	intern(labels, "kvm");
	assert_string_equal(labels_name(labels, LABEL_UNSAMPLED), "unsampled");
	assert_int_equal(labels_count(labels), 1);
	labels_free(labels);
}

/* Every subsystem of the map is named as the map names it, and network where the map says so.
 */
static void assert_follows(const struct labels *labels, const struct kernel_map *map)
{
	for (uint32_t i = 0; i < kernel_map_count(map); i++) {
		uint32_t label = labels_of_subsystem(labels, i);
		assert_true(label < labels_count(labels));
		assert_string_equal(labels_name(labels, label),
				    kernel_map_name(map, (uint16_t)i));
		assert_int_equal(labels_work(labels, label) == WORK_NET_RX,
				 kernel_map_is_network(map, (uint16_t)i) != 0);
	}
}

static uint32_t label_in(const struct labels *labels, const struct kernel_map *map,
			 const char *name)
{
	return labels_of_subsystem(labels, sample_subsystem(map, name));
}

static void test_map(void **state)
{
	static const char *const modules[] = {"kvm", "e1000", "nfs", "bridge"};
	struct kernel_map *map = sample_map(modules, 4);
	struct labels *labels = labels_new();

	(void)state;
	assert_non_null(labels);
	/* A shared object first, so that labels and subsystems are numbered differently. */
	uint32_t libc = intern(labels, "libc.so.6");
	assert_int_equal(labels_use_map(labels, map), 0);
	assert_follows(labels, map);
	assert_int_equal(labels_count(labels), kernel_map_count(map) + 1);
	assert_int_equal(labels_work(labels, label_in(labels, map, "e1000")), WORK_NET_RX);
	assert_int_equal(labels_work(labels, label_in(labels, map, "bridge")), WORK_NET_RX);
	assert_int_equal(labels_work(labels, label_in(labels, map, "kvm")), WORK_OTHER);
	assert_int_equal(labels_work(labels, label_in(labels, map, "core")), WORK_OTHER);
	assert_int_equal(labels_work(labels, libc), WORK_OTHER);
	/* A name is one label, wherever it comes from. */
	assert_int_equal(intern(labels, "kvm"), label_in(labels, map, "kvm"));
	kernel_map_free(map);
	labels_free(labels);
}

static void test_next_map(void **state)
{
	static const char *const before[] = {"kvm", "e1000", "nfs"};
	static const char *const after[] = {"vhost_net", "e1000", "xfs", "kvm"};
	struct kernel_map *map = sample_map(before, 3);
	struct labels *labels = labels_new();

	(void)state;
	assert_non_null(labels);
	assert_int_equal(labels_use_map(labels, map), 0);
	uint32_t core = label_in(labels, map, "core"), kvm = label_in(labels, map, "kvm");
	uint32_t e1000 = label_in(labels, map, "e1000"), nfs = label_in(labels, map, "nfs");
	uint32_t kvm_subsystem = sample_subsystem(map, "kvm");
	kernel_map_free(map);

	map = sample_map(after, 4);
	assert_int_not_equal(sample_subsystem(map, "kvm"), kvm_subsystem);
	assert_int_equal(labels_use_map(labels, map), 0);
	assert_follows(labels, map);
	assert_int_equal(label_in(labels, map, "core"), core);
	assert_int_equal(label_in(labels, map, "kvm"), kvm);
	assert_int_equal(label_in(labels, map, "e1000"), e1000);
	uint32_t vhost = label_in(labels, map, "vhost_net"), xfs = label_in(labels, map, "xfs");
	assert_true(vhost != nfs && xfs != nfs && vhost != xfs);
	assert_int_equal(labels_work(labels, vhost), WORK_NET_RX);
	assert_int_equal(labels_work(labels, xfs), WORK_OTHER);
	kernel_map_free(map);
	/* The labels of the maps before outlive the maps: ledgers made with them are shown yet.
	 */
	assert_string_equal(labels_name(labels, nfs), "nfs");
	assert_string_equal(labels_name(labels, xfs), "xfs");
	labels_free(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_label_a_name), cmocka_unit_test(test_many_labels),
		cmocka_unit_test(test_unsampled),	 cmocka_unit_test(test_map),
		cmocka_unit_test(test_next_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
