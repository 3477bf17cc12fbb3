/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder_bench.h"

/* The only thread of a VM with this tid. */
static size_t thread_index(const struct bench *bench, pid_t tid)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < bench->interval.ledger.thread_count; i++) {
		if (bench->interval.threads[i].owner != OWNER_VM ||
		    bench->interval.threads[i].tid != tid)
			continue;
		assert_true(found == SIZE_MAX);
		found = i;
	}
	assert_true(found != SIZE_MAX);
	return found;
}

static const struct ledger_thread *charged(const struct bench *bench, pid_t tid)
{
	return &bench->interval.ledger.threads[thread_index(bench, tid)];
}

/* The thread of the ledger that stands for all of an owner. */
static const struct ledger_thread *charged_to(const struct bench *bench,
					      enum account_owner owner)
{
	size_t i = 0;

	while (i < bench->interval.ledger.thread_count &&
	       bench->interval.threads[i].owner != owner)
		i++;
	assert_true(i < bench->interval.ledger.thread_count);
	return &bench->interval.ledger.threads[i];
}

static uint64_t time_of(const struct bench *bench, const struct label_times *times,
			const char *name)
{
	for (size_t i = 0; i < times->count; i++)
		if (strcmp(labels_name(bench->labels, times->items[i].label), name) == 0)
			return times->items[i].ns;
	return 0;
}

static void assert_role(const struct bench *bench, pid_t tid, uint32_t vm,
			enum thread_role role, int index, const char *name)
{
	const struct interval_thread *thread =
		&bench->interval.threads[thread_index(bench, tid)];

	assert_int_equal(thread->vm, vm);
	assert_int_equal(thread->role, role);
	assert_int_equal(thread->index, index);
	assert_string_equal(thread->name, name);
	assert_non_null(vm_find_thread(&bench->vms[vm], tid));
}

/* Two VMs, of which 100 is known with its main thread and a vCPU, and 200 without threads. */
static void collect_owners(struct bench *bench)
{
	struct vm *vm = bench_vm(bench, PID(100), 3);
	assert_non_null(vm_add_thread(vm, PID(100), PID(100), "qemu-system-x86"));
	assert_non_null(vm_add_thread(vm, PID(101), PID(100), "CPU 0/KVM"));
	bench_vm(bench, PID(200), 1);

	bench_begin(bench, 4, 1000 * MS);
	bench_task(bench, PID(100), PID(100), "qemu-system-x86", 50 * MS, 2 * MS);
	bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 300 * MS, 7 * MS);
	bench_task(bench, PID(100), PID(102), "CPU 1/KVM", 200 * MS, 5 * MS);
	bench_task(bench, PID(100), PID(103), "IO iothread0", 10 * MS, 0);
	bench_task(bench, PID(200), PID(200), "firecracker", 25 * MS, 1 * MS);
	bench_task(bench, (pid_t)getpid(), (pid_t)getpid(), "kvmperf", 4 * MS, 9 * MS);
	/* Processes may call themselves as they like. */
	bench_task(bench, PID(900), PID(900), "vhost-5000100", 8 * MS, 9 * MS);
	bench_task(bench, PID(901), PID(901), "ksoftirqd/7", 1 * MS, 0);
	bench_kernel_task(bench, PID(500), "vhost-5000100", 30 * MS);
	bench_kernel_task(bench, PID(501), "kvm-pit/5000200", 2 * MS);
	bench_kernel_task(bench, PID(502), "ksoftirqd/0", 10 * MS);
	bench_kernel_task(bench, PID(503), "napi/eth0-8193", 5 * MS);
	bench_kernel_task(bench, PID(504), "kworker/0:1", 20 * MS);
	bench_kernel_task(bench, PID(505), "vhost-5000999", 1 * MS);
	bench_kernel_task(bench, PID(506), "vhost-", 3 * MS);
	bench->collection.processes_run_ns = 60 * MS;
	bench->collection.kernel_run_ns = 40 * MS;
	bench->collection.shared_run_ns = 6 * MS;
	bench->collection.self_run_ns = 2 * MS;
}

static void test_times_of_owners(void **state)
{
	struct bench *bench = *state;

	collect_owners(bench);
	const struct ledger *ledger = bench_build(bench);
	assert_role(bench, PID(100), 0, THREAD_VMM, -1, "qemu-system-x86");
	assert_role(bench, PID(101), 0, THREAD_VCPU, 0, "CPU 0/KVM");
	assert_role(bench, PID(102), 0, THREAD_VCPU, 1, "CPU 1/KVM");
	assert_role(bench, PID(103), 0, THREAD_IOTHREAD, -1, "IO iothread0");
	assert_role(bench, PID(500), 0, THREAD_VHOST, -1, "vhost-5000100");
	assert_role(bench, PID(200), 1, THREAD_VMM, -1, "firecracker");
	assert_role(bench, PID(501), 1, THREAD_KVM, -1, "kvm-pit/5000200");
	assert_int_equal(bench->vms[0].thread_count, 5);
	assert_int_equal(bench->vms[1].thread_count, 2);

	assert_int_equal(charged(bench, PID(100))->charged_ns, 50 * MS);
	assert_int_equal(charged(bench, PID(101))->charged_ns, 300 * MS);
	assert_int_equal(charged(bench, PID(102))->charged_ns, 200 * MS);
	assert_int_equal(charged(bench, PID(103))->charged_ns, 10 * MS);
	assert_int_equal(charged(bench, PID(500))->charged_ns, 30 * MS);
	assert_int_equal(charged(bench, PID(200))->charged_ns, 25 * MS);
	assert_int_equal(charged(bench, PID(501))->charged_ns, 2 * MS);
	assert_int_equal(ledger_vm_total_ns(&ledger->vms[0]), 590 * MS);
	assert_int_equal(ledger_vm_total_ns(&ledger->vms[1]), 27 * MS);
	assert_int_equal(bench->interval.vms[0].ready_ns, 14 * MS);
	assert_int_equal(bench->interval.vms[1].ready_ns, 1 * MS);
	assert_int_equal(ledger->processes_ns, 69 * MS);
	assert_int_equal(ledger->kernel_ns, 64 * MS);
	assert_int_equal(ledger->self_ns, 6 * MS);
	assert_int_equal(charged_to(bench, OWNER_SHARED)->charged_ns, 21 * MS);
	/* Without samples nobody knows what ksoftirqd did. */
	assert_int_equal(time_of(bench, &ledger->unattributed, "unsampled"), 21 * MS);
	assert_int_equal(ledger->unattributed.total_ns, 21 * MS);
	assert_int_equal(ledger->idle_ns, (4000 - 590 - 27 - 69 - 64 - 6 - 21) * MS);
}

static void test_samples_of_owners(void **state)
{
	struct bench *bench = *state;

	collect_owners(bench);
	bench_count(bench, PID(100), PID(101), MODE_GUEST, 0, 100);
	bench_count(bench, PID(100), PID(102), MODE_GUEST, 0, 75);
	bench_count(bench, PID(100), PID(102), MODE_KERNEL, bench->kvm, 25);
	bench_count(bench, PID(100), PID(103), MODE_USER, 0, 40);
	bench_count(bench, PID(100), PID(100), MODE_USER, 0, 40);
	bench_count(bench, PID(500), PID(500), MODE_KERNEL, bench->e1000, 30);
	bench_count(bench, PID(501), PID(501), MODE_KERNEL, bench->kvm, 31);
	bench_count(bench, PID(200), PID(200), MODE_USER, 0, 50);
	bench_count(bench, PID(502), PID(502), MODE_SOFTIRQ, bench->e1000, 60);
	bench_count(bench, PID(503), PID(503), MODE_KERNEL, bench->e1000, 10);
	bench_count(bench, PID(504), PID(504), MODE_KERNEL, bench->core, 10);
	bench_count(bench, PID(900), PID(900), MODE_USER, 0, 11);
	bench_count(bench, PID(77), PID(77), MODE_GUEST, 0, 12);
	bench_count(bench, getpid(), getpid(), MODE_USER, 0, 5);
	const struct ledger *ledger = bench_build(bench);
	const struct ledger_vm *one = &ledger->vms[0], *two = &ledger->vms[1];

	assert_int_equal(charged(bench, PID(101))->samples, 100);
	assert_int_equal(charged(bench, PID(102))->samples, 100);
	assert_int_equal(charged(bench, PID(500))->samples, 30);
	assert_int_equal(charged_to(bench, OWNER_SHARED)->samples, 70);
	assert_int_equal(charged_to(bench, OWNER_KERNEL)->samples, 10);
	assert_int_equal(charged_to(bench, OWNER_PROCESSES)->samples, 23);
	assert_int_equal(charged_to(bench, OWNER_SELF)->samples, 5);
	assert_int_equal(ledger->samples, 499);

	assert_int_equal(one->guest_ns, (300 + 150) * MS);
	assert_false(one->guest_split_known);
	assert_int_equal(one->vmm.total_ns, (50 + 10) * MS);
	assert_int_equal(time_of(bench, &one->vmm, "unsampled"), 60 * MS);
	assert_int_equal(time_of(bench, &one->kernel, "kvm"), 50 * MS);
	assert_int_equal(time_of(bench, &one->kernel, "e1000"), 30 * MS);
	assert_int_equal(two->vmm.total_ns, 25 * MS);
	assert_int_equal(time_of(bench, &two->kernel, "kvm"), 2 * MS);
	/* 21 ms of softirq work in a network driver, three to one. */
	assert_int_equal(time_of(bench, &one->shared, "e1000"), 15750000);
	assert_int_equal(time_of(bench, &two->shared, "e1000"), 5250000);
	assert_int_equal(ledger->unattributed.total_ns, 0);
}

static void test_shared_threads_are_remembered(void **state)
{
	struct bench *bench = *state;

	bench_begin(bench, 1, 1000 * MS);
	bench_kernel_task(bench, PID(502), "ksoftirqd/0", 10 * MS);
	bench_kernel_task(bench, PID(501), "napi/eth1-4", 10 * MS);
	bench_kernel_task(bench, PID(503), "ksoftirqd/1", 10 * MS);
	bench_build(bench);
	/* They did not run to the end of a time slice: samples, but their time is elsewhere. */
	bench_begin(bench, 1, 1000 * MS);
	bench->collection.shared_run_ns = 30 * MS;
	bench_count(bench, PID(503), PID(503), MODE_SOFTIRQ, bench->core, 10);
	bench_count(bench, PID(501), PID(501), MODE_SOFTIRQ, bench->core, 20);
	bench_count(bench, PID(504), PID(504), MODE_KERNEL, bench->core, 40);
	const struct ledger *ledger = bench_build(bench);
	assert_int_equal(charged_to(bench, OWNER_SHARED)->samples, 30);
	assert_int_equal(charged_to(bench, OWNER_KERNEL)->samples, 40);
	assert_int_equal(time_of(bench, &ledger->unattributed, "core"), 30 * MS);
	assert_int_equal(ledger->kernel_ns, 0);
}

static void test_idle_task(void **state)
{
	struct bench *bench = *state;

	bench_begin(bench, 2, 1000 * MS);
	bench_count(bench, 0, 0, MODE_SOFTIRQ, bench->e1000, 10);
	bench_count(bench, 0, 0, MODE_KERNEL, bench->core, 500);
	const struct ledger *ledger = bench_build(bench);
	assert_int_equal(charged_to(bench, OWNER_IDLE)->samples, 510);
	assert_int_equal(time_of(bench, &ledger->unattributed, "e1000"), 10 * BENCH_PERIOD_NS);
	assert_int_equal(ledger->unattributed.total_ns, 10 * BENCH_PERIOD_NS);
	assert_int_equal(ledger->idle_ns, 1990 * MS);
}

static void test_splits(void **state)
{
	struct bench *bench = *state;
	struct vm *vm = bench_vm(bench, PID(100), 0);

	/* A device process that the VMM has forked off, whose group is its own. */
	assert_non_null(vm_add_thread(vm, PID(100), PID(100), "crosvm"));
	assert_non_null(vm_add_thread(vm, PID(101), PID(100), "crosvm_vcpu0"));
	assert_non_null(vm_add_thread(vm, PID(150), PID(150), "pcivirtio"));
	bench_vm(bench, PID(200), 0);
	bench_begin(bench, 1, 1000 * MS);
	bench_task(bench, PID(100), PID(101), "crosvm_vcpu0", 400 * MS, 0);
	bench_task(bench, PID(150), PID(150), "pcivirtio", 40 * MS, 0);
	bench_task(bench, PID(200), PID(200), "kvmtool", 60 * MS, 0);
	bench_count(bench, PID(100), PID(101), MODE_GUEST, 0, 100);
	bench_count(bench, PID(150), PID(150), MODE_USER, 0, 40);
	bench_count(bench, PID(200), PID(200), MODE_USER, 0, 40);
	bench_split(bench, PID(100), NULL, false, 45);
	bench_split(bench, PID(100), NULL, true, 15);
	bench_split(bench, PID(150), "crosvm", false, 30);
	bench_split(bench, PID(150), "libc.so.6", false, 10);
	bench_split(bench, PID(999), "libc.so.6", false, 1000);
	bench_split(bench, PID(999), NULL, true, 1000);
	bench_split(bench, PID(200), "libc.so.6", false, 1);
	const struct ledger *ledger = bench_build(bench);
	const struct ledger_vm *one = &ledger->vms[0], *two = &ledger->vms[1];

	assert_true(one->guest_split_known);
	assert_int_equal(one->guest_user_ns, 300 * MS);
	assert_int_equal(one->guest_kernel_ns, 100 * MS);
	assert_int_equal(time_of(bench, &one->vmm, "crosvm"), 30 * MS);
	assert_int_equal(time_of(bench, &one->vmm, "libc.so.6"), 10 * MS);
	assert_false(two->guest_split_known);
	assert_int_equal(time_of(bench, &two->vmm, "libc.so.6"), 60 * MS);
	/* The one that stands in the labels already has not got a second label. */
	assert_true(two->vmm.items[0].label == SAMPLE_LIBC);
}

static void test_overfull_interval(void **state)
{
	struct bench *bench = *state;
	struct vm *vm = bench_vm(bench, PID(100), 0);

	assert_non_null(vm_add_thread(vm, PID(101), PID(100), "CPU 0/KVM"));
	assert_non_null(vm_add_thread(vm, PID(102), PID(100), "CPU 1/KVM"));
	bench_begin(bench, 1, 100 * MS);
	bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 150 * MS, 0);
	bench_task(bench, PID(100), PID(102), "CPU 1/KVM", 50 * MS, 0);
	const struct ledger *ledger = bench_build(bench);
	assert_int_equal(ledger->idle_ns, 0);
	assert_int_equal(charged(bench, PID(101))->charged_ns, 75 * MS);
	assert_int_equal(charged(bench, PID(101))->carry_ns, 75 * MS);
	assert_int_equal(charged(bench, PID(102))->charged_ns, 25 * MS);
	assert_int_equal(charged(bench, PID(102))->carry_ns, 25 * MS);

	/* The rest of 101 joins what it ran since; 102 did not run at all. */
	bench_begin(bench, 1, 200 * MS);
	bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 10 * MS, 0);
	ledger = bench_build(bench);
	assert_int_equal(charged(bench, PID(101))->charged_ns, 85 * MS);
	assert_int_equal(charged(bench, PID(102))->charged_ns, 25 * MS);
	assert_int_equal(ledger->idle_ns, 90 * MS);

	/* And is charged once only. */
	bench_begin(bench, 1, 200 * MS);
	ledger = bench_build(bench);
	assert_int_equal(charged(bench, PID(101))->charged_ns, 0);
	assert_int_equal(ledger->idle_ns, 200 * MS);
}

static void test_carry_of_a_vm_that_ended(void **state)
{
	struct bench *bench = *state;

	bench_vm(bench, PID(100), 0);
	bench_begin(bench, 1, 100 * MS);
	bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 130 * MS, 0);
	const struct ledger *ledger = bench_build(bench);
	assert_int_equal(charged(bench, PID(101))->carry_ns, 30 * MS);
	bench->vm_count = 0;
	bench_begin(bench, 1, 100 * MS);
	ledger = bench_build(bench);
	assert_int_equal(ledger->processes_ns, 30 * MS);
	assert_int_equal(ledger->idle_ns, 70 * MS);
}

static void test_carries_of_the_host(void **state)
{
	struct bench *bench = *state;

	bench_begin(bench, 2, 100 * MS);
	bench->collection.processes_run_ns = bench->collection.kernel_run_ns = 100 * MS;
	bench->collection.shared_run_ns = bench->collection.self_run_ns = 100 * MS;
	for (int i = 0; i < 2; i++) {
		const struct ledger *ledger = bench_build(bench);
		assert_int_equal(ledger->processes_ns, 50 * MS);
		assert_int_equal(ledger->kernel_ns, 50 * MS);
		assert_int_equal(ledger->unattributed.total_ns, 50 * MS);
		assert_int_equal(ledger->self_ns, 50 * MS);
		assert_int_equal(ledger->idle_ns, i == 0 ? 0 : 200 * MS);
		bench_begin(bench, 4, 100 * MS);
	}
	assert_int_equal(bench_build(bench)->idle_ns, 400 * MS);
}

static void test_interrupts_apart(void **state)
{
	struct bench *bench = *state;

	bench_vm(bench, PID(100), 1);
	bench_begin(bench, 1, 100 * MS);
	bench->collection.interrupts_apart = true;
	bench->collection.interrupt_ns = 20 * MS;
	bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 60 * MS, 0);
	bench_count(bench, PID(100), PID(101), MODE_GUEST, 0, 60);
	bench_count(bench, PID(100), PID(101), MODE_SOFTIRQ, bench->e1000, 15);
	bench_count(bench, 0, 0, MODE_SOFTIRQ, bench->core, 5);
	const struct ledger *ledger = bench_build(bench);
	assert_int_equal(ledger->vms[0].guest_ns, 60 * MS);
	assert_int_equal(time_of(bench, &ledger->vms[0].shared, "e1000"), 15 * MS);
	assert_int_equal(time_of(bench, &ledger->unattributed, "core"), 5 * MS);
	assert_int_equal(ledger->idle_ns, 20 * MS);

	/* Read in coarse steps, it can be more than there was. */
	bench_begin(bench, 1, 5 * MS);
	bench->collection.interrupts_apart = true;
	bench->collection.interrupt_ns = 10 * MS;
	bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 4 * MS, 0);
	ledger = bench_build(bench);
	assert_int_equal(ledger->unattributed.total_ns, 5 * MS);
	assert_int_equal(charged(bench, PID(101))->carry_ns, 4 * MS);
}

static struct collected_task *exact_task(struct bench *bench, pid_t tgid, pid_t tid,
					 const char *name, struct exact_times exact)
{
	/* The scheduler says something else: read at another time, with interrupts in it. */
	bench_task(bench, tgid, tid, name, exact.guest_ns + exact.host_ns + 3 * MS, MS);
	struct collected_task *task =
		&bench->collection.tasks[bench->collection.task_count - 1];
	task->exact = exact;
	return task;
}

static void add_exit(struct bench *bench, pid_t tgid, uint32_t code, uint64_t count,
		     uint64_t ns)
{
	struct collected_exit *exit = collection_add_exit(&bench->collection);

	assert_non_null(exit);
	*exit = (struct collected_exit){.tgid = tgid,
					.tid = tgid + 1,
					.isa = 2,
					.code = code,
					.count = count,
					.ns = ns};
}

/* Two CPUs for about a second, of which all is known. */
static void collect_exactly(struct bench *bench)
{
	bench_vm(bench, PID(100), 1);
	bench_begin(bench, 2, 1001 * MS);
	exact_task(bench, PID(100), PID(100), "qemu-system-x86",
		   (struct exact_times){0, 20 * MS, 0, 0});
	exact_task(bench, PID(100), PID(101), "CPU 0/KVM",
		   (struct exact_times){600 * MS, 200 * MS, 4 * MS, 6 * MS});
	exact_task(bench, PID(502), PID(502), "ksoftirqd/0",
		   (struct exact_times){0, MS, 0, 9 * MS})
		->kernel_thread = true;
	bench->collection.exact = (struct collected_exact){
		.valid = true,
		.whole = true,
		.capacity_ns = 2000 * MS,
		.processes = {0, 50 * MS, MS, 0},
		.kernel = {0, 10 * MS},
		.self = {0, 2 * MS},
		.idle = {0, 1095 * MS, 1 * MS, 1 * MS},
		.softirq_ns = {[3] = 12 * MS, [9] = 4 * MS},
		.entries = 1000,
		.duty = 1,
	};
	bench_count(bench, PID(100), PID(101), MODE_GUEST, 0, 800);
	bench_count(bench, PID(100), PID(101), MODE_KERNEL, bench->kvm, 100);
	bench_count(bench, PID(100), PID(101), MODE_USER, 0, 100);
	add_exit(bench, PID(100), 0x78, 900, 90 * MS);
	add_exit(bench, PID(100), 0x400, 99, 99 * MS);
	add_exit(bench, PID(100), 0x78, 100, 10 * MS);
	add_exit(bench, PID(777), 0x78, 7, MS);
}

static void test_exact(void **state)
{
	struct bench *bench = *state;

	collect_exactly(bench);
	const struct ledger *ledger = bench_build(bench);
	const struct ledger_vm *vm = &ledger->vms[0];
	assert_int_equal(ledger->capacity_ns, 2000 * MS);
	assert_int_equal(vm->guest_ns, 600 * MS);
	assert_int_equal(vm->vmm.total_ns + vm->kernel.total_ns, 220 * MS);
	/* A tenth of 800 ms is each what samples say of user and kernel; 40 ms they missed. */
	assert_int_equal(time_of(bench, &vm->kernel, "kvm/world-switch"), 40 * MS);
	assert_int_equal(time_of(bench, &vm->kernel, "kvm"), 80 * MS);
	assert_int_equal(charged(bench, PID(101))->interrupt_ns, 10 * MS);
	assert_int_equal(ledger->processes_ns, 50 * MS);
	assert_int_equal(ledger->self_ns, 2 * MS);
	assert_int_equal(ledger->kernel_ns, 10 * MS);
	assert_int_equal(ledger->idle_ns, 1095 * MS);
	assert_int_equal(
		bench->interval.threads[thread_index(bench, PID(101))].exact.softirq_ns,
		6 * MS);

	/* By cost; kinds that are the same are one; what is no VM's is said to be lost. */
	const struct interval_vm *out = &bench->interval.vms[0];
	assert_true(out->exits_known);
	assert_int_equal(out->exit_reasons, 2);
	assert_int_equal(out->exits_by_reason[0].code, 0x78);
	assert_int_equal(out->exits_by_reason[0].count, 1000);
	assert_int_equal(out->exits_by_reason[0].ns, 100 * MS);
	assert_int_equal(out->exits_by_reason[1].ns, 99 * MS);
	assert_int_equal(interval_outside_exits_ns(&bench->interval, 0), 21 * MS);
	assert_int_equal(bench->interval.source.lost_exits, 7);
}

/* A tenth of the time: proportions of what the scheduler says, exits for all of it. */
static void test_exact_in_windows(void **state)
{
	struct bench *bench = *state;

	collect_exactly(bench);
	bench->collection.exact.whole = false;
	bench->collection.exact.duty = 0.1;
	bench->collection.exact.windows = 4;
	const struct ledger *ledger = bench_build(bench);
	assert_int_equal(ledger->capacity_ns, 2002 * MS);
	/* 803 ms by the scheduler, 600 of 810 guest. */
	assert_true(llabs((long long)ledger->vms[0].guest_ns - 594814815) <= 1);
	assert_true(ledger->vms[0].error95.guest > 0);
	const struct interval_vm *out = &bench->interval.vms[0];
	assert_int_equal(out->exits_by_reason[0].count, 10000);
	/* Ten times 199 ms are more than there was host time. */
	uint64_t host_ns = ledger->vms[0].vmm.total_ns + ledger->vms[0].kernel.total_ns;
	assert_true(out->exits_by_reason[0].ns + out->exits_by_reason[1].ns <= host_ns);
	assert_true(interval_outside_exits_ns(&bench->interval, 0) <= 2);
}

static void test_silent_tracepoints(void **state)
{
	struct bench *bench = *state;

	collect_exactly(bench);
	struct collection *collection = &bench->collection;
	assert_false(collection_exact_silent(collection, 100000));
	collection->exact.entries = 0;
	assert_true(collection_exact_silent(collection, 0)); /* 800 samples of a guest */
	collection->count_count = 0;
	assert_false(collection_exact_silent(collection, 0));
	assert_false(collection_exact_silent(collection, 3));
	assert_true(collection_exact_silent(collection, 100000));
	collection->exact.whole = false;
	assert_false(collection_exact_silent(collection, 100000));
}

/* Each interval has its own exits, by thread; those of a vCPU that KVM doesn't tell of none. */
static void test_exits_by_class(void **state)
{
	struct bench *bench = *state;
	struct vm *vm = bench_vm(bench, PID(100), 1);
	const struct interval_thread *thread;

	assert_non_null(vm_add_thread(vm, PID(101), PID(100), "CPU 0/KVM"));
	assert_non_null(vm_add_thread(vm, PID(102), PID(100), "CPU 1/KVM"));
	vm->counters = calloc(2, sizeof(*vm->counters));
	assert_non_null(vm->counters);
	vm->counter_count = 2;
	vm->counters[0] = (struct vm_vcpu){.kvm = 1,
					   .tid = PID(101),
					   .known = true,
					   .exits = 100,
					   .user_exits = 30,
					   .interrupt_exits = 20};
	vm->counters[1] = (struct vm_vcpu){.kvm = 1, .index = 1, .tid = PID(102)};
	assert_int_equal(interval_builder_skip_exits(bench->builder, vm), 0);
	for (uint64_t round = 1; round < 4; round++) {
		vm->counters[0].exits += 10 * round;
		vm->counters[0].user_exits += 3 * round;
		vm->counters[0].interrupt_exits += round;
		bench_begin(bench, 2, 1000 * MS);
		bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 500 * MS, 0);
		bench_task(bench, PID(100), PID(102), "CPU 1/KVM", 500 * MS, 0);
		bench_build(bench);
		thread = &bench->interval.threads[thread_index(bench, PID(101))];
		assert_true(thread->exits_known);
		assert_int_equal(thread->exits[VM_EXIT_KERNEL], 6 * round);
		assert_int_equal(thread->exits[VM_EXIT_USER], 3 * round);
		assert_int_equal(thread->exits[VM_EXIT_INTERRUPT], round);
		thread = &bench->interval.threads[thread_index(bench, PID(102))];
		assert_false(thread->exits_known);
	}
}

/* A thread that neither ran nor waited has slept, and interrupts cost it more then. */
static void test_sleep(void **state)
{
	struct bench *bench = *state;
	struct vm *vm = bench_vm(bench, PID(100), 0);
	const struct exit_costs costs = {.sample = {1 * MS, 0}, .rested_sample = {2 * MS, 0}};
	/* Of a second; run 400 ms with 100 samples, all of them guest: each costs 1 or 2 ms. */
	static const struct {
		uint64_t ready_ns, moved_ns;
	} rounds[] = {{600 * MS, 100 * MS}, {500 * MS, 125 * MS}, {0, 200 * MS}};

	assert_non_null(vm_add_thread(vm, PID(101), PID(100), "CPU 0/KVM"));
	assert_int_equal(interval_builder_correct(bench->builder, &costs, NULL), 0);
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		bench_begin(bench, 2, 1000 * MS);
		bench_task(bench, PID(100), PID(101), "CPU 0/KVM", 400 * MS,
			   rounds[i].ready_ns);
		bench_count(bench, PID(100), PID(101), MODE_GUEST, 0, 100);
		assert_int_equal(bench_build(bench)->vms[0].corrected_ns, rounds[i].moved_ns);
	}
}

/* Each thread's exits cost what they do on the core that it runs on. */
static void test_speed(void **state)
{
	struct bench *bench = *state;
	struct vm *vm = bench_vm(bench, PID(100), 0);
	const struct exit_costs costs = {
		.sample = {1 * MS, 0}, .rested_sample = {1 * MS, 0}, .reference_ns = 60};
	/* Times of the reference loop in two threads: 150 of 80 ns, then few, then none. */
	static const struct {
		uint64_t first, second;
		double first_ns, second_ns; /* the mean, with 16 of all threads' mean */
	} rounds[] = {
		{150, 150, (150 * 80 + 16 * 60) / 166.0, (150 * 40 + 16 * 60) / 166.0},
		{300, 4, (300 * 80 + 16 * 24160 / 304.0) / 316,
		 (4 * 40 + 16 * 24160 / 304.0) / 20},
		{0, 0, 60, 60},
	};

	assert_non_null(vm_add_thread(vm, PID(101), PID(100), "CPU 0/KVM"));
	assert_non_null(vm_add_thread(vm, PID(102), PID(100), "CPU 1/KVM"));
	assert_int_equal(interval_builder_correct(bench->builder, &costs, NULL), 0);
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		const pid_t tids[] = {PID(101), PID(102)};
		const uint64_t references[] = {rounds[i].first, rounds[i].second};
		const double factors[] = {rounds[i].first_ns / 60, rounds[i].second_ns / 60};
		bench_begin(bench, 2, 1000 * MS);
		for (size_t t = 0; t < 2; t++) {
			bench_task(bench, PID(100), tids[t], "vCPU", 400 * MS, 0);
			bench_count(bench, PID(100), tids[t], MODE_GUEST, 0, 100);
			struct collected_count *count =
				&bench->collection.counts[bench->collection.count_count - 1];
			count->references = references[t];
			count->reference_ns = references[t] * (t ? 40 : 80);
		}
		const struct ledger *ledger = bench_build(bench);
		for (size_t t = 0; t < 2; t++) {
			size_t thread = thread_index(bench, tids[t]);
			double moved_ns = 100e6 * factors[t];
			double kernel_ns = (double)ledger->threads[thread].kernel_ns;
			assert_true(fabs(kernel_ns - moved_ns) < 1000);
		}
	}
}

static void test_nothing(void **state)
{
	struct bench *bench = *state;

	bench_begin(bench, 2, 100 * MS);
	assert_int_equal(bench_build(bench)->idle_ns, 200 * MS);
	assert_int_equal(bench->interval.ledger.samples, 0);
	interval_builder_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_times_of_owners),
		BENCH_TEST(test_samples_of_owners),
		BENCH_TEST(test_shared_threads_are_remembered),
		BENCH_TEST(test_idle_task),
		BENCH_TEST(test_splits),
		BENCH_TEST(test_overfull_interval),
		BENCH_TEST(test_carry_of_a_vm_that_ended),
		BENCH_TEST(test_carries_of_the_host),
		BENCH_TEST(test_interrupts_apart),
		BENCH_TEST(test_exact),
		BENCH_TEST(test_exact_in_windows),
		BENCH_TEST(test_silent_tracepoints),
		BENCH_TEST(test_exits_by_class),
		BENCH_TEST(test_sleep),
		BENCH_TEST(test_speed),
		BENCH_TEST(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
