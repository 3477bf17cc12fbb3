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

#include <cmocka.h>

#include "sample_interval.h"

static uint64_t time_of(const struct label_times *times, uint32_t label)
{
	for (size_t i = 0; i < times->count; i++)
		if (times->items[i].label == label)
			return times->items[i].ns;
	return 0;
}

static void assert_label_times(const struct label_times *sum, const struct label_times *part,
			       uint64_t factor)
{
	assert_int_equal(sum->count, part->count);
	assert_int_equal(sum->total_ns, factor * part->total_ns);
	for (size_t i = 0; i < part->count; i++)
		assert_int_equal(time_of(sum, part->items[i].label),
				 factor * part->items[i].ns);
	for (size_t i = 1; i < sum->count; i++)
		assert_true(sum->items[i - 1].label < sum->items[i].label);
}

static void assert_near(double value, double expected)
{
	assert_true(fabs(value - expected) <= 1e-9 * fabs(expected));
}

static void assert_vm(const struct interval *sum, const struct interval *part, size_t v,
		      uint64_t factor)
{
	const struct ledger_vm *to = &sum->ledger.vms[v], *from = &part->ledger.vms[v];
	const struct interval_vm *vm = &sum->vms[v], *of = &part->vms[v];
	double root = sqrt((double)factor);

	assert_int_equal(to->guest_ns, factor * from->guest_ns);
	assert_int_equal(to->guest_user_ns, factor * from->guest_user_ns);
	assert_int_equal(to->guest_kernel_ns, factor * from->guest_kernel_ns);
	assert_label_times(&to->vmm, &from->vmm, factor);
	assert_label_times(&to->kernel, &from->kernel, factor);
	assert_label_times(&to->shared, &from->shared, factor);
	assert_near(to->error95.guest, root * from->error95.guest);
	assert_near(to->error95.vmm, root * from->error95.vmm);
	assert_near(to->error95.kernel, root * from->error95.kernel);
	assert_near(to->error95.shared, root * from->error95.shared);
	assert_near(to->error95.hypervisor, root * from->error95.hypervisor);
	assert_int_equal(vm->ready_ns, factor * of->ready_ns);
	assert_int_equal(vm->exits, factor * of->exits);
	assert_int_equal(vm->halt_poll_ns, factor * of->halt_poll_ns);
	assert_int_equal(vm->traffic.rx_bytes, factor * of->traffic.rx_bytes);
	assert_int_equal(vm->traffic.rx_packets, factor * of->traffic.rx_packets);
	assert_int_equal(vm->traffic.tx_bytes, factor * of->traffic.tx_bytes);
	assert_int_equal(vm->traffic.tx_packets, factor * of->traffic.tx_packets);
	/* Facts are the VM's own, and copies. */
	assert_string_equal(vm->name, of->name);
	assert_string_equal(vm->id, of->id);
	assert_ptr_not_equal(vm->name, of->name);
	assert_int_equal(vm->uuid == NULL, of->uuid == NULL);
	if (of->uuid)
		assert_string_equal(vm->uuid, of->uuid);
	assert_string_equal(vm->vmm, of->vmm);
	assert_int_equal(vm->pid, of->pid);
	assert_int_equal(vm->start_time, of->start_time);
	assert_int_equal(vm->vcpus, of->vcpus);
	assert_int_equal(vm->tap_count, of->tap_count);
	if (of->tap_count)
		assert_memory_equal(vm->taps, of->taps, of->tap_count * sizeof(*of->taps));
	assert_int_equal(vm->selected, of->selected);
}

static void assert_thread(const struct interval *sum, const struct interval *part, size_t i,
			  uint64_t factor)
{
	const struct ledger_thread *to = &sum->ledger.threads[i];
	const struct ledger_thread *from = &part->ledger.threads[i];
	const struct interval_thread *thread = &sum->threads[i], *of = &part->threads[i];

	assert_int_equal(to->charged_ns, factor * from->charged_ns);
	assert_int_equal(to->guest_ns, factor * from->guest_ns);
	assert_int_equal(to->user_ns, factor * from->user_ns);
	assert_int_equal(to->kernel_ns, factor * from->kernel_ns);
	assert_int_equal(to->interrupt_ns, factor * from->interrupt_ns);
	assert_int_equal(to->samples, factor * from->samples);
	assert_int_equal(thread->ready_ns, factor * of->ready_ns);
	assert_int_equal(thread->exits_known, of->exits_known);
	for (int c = 0; c < VM_EXIT_CLASSES; c++)
		assert_int_equal(thread->exits[c], factor * of->exits[c]);
	assert_int_equal(thread->owner, of->owner);
	assert_int_equal(thread->vm, of->vm);
	assert_int_equal(thread->tid, of->tid);
	assert_int_equal(thread->role, of->role);
	assert_int_equal(thread->index, of->index);
	assert_string_equal(thread->name, of->name);
}

static void test_sums_every_figure(void **state)
{
	struct labels *labels = sample_labels();
	struct interval part, sum = {0};

	(void)state;
	sample_three_vms(&part, labels);
	part.ledger.threads[0].charged_ns = 55 * MS;
	part.ledger.threads[0].interrupt_ns = 5 * MS;
	part.threads[0].exits_known = true;
	part.threads[0].exits[VM_EXIT_USER] = 17;
	const double factors[] = {0, 1.2, 0, 1.4}, means[] = {0, 1.2, 1.2, 1.35};
	const uint64_t references[] = {0, 100, 0, 300};
	for (uint64_t n = 1; n <= 4; n++) {
		part.start += 1.0;
		part.source.exit_cost_factor = factors[n - 1];
		part.source.references = references[n - 1];
		assert_int_equal(interval_add(&sum, &part), 0);
		assert_near(sum.source.exit_cost_factor, means[n - 1]);
		assert_near(sum.start, 1763880001.123456);
		assert_near(sum.duration_s, (double)n);
		assert_int_equal(sum.cpus, 2);
		assert_ptr_equal(sum.labels, labels);
		assert_string_equal(sum.source.collector, "bpf");
		assert_string_equal(sum.source.event, "cpu-clock");
		assert_string_equal(sum.source.apportion, "bytes");
		assert_string_equal(sum.source.irqs_off_correction, "none");
		assert_int_equal(sum.source.frequency_hz, 250);
		assert_int_equal(sum.source.samples, n * 498);
		assert_int_equal(sum.source.lost, n * 2);
		assert_near(sum.source.overhead_s, (double)n * 0.002);

		assert_int_equal(sum.ledger.capacity_ns, n * 2000 * MS);
		assert_int_equal(sum.ledger.processes_ns, n * 50 * MS);
		assert_int_equal(sum.ledger.kernel_ns, n * 20 * MS);
		assert_int_equal(sum.ledger.self_ns, n * 1 * MS);
		assert_int_equal(sum.ledger.idle_ns, n * part.ledger.idle_ns);
		assert_int_equal(sum.ledger.samples, n * 498);
		assert_label_times(&sum.ledger.unattributed, &part.ledger.unattributed, n);
		assert_int_equal(sum.ledger.vm_count, 3);
		assert_int_equal(sum.ledger.thread_count, part.ledger.thread_count);
		for (size_t v = 0; v < sum.ledger.vm_count; v++)
			assert_vm(&sum, &part, v, n);
		for (size_t i = 0; i < sum.ledger.thread_count; i++)
			assert_thread(&sum, &part, i, n);
		assert_int_equal(ledger_sum(&sum.ledger), sum.ledger.capacity_ns);
	}
	interval_free(&part);
	/* The sum stands on its own. */
	assert_string_equal(sum.vms[0].name, "web1");
	assert_int_equal(interval_other_vms_ns(&sum), 4 * 100 * MS);
	assert_int_equal(interval_processes_ns(&sum), 4 * 150 * MS);
	interval_free(&sum);
	assert_int_equal(sum.ledger.vm_count, 0);
	assert_null(sum.vms);
	labels_free(labels);
}

static void test_errors_in_quadrature(void **state)
{
	struct labels *labels = sample_labels();
	struct interval part, sum = {0};

	(void)state;
	sample_begin(&part, labels, 1, 1.0);
	sample_vm(&part, "web1", NULL, 1234);
	sample_end(&part);
	part.ledger.vms[0].error95 = (struct ledger_error){3e6, 6e6, 5e6, 8e6, 20e6};
	assert_int_equal(interval_add(&sum, &part), 0);
	part.ledger.vms[0].error95 = (struct ledger_error){4e6, 8e6, 12e6, 15e6, 21e6};
	assert_int_equal(interval_add(&sum, &part), 0);
	assert_near(sum.ledger.vms[0].error95.guest, 5e6);
	assert_near(sum.ledger.vms[0].error95.vmm, 10e6);
	assert_near(sum.ledger.vms[0].error95.kernel, 13e6);
	assert_near(sum.ledger.vms[0].error95.shared, 17e6);
	assert_near(sum.ledger.vms[0].error95.hypervisor, 29e6);
	interval_free(&part);
	interval_free(&sum);
	labels_free(labels);
}

/* Of 5, 13 and 25 ms, 3, 5 and 7 are the corrections': these add up, the rest in quadrature. */
static void test_errors_of_corrections(void **state)
{
	struct labels *labels = sample_labels();
	struct interval part, sum = {0};
	static const double errors[] = {5e6, 13e6, 25e6}, corrections[] = {3e6, 5e6, 7e6};
	double up = 0, quadrature = 0;

	(void)state;
	sample_begin(&part, labels, 1, 1.0);
	sample_vm(&part, "web1", NULL, 1234);
	sample_end(&part);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct ledger_vm *vm = &part.ledger.vms[0];
		vm->error95 = (struct ledger_error){errors[i], 6e6, errors[i], 0, errors[i]};
		vm->correction95_ns = corrections[i];
		up += corrections[i];
		quadrature += errors[i] * errors[i] - corrections[i] * corrections[i];
		assert_int_equal(interval_add(&sum, &part), 0);
		const struct ledger_vm *all = &sum.ledger.vms[0];
		assert_near(all->error95.guest, sqrt(quadrature + up * up));
		assert_near(all->error95.kernel, sqrt(quadrature + up * up));
		assert_near(all->error95.hypervisor, sqrt(quadrature + up * up));
		assert_near(all->error95.vmm, 6e6 * sqrt((double)i + 1));
		assert_near(all->correction95_ns, up);
	}
	interval_free(&part);
	interval_free(&sum);
	labels_free(labels);
}

static void add_guest(struct interval *interval, pid_t tid, uint64_t guest_ns)
{
	sample_thread(interval, tid, THREAD_VCPU, 0, "CPU 0/KVM",
		      &(struct sample_times){.guest_ns = guest_ns, .ready_ns = 1 * MS});
}

static void test_matches_vms_and_threads(void **state)
{
	struct labels *labels = sample_labels();
	struct interval part, sum = {0};

	(void)state;
	sample_begin(&part, labels, 1, 1.0);
	sample_vm(&part, "web1", NULL, 100);
	add_guest(&part, 101, 10 * MS);
	add_guest(&part, 102, 20 * MS);
	sample_vm(&part, "web2", NULL, 200);
	add_guest(&part, 201, 40 * MS);
	sample_end(&part);
	assert_int_equal(interval_add(&sum, &part), 0);
	size_t pseudo_threads = part.ledger.thread_count - 3;
	interval_free(&part);

	/* A new VM comes first; web2's pid and tid are another VM's now; web1 has a new name.
	 */
	sample_begin(&part, labels, 1, 1.0);
	sample_vm(&part, "new", NULL, 50);
	add_guest(&part, 51, 100 * MS);
	sample_vm(&part, "web2 again", NULL, 200)->start_time = 2000;
	add_guest(&part, 201, 200 * MS);
	sample_vm(&part, "web1 renamed", NULL, 100);
	add_guest(&part, 102, 3 * MS);
	add_guest(&part, 103, 5 * MS);
	sample_end(&part);
	assert_int_equal(interval_add(&sum, &part), 0);
	interval_free(&part);

	static const struct {
		const char *name;
		uint64_t guest_ns;
	} vms[] = {{"web1", 38 * MS},
		   {"web2", 40 * MS},
		   {"new", 100 * MS},
		   {"web2 again", 200 * MS}};
	assert_int_equal(sum.ledger.vm_count, 4);
	for (size_t v = 0; v < 4; v++) {
		assert_string_equal(sum.vms[v].name, vms[v].name);
		assert_int_equal(sum.ledger.vms[v].guest_ns, vms[v].guest_ns);
	}
	assert_int_equal(sum.vms[0].ready_ns, 4 * MS);

	static const struct {
		uint32_t vm;
		pid_t tid;
		uint64_t guest_ns;
	} threads[] = {{0, 101, 10 * MS}, {0, 102, 23 * MS},  {1, 201, 40 * MS},
		       {2, 51, 100 * MS}, {3, 201, 200 * MS}, {0, 103, 5 * MS}};
	assert_int_equal(sum.ledger.thread_count, pseudo_threads + 6);
	for (size_t i = 0; i < 6; i++) {
		const struct interval_thread *thread = &sum.threads[pseudo_threads + i];
		assert_int_equal(thread->owner, OWNER_VM);
		assert_int_equal(thread->vm, threads[i].vm);
		assert_int_equal(thread->tid, threads[i].tid);
		assert_int_equal(sum.ledger.threads[pseudo_threads + i].guest_ns,
				 threads[i].guest_ns);
		assert_int_equal(thread->ready_ns, threads[i].tid == 102 ? 2 * MS : 1 * MS);
	}
	assert_int_equal(ledger_sum(&sum.ledger), sum.ledger.capacity_ns);
	interval_free(&sum);
	labels_free(labels);
}

/* Adds an interval with one VM to the sum. */
static void add_split(struct interval *sum, bool known, uint64_t guest_ns)
{
	struct interval part;

	sample_begin(&part, sum->labels, 1, 1.0);
	sample_vm(&part, "web1", NULL, 100);
	part.ledger.vms[0].guest_split_known = known;
	add_guest(&part, 101, guest_ns);
	sample_end(&part);
	assert_int_equal(interval_add(sum, &part), 0);
	interval_free(&part);
}

static void test_guest_split(void **state)
{
	static const struct {
		bool known[3];
		uint64_t guest_ns[3];
		bool sum_known;
	} cases[] = {
		{{true, true, true}, {30, 60, 90}, true},
		{{true, false, true}, {30, 60, 90}, false},
		{{false, true, true}, {30, 60, 90}, false},
		{{true, true, false}, {30, 60, 90}, false},
		/* An interval without guest time leaves nothing unknown. */
		{{false, true, true}, {0, 60, 90}, true},
		{{true, false, true}, {30, 0, 90}, true},
		{{true, true, false}, {30, 60, 0}, true},
		{{false, false, true}, {0, 60, 90}, false},
		{{false, false, false}, {30, 0, 0}, false},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct labels *labels = sample_labels();
		struct interval sum = {.labels = labels};
		uint64_t guest_ns = 0;
		for (size_t i = 0; i < 3; i++) {
			add_split(&sum, cases[c].known[i], cases[c].guest_ns[i]);
			guest_ns += cases[c].guest_ns[i];
		}
		const struct ledger_vm *vm = &sum.ledger.vms[0];
		assert_int_equal(vm->guest_split_known, cases[c].sum_known);
		assert_int_equal(vm->guest_ns, guest_ns);
		if (vm->guest_split_known) {
			assert_int_equal(vm->guest_kernel_ns, guest_ns / 3);
			assert_int_equal(vm->guest_user_ns + vm->guest_kernel_ns, guest_ns);
		}
		interval_free(&sum);
		labels_free(labels);
	}
}

static void test_unknown_stays_unknown(void **state)
{
	struct labels *labels = sample_labels();
	struct interval part, sum = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		sample_begin(&part, labels, 1, 1.0);
		struct interval_vm *vm = sample_vm(&part, "web1", NULL, 100);
		vm->kvm_stats_known = i != 1;
		vm->ended = i == 2;
		vm = sample_vm(&part, "web2", NULL, 200);
		vm->traffic_known = i != 0;
		vm = sample_vm(&part, "web3", NULL, 300);
		vm->kvm_stats_known = i != 0;
		vm->traffic_known = i != 1;
		sample_end(&part);
		assert_int_equal(interval_add(&sum, &part), 0);
		interval_free(&part);
		assert_int_equal(sum.vms[0].kvm_stats_known, i < 1);
		assert_true(sum.vms[0].traffic_known);
		assert_int_equal(sum.vms[0].ended, i == 2);
		assert_true(sum.vms[1].kvm_stats_known);
		assert_false(sum.vms[1].traffic_known);
		assert_false(sum.vms[1].ended);
		assert_false(sum.vms[2].kvm_stats_known);
		assert_int_equal(sum.vms[2].traffic_known, i < 1);
	}
	interval_free(&sum);
	labels_free(labels);
}

static void test_other_vms(void **state)
{
	struct labels *labels = sample_labels();
	struct interval interval;

	(void)state;
	sample_three_vms(&interval, labels);
	assert_int_equal(interval_other_vms_ns(&interval), 100 * MS);
	assert_int_equal(interval_processes_ns(&interval), 150 * MS);
	interval.vms[2].selected = true;
	assert_int_equal(interval_other_vms_ns(&interval), 0);
	assert_int_equal(interval_processes_ns(&interval), 50 * MS);
	interval.vms[0].selected = interval.vms[1].selected = false;
	assert_int_equal(interval_other_vms_ns(&interval),
			 ledger_vm_total_ns(&interval.ledger.vms[0]) + 177 * MS);
	interval_free(&interval);
	labels_free(labels);
}

static void test_vm_set(void **state)
{
	struct vm_tap taps[] = {{"tap1", 7}, {"tap2", 8}};
	char name[] = "web1";
	struct interval_vm vm = {0};

	(void)state;
	assert_int_equal(interval_vm_set(&vm, name, name, name, taps, 2), 0);
	name[0] = 'W';
	taps[1].name[0] = 'T';
	assert_string_equal(vm.name, "web1");
	assert_string_equal(vm.id, "web1");
	assert_string_equal(vm.uuid, "web1");
	assert_int_equal(vm.tap_count, 2);
	assert_string_equal(vm.taps[1].name, "tap2");
	assert_int_equal(vm.taps[1].ifindex, 8);
	free(vm.name);
	free(vm.id);
	free(vm.uuid);
	free(vm.taps);
	assert_int_equal(interval_vm_set(&vm, "", "1", NULL, NULL, 0), 0);
	assert_string_equal(vm.name, "");
	assert_null(vm.uuid);
	assert_int_equal(vm.tap_count, 0);
	free(vm.name);
	free(vm.id);
	free(vm.taps);
}

/* VMs come and go at random, in any order; no time is lost and none goes to another VM. */
static void test_random_intervals(void **state)
{
	enum { VMS = 6 };
	struct labels *labels = sample_labels();
	struct interval part, sum = {0};
	uint64_t guest_ns[VMS] = {0};
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 200; i++) {
		sample_begin(&part, labels, 4, 0.5);
		unsigned first = (unsigned)rand_r(&seed);
		for (unsigned n = 0; n < VMS; n++) {
			unsigned v = (first + n) % VMS;
			if (rand_r(&seed) % 3 == 0)
				continue;
			sample_vm(&part, "vm", NULL, (pid_t)(100 + v / 2))->start_time = v % 2;
			for (int t = rand_r(&seed) % 4; t > 0; t--) {
				uint64_t ns = (unsigned)rand_r(&seed) % (10 * MS);
				add_guest(&part, 1000 + t, ns);
				guest_ns[v] += ns;
			}
		}
		sample_end(&part);
		assert_int_equal(interval_add(&sum, &part), 0);
		interval_free(&part);
		assert_int_equal(ledger_sum(&sum.ledger), sum.ledger.capacity_ns);
	}
	assert_int_equal(sum.ledger.vm_count, VMS);
	for (size_t i = 0; i < VMS; i++) {
		size_t v = (size_t)(sum.vms[i].pid - 100) * 2 + sum.vms[i].start_time;
		uint64_t of_threads = 0;
		for (size_t t = 0; t < sum.ledger.thread_count; t++)
			if (sum.threads[t].owner == OWNER_VM && sum.threads[t].vm == i)
				of_threads += sum.ledger.threads[t].guest_ns;
		assert_int_equal(sum.ledger.vms[i].guest_ns, guest_ns[v]);
		assert_int_equal(of_threads, guest_ns[v]);
	}
	interval_free(&sum);
	labels_free(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_every_figure),
		cmocka_unit_test(test_errors_in_quadrature),
		cmocka_unit_test(test_errors_of_corrections),
		cmocka_unit_test(test_matches_vms_and_threads),
		cmocka_unit_test(test_guest_split),
		cmocka_unit_test(test_unknown_stays_unknown),
		cmocka_unit_test(test_other_vms),
		cmocka_unit_test(test_vm_set),
		cmocka_unit_test(test_random_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
