/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/ledger.h"

#define MS 1000000ULL

/* Labels: 0 kvm, 1 bridge, 2 e1000. */
#define LABELS 3

static uint64_t time_of(const struct label_times *times, uint32_t label)
{
	for (size_t i = 0; i < times->count; i++)
		if (times->items[i].label == label)
			return times->items[i].ns;
	return 0;
}

/* A ledger must balance, and each VM's and thread's parts must sum to the whole. */
static void assert_balanced(const struct ledger *ledger, const struct account_input *input)
{
	uint64_t of_vm[64] = {0}, run = 0;

	assert_true(ledger->capacity_ns == input->capacity_ns);
	assert_true(ledger_sum(ledger) == ledger->capacity_ns);
	for (size_t v = 0; v < ledger->vm_count; v++) {
		const struct ledger_vm *vm = &ledger->vms[v];
		const struct label_times *maps[] = {&vm->vmm, &vm->kernel, &vm->shared};
		for (size_t m = 0; m < 3; m++) {
			uint64_t sum = 0;
			for (size_t i = 0; i < maps[m]->count; i++) {
				sum += maps[m]->items[i].ns;
				assert_true(i == 0 || maps[m]->items[i - 1].label <
							      maps[m]->items[i].label);
			}
			assert_true(sum == maps[m]->total_ns);
		}
		if (vm->guest_split_known)
			assert_true(vm->guest_user_ns + vm->guest_kernel_ns == vm->guest_ns);
		assert_true(vm->error95.guest >= 0 && vm->error95.hypervisor >= 0);
	}
	for (size_t i = 0; i < ledger->thread_count; i++) {
		const struct ledger_thread *thread = &ledger->threads[i];
		const struct account_thread *from = &input->threads[i];
		if (from->owner == OWNER_IDLE)
			continue;
		assert_true(thread->charged_ns + thread->carry_ns == from->run_ns);
		run += from->run_ns;
		if (from->owner != OWNER_VM)
			continue;
		assert_true(thread->guest_ns + thread->user_ns + thread->kernel_ns +
				    thread->interrupt_ns ==
			    thread->charged_ns);
		of_vm[from->vm] += thread->charged_ns - thread->interrupt_ns;
	}
	for (size_t v = 0; v < ledger->vm_count; v++)
		assert_true(of_vm[v] == ledger_vm_total_ns(&ledger->vms[v]) -
						ledger->vms[v].shared.total_ns);
	/* Time is put off only when there was too much of it. */
	uint64_t apart = input->interrupts_apart ? input->interrupt_ns : 0;
	for (size_t i = 0; i < ledger->thread_count && run + apart <= input->capacity_ns; i++)
		assert_true(ledger->threads[i].carry_ns == 0);
}

static void test_one_vm(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_PROCESSES, .run_ns = 50 * MS},
		{.owner = OWNER_IDLE},
		{.owner = OWNER_VM, .vm = 0, .role = 0, .run_ns = 600 * MS},
	};
	static const struct account_count counts[] = {
		{.thread = 2, .mode = MODE_GUEST, .samples = 90},
		{.thread = 2, .mode = MODE_USER, .samples = 30},
		{.thread = 2, .mode = MODE_KERNEL, .label = 0, .samples = 30},
	};
	static const struct account_split splits[] = {
		{.vm = 0, .mode = MODE_GUEST, .label = LABEL_GUEST_USER, .samples = 2},
		{.vm = 0, .mode = MODE_GUEST, .label = LABEL_GUEST_KERNEL, .samples = 1},
		{.vm = 0, .mode = MODE_USER, .label = 7, .samples = 5},
	};
	static const uint64_t weights[] = {1, 0};
	struct account_input input = {
		.capacity_ns = 2000 * MS,
		.period_ns = 4 * MS,
		.threads = threads,
		.thread_count = 3,
		.counts = counts,
		.count_count = 3,
		.splits = splits,
		.split_count = 3,
		.weights = {[WORK_NET_RX] = weights},
		.vm_count = 1,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	assert_int_equal(ledger.vms[0].guest_ns, 360 * MS);
	assert_true(ledger.vms[0].guest_split_known);
	assert_int_equal(ledger.vms[0].guest_user_ns, 240 * MS);
	assert_int_equal(ledger.vms[0].vmm.total_ns, 120 * MS);
	assert_int_equal(time_of(&ledger.vms[0].vmm, 7), 120 * MS);
	assert_int_equal(time_of(&ledger.vms[0].kernel, 0), 120 * MS);
	assert_int_equal(ledger_vm_hypervisor_ns(&ledger.vms[0]), 240 * MS);
	assert_int_equal(ledger.processes_ns, 50 * MS);
	assert_int_equal(ledger.idle_ns, 1350 * MS);
	/* 95 %, p = 0.6 of n = 150: 1.96 x 600 ms x sqrt(0.24 / 150) = 47 ms, a trifle less
	 * here. */
	assert_true(ledger.vms[0].error95.guest > 45e6 && ledger.vms[0].error95.guest < 48e6);
	ledger_free(&ledger);
}

/* Interrupts that hit a VM's thread are not its own, and network work follows the weights. */
static void test_interrupts_are_shared(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_VM, .vm = 0, .run_ns = 1000 * MS},
		{.owner = OWNER_VM, .vm = 1, .run_ns = 0},
		{.owner = OWNER_SHARED, .run_ns = 100 * MS},
		{.owner = OWNER_IDLE},
	};
	static const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_GUEST, .samples = 100},
		{.thread = 0,
		 .mode = MODE_SOFTIRQ,
		 .work = WORK_NET_RX,
		 .label = 2,
		 .samples = 300},
		{.thread = 0, .mode = MODE_HARDIRQ, .label = 0, .samples = 100},
		{.thread = 2,
		 .mode = MODE_KERNEL,
		 .work = WORK_NET_RX,
		 .label = 1,
		 .samples = 3},
	};
	static const uint64_t weights[] = {1, 3, 1};
	struct account_input input = {
		.capacity_ns = 2000 * MS,
		.period_ns = 2 * MS,
		.threads = threads,
		.thread_count = 4,
		.counts = counts,
		.count_count = 4,
		.weights = {[WORK_NET_RX] = weights},
		.vm_count = 2,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	assert_int_equal(ledger.vms[0].guest_ns, 200 * MS);
	/* Softirq work of 600 ms in e1000 and 100 ms in the bridge goes 1 : 3 : 1. */
	assert_int_equal(time_of(&ledger.vms[0].shared, 2), 120 * MS);
	assert_int_equal(time_of(&ledger.vms[1].shared, 2), 360 * MS);
	assert_int_equal(time_of(&ledger.vms[1].shared, 1), 60 * MS);
	assert_int_equal(time_of(&ledger.unattributed, 2), 120 * MS);
	/* What moves no packets is nobody's. */
	assert_int_equal(time_of(&ledger.unattributed, 0), 200 * MS);
	assert_int_equal(ledger.vms[0].shared_work_ns[WORK_NET_RX], 140 * MS);
	assert_int_equal(ledger.unattributed_work_ns[WORK_NET_RX], 140 * MS);
	assert_int_equal(ledger.unattributed_work_ns[WORK_OTHER], 200 * MS);
	assert_int_equal(ledger.idle_ns, 900 * MS);
	ledger_free(&ledger);
}

/* With IRQ time accounting the threads' times have no interrupts in them. */
static void test_interrupts_apart(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_VM, .vm = 0, .run_ns = 500 * MS},
		{.owner = OWNER_IDLE},
	};
	static const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_GUEST, .samples = 50},
		{.thread = 0,
		 .mode = MODE_SOFTIRQ,
		 .work = WORK_NET_RX,
		 .label = 1,
		 .samples = 20},
		{.thread = 1,
		 .mode = MODE_SOFTIRQ,
		 .work = WORK_NET_RX,
		 .label = 2,
		 .samples = 20},
	};
	static const uint64_t weights[] = {1, 0};
	struct account_input input = {
		.capacity_ns = 1000 * MS,
		.period_ns = 4 * MS,
		.interrupts_apart = true,
		.interrupt_ns = 80 * MS,
		.threads = threads,
		.thread_count = 2,
		.counts = counts,
		.count_count = 3,
		.weights = {[WORK_NET_RX] = weights},
		.vm_count = 1,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	assert_int_equal(ledger.vms[0].guest_ns, 500 * MS);
	assert_int_equal(time_of(&ledger.vms[0].shared, 1), 40 * MS);
	assert_int_equal(time_of(&ledger.vms[0].shared, 2), 40 * MS);
	assert_int_equal(ledger.idle_ns, 420 * MS);
	ledger_free(&ledger);
}

/* An interrupt sample on an idle CPU stands for as much time as one on a busy CPU. */
static void test_interrupts_while_idle(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_PROCESSES, .run_ns = 100 * MS},
		{.owner = OWNER_IDLE},
	};
	static const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_USER, .samples = 50},
		{.thread = 1, .mode = MODE_KERNEL, .label = 0, .samples = 400},
		{.thread = 1,
		 .mode = MODE_SOFTIRQ,
		 .work = WORK_NET_RX,
		 .label = 1,
		 .samples = 10},
	};
	struct account_input input = {
		.capacity_ns = 1000 * MS,
		.period_ns = 4 * MS,
		.threads = threads,
		.thread_count = 2,
		.counts = counts,
		.count_count = 3,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	/* 100 ms in 50 samples: 2 ms each, ten of them. */
	assert_int_equal(ledger.unattributed.total_ns, 20 * MS);
	assert_int_equal(ledger.idle_ns, 880 * MS);
	ledger_free(&ledger);
}

/* Threads with few samples are judged together, others by themselves. */
static void test_pooling(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_VM, .vm = 0, .role = 0, .run_ns = 100 * MS},
		{.owner = OWNER_VM, .vm = 0, .role = 1, .run_ns = 10 * MS},
		{.owner = OWNER_VM, .vm = 0, .role = 1, .run_ns = 30 * MS},
		{.owner = OWNER_VM, .vm = 1, .role = 1, .run_ns = 8 * MS},
		{.owner = OWNER_VM, .vm = 1, .role = 2, .run_ns = 5 * MS},
	};
	static const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_GUEST, .samples = SAMPLES_ENOUGH},
		{.thread = 1, .mode = MODE_USER, .samples = 1},
		{.thread = 2, .mode = MODE_KERNEL, .label = 0, .samples = 3},
	};
	static const uint64_t weights[] = {0, 0, 0};
	struct account_input input = {
		.capacity_ns = 1000 * MS,
		.period_ns = 4 * MS,
		.threads = threads,
		.thread_count = 5,
		.counts = counts,
		.count_count = 3,
		.weights = {[WORK_NET_RX] = weights},
		.vm_count = 2,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	assert_int_equal(ledger.threads[0].guest_ns, 100 * MS);
	/* 1 user and 3 kernel samples for the two threads of role 1. */
	assert_int_equal(ledger.vms[0].vmm.total_ns, 10 * MS);
	assert_int_equal(ledger.vms[0].kernel.total_ns, 30 * MS);
	/* The other VM's thread of that role was never sampled: the role's composition holds.
	 */
	assert_int_equal(ledger.threads[3].user_ns, 2 * MS);
	assert_int_equal(ledger.threads[3].kernel_ns, 6 * MS);
	/* Of role 2 nobody knows anything. It is said so, and the error is all of it. */
	assert_int_equal(time_of(&ledger.vms[1].kernel, LABEL_UNSAMPLED), 5 * MS);
	assert_true(ledger.vms[1].error95.kernel >= 5e6);
	assert_false(ledger.vms[0].guest_split_known);
	ledger_free(&ledger);
}

/* More time than there was: everybody gives way in proportion, and keeps the rest. */
static void test_overfull_interval(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_VM, .vm = 0, .run_ns = 1500},
		{.owner = OWNER_SELF, .run_ns = 500},
		{.owner = OWNER_IDLE},
	};
	static const uint64_t weights[] = {0, 0};
	struct account_input input = {
		.capacity_ns = 1000,
		.threads = threads,
		.thread_count = 3,
		.weights = {[WORK_NET_RX] = weights},
		.vm_count = 1,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	assert_int_equal(ledger.threads[0].charged_ns, 750);
	assert_int_equal(ledger.threads[0].carry_ns, 750);
	assert_int_equal(ledger.self_ns, 250);
	assert_int_equal(ledger.idle_ns, 0);
	ledger_free(&ledger);
}

static void test_bad_indexes(void **state)
{
	static const struct account_thread threads[] = {{.owner = OWNER_VM, .vm = 1}};
	static const struct account_count counts[] = {
		{.thread = 0, .mode = MODE_KERNEL, .label = LABELS, .samples = 1}};
	struct account_input input = {
		.threads = threads, .thread_count = 1, .label_count = LABELS};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), -ERANGE);
	input.vm_count = 2;
	input.weights[WORK_NET_RX] = (const uint64_t[]){0, 0, 0};
	input.counts = counts;
	input.count_count = 1;
	assert_int_equal(ledger_make(&ledger, &input), -ERANGE);
}

static uint64_t below(uint64_t limit)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % limit;
}

/* Whatever comes in, the books balance. */
/* Exact times of the whole interval come out as they went in; samples divide host time only. */
static void test_exact_times(void **state)
{
	static const struct account_thread threads[] = {
		{.owner = OWNER_PROCESSES, .run_ns = 50 * MS, .exact = {0, 48 * MS, 2 * MS, 0}},
		{.owner = OWNER_IDLE, .exact = {0, 330 * MS, 7 * MS, 13 * MS}},
		{.owner = OWNER_VM,
		 .run_ns = 600 * MS,
		 .exact = {200 * MS, 390 * MS, 4 * MS, 6 * MS}},
	};
	/*
	 * 60 % of the vCPU's samples say guest, of a true 34 %: what is missing of the host
	 * time ran with interrupts off.
	 */
	static const struct account_count counts[] = {
		{.thread = 2, .mode = MODE_GUEST, .samples = 60},
		{.thread = 2, .mode = MODE_USER, .samples = 20},
		{.thread = 2, .mode = MODE_KERNEL, .label = 0, .samples = 20},
		{.thread = 2,
		 .mode = MODE_SOFTIRQ,
		 .work = WORK_NET_RX,
		 .label = 1,
		 .samples = 3},
		{.thread = 1,
		 .mode = MODE_SOFTIRQ,
		 .work = WORK_NET_RX,
		 .label = 2,
		 .samples = 1},
	};
	static const uint64_t weights[] = {1, 0};
	struct account_input input = {
		.capacity_ns = 1000 * MS,
		.period_ns = MS,
		.exact = true,
		.exact_duty = 1,
		.world_switch_label = 2,
		.threads = threads,
		.thread_count = 3,
		.counts = counts,
		.count_count = 5,
		.weights = {[WORK_NET_RX] = weights},
		/* Of 19 ms; in the last millisecond nothing was sampled. */
		.exact_softirq_ns = {[WORK_NET_RX] = 18 * MS, [WORK_RCU] = MS},
		.vm_count = 1,
		.label_count = LABELS,
	};
	struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	const struct ledger_vm *vm = &ledger.vms[0];
	assert_true(vm->guest_ns == 200 * MS);
	assert_true(vm->error95.guest == 0);
	/* A fifth of 590 ms each, and the rest of the 390. */
	assert_in_range(vm->vmm.total_ns, 117 * MS, 119 * MS);
	assert_in_range(time_of(&vm->kernel, 0), 117 * MS, 119 * MS);
	assert_in_range(time_of(&vm->kernel, 2), 153 * MS, 155 * MS);
	assert_true(vm->vmm.total_ns + vm->kernel.total_ns == 390 * MS);
	assert_true(vm->error95.vmm > 0 && vm->error95.kernel == vm->error95.vmm);
	assert_true(ledger.processes_ns == 48 * MS);
	assert_true(ledger.idle_ns == 330 * MS);
	/* Of 18 ms for received packets 3 samples of 4 say bridge; 13 ms of hardirqs unseen. */
	assert_true(time_of(&vm->shared, 1) == 13500000);
	assert_true(time_of(&vm->shared, 2) == 4500000);
	assert_true(ledger.unattributed_work_ns[WORK_RCU] == MS);
	assert_true(time_of(&ledger.unattributed, LABEL_UNSAMPLED) == 14 * MS);
	ledger_free(&ledger);

	/* A tenth of the time was looked at: proportions count, and there is an error. */
	input.exact_duty = 0.1;
	input.exact_windows = 25;
	struct account_thread part[3];
	memcpy(part, threads, sizeof(part));
	part[2].exact = (struct exact_times){20 * MS, 39 * MS, 400000, 600000};
	input.threads = part;
	assert_int_equal(ledger_make(&ledger, &input), 0);
	assert_balanced(&ledger, &input);
	assert_true(ledger.vms[0].guest_ns == 200 * MS);
	assert_true(ledger.vms[0].error95.guest > 50e6 && ledger.vms[0].error95.guest < 200e6);
	ledger_free(&ledger);

	input.world_switch_label = LABELS;
	assert_int_equal(ledger_make(&ledger, &input), -ERANGE);
}

static void test_random_ledgers(void **state)
{
	struct account_thread threads[40];
	struct account_count counts[200];
	struct account_split splits[40];
	uint64_t weights[WORK_COUNT][9];

	(void)state;
	srand(20261123);
	for (int round = 0; round < 20000; round++) {
		size_t vms = below(9);
		struct account_input input = {
			.capacity_ns = below(3) ? 1 + below(8000 * MS) : below(100),
			.period_ns = 1 + below(10 * MS),
			.interrupts_apart = below(2),
			.exact = below(2),
			.exact_duty = 0.01 + (double)below(100) / 100,
			.exact_windows = (unsigned)below(40),
			.threads = threads,
			.thread_count = below(41),
			.counts = counts,
			.splits = splits,
			.vm_count = vms,
			.label_count = LABELS,
		};
		if (input.interrupts_apart)
			input.interrupt_ns = below(input.capacity_ns + 1);
		input.count_count = input.thread_count ? below(201) : 0;
		input.split_count = vms ? below(41) : 0;
		uint64_t scale = 1 + below(input.capacity_ns / 10 + 2);
		for (size_t i = 0; i < input.thread_count; i++) {
			threads[i] = (struct account_thread){
				.owner = (enum account_owner)below(OWNER_IDLE + 1),
				.role = (uint32_t)below(4),
				.run_ns = below(3) ? below(scale) : 0,
				.exact = {below(2) * below(scale), below(3) * below(scale),
					  below(2) * below(1000), below(2) * below(1000)},
			};
			if (vms == 0 && threads[i].owner == OWNER_VM)
				threads[i].owner = OWNER_PROCESSES;
			if (threads[i].owner == OWNER_VM)
				threads[i].vm = (uint32_t)below(vms);
		}
		for (size_t i = 0; i < input.count_count; i++)
			counts[i] = (struct account_count){
				.thread = (uint32_t)below(input.thread_count),
				.label = (uint32_t)below(LABELS),
				.mode = (enum account_mode)below(MODE_COUNT),
				.work = (enum shared_work)below(WORK_COUNT),
				.samples = below(100),
			};
		for (size_t i = 0; i < input.split_count; i++)
			splits[i] = (struct account_split){
				.vm = (uint32_t)below(vms),
				.mode = (enum account_mode)below(MODE_COUNT),
				.label = (uint32_t)below(5),
				.samples = below(50),
			};
		for (size_t work = 0; work < WORK_COUNT; work++) {
			for (size_t i = 0; i <= vms; i++)
				weights[work][i] = below(2) * below(1000000000);
			input.weights[work] = below(4) ? weights[work] : NULL;
		}
		struct ledger ledger;
		assert_int_equal(ledger_make(&ledger, &input), 0);
		assert_balanced(&ledger, &input);
		ledger_free(&ledger);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_vm),
		cmocka_unit_test(test_interrupts_are_shared),
		cmocka_unit_test(test_interrupts_apart),
		cmocka_unit_test(test_interrupts_while_idle),
		cmocka_unit_test(test_pooling),
		cmocka_unit_test(test_overfull_interval),
		cmocka_unit_test(test_bad_indexes),
		cmocka_unit_test(test_exact_times),
		cmocka_unit_test(test_random_ledgers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
