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

#include "discover/tracked_vm.h"
#include "discover/vm.h"

static void test_role_names(void **state)
{
	static const char *const names[] = {"vcpu", "iothread", "vmm", "vhost", "kvm", "other"};

	(void)state;
	for (int role = 0; role < THREAD_ROLE_COUNT; role++)
		assert_string_equal(thread_role_name((enum thread_role)role), names[role]);
}

static void test_roles_from_names(void **state)
{
	static const struct {
		const char *name;
		bool is_main;
		enum thread_role role;
		int index;
	} cases[] = {
		{"CPU 0/KVM", false, THREAD_VCPU, 0},
		{"CPU 137/KVM", false, THREAD_VCPU, 137},
		{"CPU 0/TCG", false, THREAD_OTHER, -1},
		{"CPU /KVM", false, THREAD_OTHER, -1},
		{"CPU -1/KVM", false, THREAD_OTHER, -1},
		{"CPU 1/KVMx", false, THREAD_OTHER, -1},
		{"fc_vcpu 3", false, THREAD_VCPU, 3},
		{"vcpu12", false, THREAD_VCPU, 12},
		{"vcpu", false, THREAD_OTHER, -1},
		{"vcpu99999999999", false, THREAD_OTHER, -1},
		{"crosvm_vcpu7", false, THREAD_VCPU, 7},
		{"kvm-vcpu-0", false, THREAD_VCPU, 0},
		{"kvm-vcpu-0", true, THREAD_VCPU, 0},
		{"IO iothread0", false, THREAD_IOTHREAD, -1},
		{"worker", false, THREAD_IOTHREAD, -1},
		{"worker", true, THREAD_VMM, -1},
		{"iou-wrk-4711", false, THREAD_IOTHREAD, -1},
		{"virtio-net-tx", false, THREAD_IOTHREAD, -1},
		{"_disk0_q0", false, THREAD_IOTHREAD, -1},
		{"v_block", false, THREAD_IOTHREAD, -1},
		{"vhost-4711", false, THREAD_VHOST, -1},
		{"kvm-pit/4711", false, THREAD_KVM, -1},
		{"kvm-nx-lpage-re", false, THREAD_KVM, -1},
		{"kvm-nx-lpage-recovery-4711", false, THREAD_KVM, -1},
		{"qemu-system-x86", true, THREAD_VMM, -1},
		{"qemu-system-x86", false, THREAD_OTHER, -1},
		{"", false, THREAD_OTHER, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int index = 4711;
		enum thread_role role =
			thread_role_from_name(cases[i].name, cases[i].is_main, &index);

		if (role != cases[i].role || index != cases[i].index)
			fail_msg("'%s': role %s, index %d", cases[i].name,
				 thread_role_name(role), index);
	}
}

static void test_threads_are_ordered_and_unique(void **state)
{
	struct vm vm = {.pid = 100};
	struct vm_thread *thread;
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		char name[16];
		pid_t tid = 100 + (int)(seed % 64);

		snprintf(name, sizeof(name), seed & 0x40 ? "CPU %d/KVM" : "thread %d", i % 7);
		seed = seed * 1103515245 + 12345;
		thread = vm_add_thread(&vm, tid, 100, name);
		assert_non_null(thread);
		assert_int_equal(thread->tid, tid);
	}
	assert_true(vm.thread_count <= 64);
	for (size_t i = 1; i < vm.thread_count; i++) {
		const struct vm_thread *a = &vm.threads[i - 1], *b = &vm.threads[i];

		assert_true(a->role < b->role || (a->role == b->role &&
						  (a->index < b->index ||
						   (a->index == b->index && a->tid < b->tid))));
	}
	for (size_t i = 0; i < vm.thread_count; i++)
		assert_ptr_equal(vm_find_thread(&vm, vm.threads[i].tid), &vm.threads[i]);
	assert_null(vm_find_thread(&vm, 99));
	vm_clear(&vm);
	assert_int_equal(vm.thread_count, 0);
}

static void test_thread_names_are_cut_and_printable(void **state)
{
	struct vm vm = {.pid = 1};

	(void)state;
	assert_string_equal(vm_add_thread(&vm, 2, 2, "kvm-nx-lpage-recovery-1")->name,
			    "kvm-nx-lpage-re");
	assert_string_equal(vm_add_thread(&vm, 3, 1, "a\nb\033\xff")->name, "a?b??");
	vm_clear(&vm);
}

static void test_matches(void **state)
{
	char name[] = "web1", id[] = "5A5A0000-aaaa", uuid[] = "5A5A0000-aaaa",
	     shown[] = "Shop";
	struct vm vm = {
		.pid = 1234, .name = name, .id = id, .uuid = uuid, .display_name = shown};

	(void)state;
	assert_true(vm_matches(&vm, "web1"));
	assert_true(vm_matches(&vm, "1234"));
	assert_true(vm_matches(&vm, "5a5a0000-AAAA"));
	assert_true(vm_matches(&vm, "Shop"));
	assert_false(vm_matches(&vm, "web"));
	assert_false(vm_matches(&vm, "WEB1"));
	assert_false(vm_matches(&vm, "1234x"));
	assert_false(vm_matches(&vm, " 1234"));
	assert_false(vm_matches(&vm, ""));
	assert_false(vm_matches(&vm, "99999999999999999999999"));
}

static struct tracked_vcpu vcpu(uint64_t kvm, int index, uint64_t exits, pid_t runner)
{
	return (struct tracked_vcpu){.kvm = kvm,
				     .index = index,
				     .exits = exits,
				     .halt_poll_ns = 10 * exits,
				     .runner = runner,
				     .has_stats = true};
}

static void test_counters_never_fall(void **state)
{
	struct tracked_vcpu room[4];
	struct vm_vcpu counters[4];
	struct vm vm = {.counters = counters};
	struct tracked_vm tracked = {.vm = &vm, .vcpus = room, .vcpu_room = 4};
	struct tracked_vcpu first[] = {vcpu(7, 1, 100, 0), vcpu(7, 0, 50, 11),
				       vcpu(7, 1, 100, 0)};
	struct tracked_vcpu same[] = {vcpu(7, 0, 60, 11), vcpu(7, 1, 110, 0)};
	struct tracked_vcpu closed[] = {vcpu(7, 0, 70, 11)};
	struct tracked_vcpu started[] = {vcpu(7, 0, 70, 11), vcpu(7, 2, 5, 12)};

	(void)state;
	assert_true(tracked_update_vcpus(&tracked, first, 3)); /* one is there twice */
	assert_int_equal(vm.vcpus, 2);
	assert_int_equal(vm.exits, 150);
	assert_int_equal(tracked.vcpus[0].index, 0);
	assert_false(tracked_update_vcpus(&tracked, same, 2));
	assert_int_equal(vm.exits, 170);
	assert_true(tracked_update_vcpus(&tracked, closed, 1));
	assert_int_equal(vm.vcpus, 1);
	assert_int_equal(vm.exits, 180);
	assert_true(tracked_update_vcpus(&tracked, started, 2));
	assert_int_equal(vm.exits, 185);
	assert_int_equal(vm.halt_poll_ns, 1850);
	assert_true(vm.kvm_stats_known);
	started[1].has_stats = false;
	tracked_update_vcpus(&tracked, started, 2);
	assert_false(vm.kvm_stats_known);
}

static void test_runner_is_kept(void **state)
{
	struct tracked_vcpu room[1];
	struct vm_vcpu counters[1];
	struct vm vm = {.counters = counters};
	struct tracked_vm tracked = {.vm = &vm, .vcpus = room, .vcpu_room = 1};
	struct tracked_vcpu run[] = {vcpu(7, 0, 1, 11)}, unknown[] = {vcpu(7, 0, 2, 0)},
			    other[] = {vcpu(7, 0, 3, 12)};

	(void)state;
	tracked_update_vcpus(&tracked, run, 1);
	assert_false(tracked_update_vcpus(&tracked, unknown, 1));
	assert_int_equal(tracked.vcpus[0].runner, 11);
	assert_true(tracked_update_vcpus(&tracked, other, 1));
	assert_int_equal(tracked.vcpus[0].runner, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_role_names),
		cmocka_unit_test(test_roles_from_names),
		cmocka_unit_test(test_threads_are_ordered_and_unique),
		cmocka_unit_test(test_thread_names_are_cut_and_printable),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_counters_never_fall),
		cmocka_unit_test(test_runner_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
