/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TESTS_BUILDER_BENCH_H
#define KVMPERF_TESTS_BUILDER_BENCH_H

/* An interval builder on a bench: what it is fed with, and checks of all that comes out. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure/interval_builder.h"
#include "sample_interval.h"

/* Above PID_MAX_LIMIT (4 Mi), so that none is the test's own. 500 to 599 are kernel threads. */
#define PID(n) (5000000 + (n))

#define BENCH_PERIOD_NS (1 * MS)
#define BENCH_VMS	4

/* A builder with what it needs: a kernel map of kvm and e1000, VMs, a collection. */
struct bench {
	struct kernel_map *map;
	struct labels *labels;
	struct interval_builder *builder;
	struct collection collection;
	struct vm vms[BENCH_VMS];
	struct builder_vm list[BENCH_VMS];
	size_t vm_count;
	uint64_t weights[BENCH_VMS + 1]; /* of network work; nobody has none */
	uint32_t core, kvm, e1000;	 /* subsystems */
	struct interval interval;
};

static inline int bench_set_up(void **state)
{
	static const char *const modules[] = {"kvm", "e1000"};
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->map = sample_map(modules, 2);
	bench->labels = sample_labels();
	assert_int_equal(labels_use_map(bench->labels, bench->map), 0);
	bench->builder = interval_builder_new(bench->labels);
	assert_non_null(bench->builder);
	bench->core = sample_subsystem(bench->map, "core");
	bench->kvm = sample_subsystem(bench->map, "kvm");
	bench->e1000 = sample_subsystem(bench->map, "e1000");
	*state = bench;
	return 0;
}

static inline int bench_tear_down(void **state)
{
	struct bench *bench = *state;

	interval_free(&bench->interval);
	interval_builder_free(bench->builder);
	collection_free(&bench->collection);
	for (size_t v = 0; v < BENCH_VMS; v++)
		vm_clear(&bench->vms[v]);
	labels_free(bench->labels);
	kernel_map_free(bench->map);
	free(bench);
	return 0;
}

/* Begins the next collection, of so many CPUs for so long. */
static inline void bench_begin(struct bench *bench, size_t cpus, uint64_t duration_ns)
{
	uint64_t start_ns = bench->collection.end_ns;

	bench->collection.handed_out = true;
	collection_begin(&bench->collection);
	bench->collection.start_ns = start_ns;
	bench->collection.end_ns = start_ns + duration_ns;
	bench->collection.cpus = cpus;
	bench->collection.interrupts_apart = false;
}

static inline struct vm *bench_vm(struct bench *bench, pid_t pid, uint64_t weight)
{
	struct vm *vm = &bench->vms[bench->vm_count];

	vm->pid = pid;
	bench->list[bench->vm_count++] = (struct builder_vm){vm};
	bench->weights[bench->vm_count - 1] = weight;
	return vm;
}

static inline void bench_task(struct bench *bench, pid_t tgid, pid_t tid, const char *name,
			      uint64_t run_ns, uint64_t ready_ns)
{
	struct collected_task *task = collection_add_task(&bench->collection);

	assert_non_null(task);
	*task = (struct collected_task){
		.tgid = tgid, .tid = tid, .run_ns = run_ns, .ready_ns = ready_ns};
	snprintf(task->name, sizeof(task->name), "%s", name);
}

static inline void bench_kernel_task(struct bench *bench, pid_t tid, const char *name,
				     uint64_t run_ns)
{
	bench_task(bench, tid, tid, name, run_ns, 0);
	bench->collection.tasks[bench->collection.task_count - 1].kernel_thread = true;
}

static inline void bench_count(struct bench *bench, pid_t tgid, pid_t tid,
			       enum account_mode mode, uint32_t subsystem, uint64_t samples)
{
	struct collected_count *count = collection_add_count(&bench->collection);

	assert_non_null(count);
	*count = (struct collected_count){
		.tgid = tgid,
		.tid = tid,
		.kernel_thread = tid >= PID(500) && tid < PID(600),
		.mode = mode,
		.subsystem = subsystem,
		.samples = samples,
	};
}

static inline void bench_split(struct bench *bench, pid_t tgid, const char *dso,
			       bool guest_kernel, uint64_t samples)
{
	struct collected_split split = {
		.tgid = tgid,
		.mode = dso ? MODE_USER : MODE_GUEST,
		.guest_kernel = guest_kernel,
		.dso = dso,
		.samples = samples,
	};

	assert_int_equal(collection_add_split(&bench->collection, &split), 0);
}

/* Builds the interval, which must balance; each VM's threads must make up its own times. */
static inline const struct ledger *bench_build(struct bench *bench)
{
	struct interval *out = &bench->interval;
	uint64_t *const weights[WORK_COUNT] = {[WORK_NET_RX] = bench->weights};
	const struct ledger *ledger = &out->ledger;

	interval_free(out);
	out->vms = calloc(BENCH_VMS, sizeof(*out->vms));
	assert_non_null(out->vms);
	assert_int_equal(interval_build(bench->builder, &bench->collection, bench->list,
					bench->vm_count, weights, BENCH_PERIOD_NS, out),
			 0);
	assert_int_equal(ledger->capacity_ns, collection_capacity(&bench->collection));
	assert_int_equal(ledger_sum(ledger), ledger->capacity_ns);
	assert_int_equal(ledger->vm_count, bench->vm_count);
	for (size_t v = 0; v < bench->vm_count; v++) {
		uint64_t own_ns = 0, ready_ns = 0;
		for (size_t i = 0; i < ledger->thread_count; i++) {
			if (out->threads[i].owner != OWNER_VM || out->threads[i].vm != v)
				continue;
			own_ns +=
				ledger->threads[i].charged_ns - ledger->threads[i].interrupt_ns;
			ready_ns += out->threads[i].ready_ns;
		}
		assert_int_equal(own_ns, ledger_vm_total_ns(&ledger->vms[v]) -
						 ledger->vms[v].shared.total_ns);
		assert_int_equal(out->vms[v].ready_ns, ready_ns);
	}
	return ledger;
}

#define BENCH_TEST(function)                                                                   \
	cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

#endif
