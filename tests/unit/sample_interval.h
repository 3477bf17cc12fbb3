/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TESTS_SAMPLE_INTERVAL_H
#define KVMPERF_TESTS_SAMPLE_INTERVAL_H

/*
 * Intervals and kernel maps for the tests of measure/ and view/. An interval is made from its
 * threads, so that its ledger balances by construction. Include after <cmocka.h>.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account/label_times.h"
#include "measure/interval.h"
#include "measure/labels.h"
#include "symbols/kernel_map.h"

#define MS 1000000ULL

enum sample_label {
	SAMPLE_QEMU,
	SAMPLE_LIBC,
	SAMPLE_KVM,
	SAMPLE_TUN,
	SAMPLE_BRIDGE,
	SAMPLE_CORE,
	SAMPLE_LABELS,
};

static const char *const sample_label_names[SAMPLE_LABELS] = {
	"qemu-system-x86_64", "libc.so.6", "kvm", "tun", "bridge", "core"};

static inline struct labels *sample_labels(void)
{
	struct labels *labels = labels_new();

	assert_non_null(labels);
	for (uint32_t i = 0; i < SAMPLE_LABELS; i++) {
		uint32_t label;
		assert_int_equal(labels_intern(labels, sample_label_names[i], &label), 0);
		assert_int_equal(label, i);
	}
	return labels;
}

/* Adds a ledger thread and, except for VMs, nothing else; returns its index. */
static inline size_t sample_add_thread(struct interval *interval,
				       const struct interval_thread *thread,
				       const struct ledger_thread *times)
{
	size_t count = interval->ledger.thread_count;

	interval->threads =
		reallocarray(interval->threads, count + 1, sizeof(*interval->threads));
	interval->ledger.threads = reallocarray(interval->ledger.threads, count + 1,
						sizeof(*interval->ledger.threads));
	assert_non_null(interval->threads);
	assert_non_null(interval->ledger.threads);
	interval->threads[count] = *thread;
	interval->ledger.threads[count] = *times;
	return interval->ledger.thread_count++;
}

/* An interval without VMs: processes 50 ms, kernel 20 ms, kvmperf 1 ms, no VM's work 4 ms. */
static inline void sample_begin(struct interval *interval, const struct labels *labels,
				size_t cpus, double duration_s)
{
	static const enum account_owner owners[] = {
		OWNER_PROCESSES, OWNER_KERNEL, OWNER_SHARED, OWNER_SELF, OWNER_IDLE,
	};

	*interval = (struct interval){
		.start = 1763880000.123456,
		.duration_s = duration_s,
		.cpus = cpus,
		.source = {.collector = "bpf",
			   .event = "cpu-clock",
			   .frequency_hz = 250,
			   .samples = 498,
			   .lost = 2,
			   .apportion = "bytes",
			   .irqs_off_correction = "none",
			   .exit_cost_factor = 1.25,
			   .overhead_s = 0.002},
		.labels = labels,
		.ledger = {.capacity_ns = (uint64_t)(duration_s * 1e9) * cpus,
			   .processes_ns = 50 * MS,
			   .kernel_ns = 20 * MS,
			   .self_ns = 1 * MS,
			   .samples = 498},
	};
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		sample_add_thread(interval, &(struct interval_thread){.owner = owners[i]},
				  &(struct ledger_thread){0});
	struct label_times *unattributed = &interval->ledger.unattributed;
	assert_int_equal(label_times_add(unattributed, SAMPLE_BRIDGE, 3 * MS), 0);
	assert_int_equal(label_times_add(unattributed, SAMPLE_CORE, 1 * MS), 0);
}

/* Adds a VM without any time, of which everything is known; returns it until the next is. */
static inline struct interval_vm *sample_vm(struct interval *interval, const char *name,
					    const char *uuid, pid_t pid)
{
	static const struct vm_tap taps[] = {{"tap1", 7}, {"tap2", 8}};
	size_t count = interval->ledger.vm_count;

	interval->vms = reallocarray(interval->vms, count + 1, sizeof(*interval->vms));
	interval->ledger.vms =
		reallocarray(interval->ledger.vms, count + 1, sizeof(*interval->ledger.vms));
	assert_non_null(interval->vms);
	assert_non_null(interval->ledger.vms);
	interval->ledger.vms[count] = (struct ledger_vm){.guest_split_known = true};
	struct interval_vm *vm = &interval->vms[count];
	*vm = (struct interval_vm){
		.vmm = "qemu",
		.pid = pid,
		.start_time = 1000,
		.vcpus = 2,
		.selected = true,
		.kvm_stats_known = true,
		.traffic_known = true,
	};
	assert_int_equal(interval_vm_set(vm, name, uuid ? uuid : name, uuid, taps, 2), 0);
	interval->ledger.vm_count++;
	return vm;
}

struct sample_times {
	uint64_t guest_ns; /* a third of it guest kernel, where the split is known */
	uint64_t qemu_ns;
	uint64_t libc_ns;
	uint64_t kvm_ns;
	uint64_t tun_ns;
	uint64_t interrupt_ns; /* becomes the VM's shared work, in the bridge */
	uint64_t ready_ns;
};

/* Adds a thread to the VM that was added last, with its time; returns its index. */
static inline size_t sample_thread(struct interval *interval, pid_t tid, enum thread_role role,
				   int index, const char *name,
				   const struct sample_times *times)
{
	uint32_t vm = (uint32_t)interval->ledger.vm_count - 1;
	struct ledger_vm *ledger = &interval->ledger.vms[vm];
	struct interval_thread thread = {
		.owner = OWNER_VM,
		.vm = vm,
		.tid = tid,
		.role = role,
		.index = index,
		.ready_ns = times->ready_ns,
	};
	struct ledger_thread charged = {
		.guest_ns = times->guest_ns,
		.user_ns = times->qemu_ns + times->libc_ns,
		.kernel_ns = times->kvm_ns + times->tun_ns,
		.interrupt_ns = times->interrupt_ns,
		.samples = 40,
	};

	charged.charged_ns =
		charged.guest_ns + charged.user_ns + charged.kernel_ns + charged.interrupt_ns;
	snprintf(thread.name, sizeof(thread.name), "%s", name);
	ledger->guest_ns += times->guest_ns;
	if (ledger->guest_split_known) {
		ledger->guest_kernel_ns += times->guest_ns / 3;
		ledger->guest_user_ns += times->guest_ns - times->guest_ns / 3;
	}
	assert_int_equal(label_times_add(&ledger->vmm, SAMPLE_QEMU, times->qemu_ns), 0);
	assert_int_equal(label_times_add(&ledger->vmm, SAMPLE_LIBC, times->libc_ns), 0);
	assert_int_equal(label_times_add(&ledger->kernel, SAMPLE_KVM, times->kvm_ns), 0);
	assert_int_equal(label_times_add(&ledger->kernel, SAMPLE_TUN, times->tun_ns), 0);
	assert_int_equal(label_times_add(&ledger->shared, SAMPLE_BRIDGE, times->interrupt_ns),
			 0);
	interval->vms[vm].ready_ns += times->ready_ns;
	return sample_add_thread(interval, &thread, &charged);
}

/* What is left of the capacity was idle. */
static inline void sample_end(struct interval *interval)
{
	interval->ledger.idle_ns = 0;
	uint64_t busy_ns = ledger_sum(&interval->ledger);
	assert_true(busy_ns <= interval->ledger.capacity_ns);
	interval->ledger.idle_ns = interval->ledger.capacity_ns - busy_ns;
}

#define SAMPLE_UUID "5f6d0d8e-52c1-4b67-9d0f-8e1a2f3b4c5d"

/*
 * 2 CPUs for a second: web1, of which everything is known and which has a thread of each role;
 * db, of which nothing is; batch, which is not selected.
 */
static inline void sample_three_vms(struct interval *interval, const struct labels *labels)
{
	struct interval_vm *vm;

	sample_begin(interval, labels, 2, 1.0);
	vm = sample_vm(interval, "web1", SAMPLE_UUID, 1234);
	vm->exits = 12345;
	vm->halt_poll_ns = 5 * MS;
	vm->traffic = (struct traffic){1000, 10, 2000, 20};
	interval->ledger.vms[0].error95 = (struct ledger_error){3e6, 2e6, 1e6, 5e5, 4e6};
	sample_thread(
		interval, 1240, THREAD_VCPU, 0, "CPU 0/KVM",
		&(struct sample_times){300 * MS, 10 * MS, 5 * MS, 80 * MS, 0, 12 * MS, 7 * MS});
	sample_thread(interval, 1241, THREAD_VCPU, 1, "CPU 1/KVM",
		      &(struct sample_times){120 * MS, 20 * MS, 0, 10 * MS, 0, 0, 3 * MS});
	sample_thread(interval, 1242, THREAD_IOTHREAD, -1, "IO iothread0",
		      &(struct sample_times){0, 30 * MS, 0, 0, 8 * MS, 0, 0});
	sample_thread(interval, 1234, THREAD_VMM, -1, "qemu-system-x86",
		      &(struct sample_times){0, 60 * MS, 9 * MS, 7 * MS, 0, 1, 0});
	sample_thread(interval, 1250, THREAD_VHOST, -1, "vhost-1234",
		      &(struct sample_times){.tun_ns = 40 * MS});
	sample_thread(interval, 1251, THREAD_KVM, -1, "kvm-pit/1234",
		      &(struct sample_times){.kvm_ns = 1});
	sample_thread(interval, 1252, THREAD_OTHER, -1, "gmain", &(struct sample_times){0});

	vm = &interval->vms[0];
	vm->exits_known = true;
	/* VMX: HLT; SVM would be another name for the same number; one without a name. */
	assert_int_equal(interval_vm_add_exits(vm, &(struct interval_exits){1, 12, 10, MS}), 0);
	assert_int_equal(
		interval_vm_add_exits(vm, &(struct interval_exits){1, 48, 2000, 50 * MS}), 0);
	assert_int_equal(interval_vm_add_exits(vm, &(struct interval_exits){1, 999, 1, 2}), 0);
	interval_sort_exits(interval);

	vm = sample_vm(interval, "db", NULL, 2345);
	vm->kvm_stats_known = vm->traffic_known = false;
	vm->tap_count = 0;
	vm->ended = true;
	strcpy(vm->vmm, "firecracker");
	interval->ledger.vms[1].guest_split_known = false;
	sample_thread(interval, 2346, THREAD_VCPU, 0, "fc_vcpu 0",
		      &(struct sample_times){
			      .guest_ns = 150 * MS, .qemu_ns = 2 * MS, .kvm_ns = 25 * MS});

	vm = sample_vm(interval, "batch", NULL, 3456);
	vm->selected = false;
	sample_thread(interval, 3457, THREAD_VCPU, 0, "CPU 0/KVM",
		      &(struct sample_times){.guest_ns = 99 * MS, .kvm_ns = 1 * MS});
	sample_end(interval);
}

/* From one module's text to the next. */
#define SAMPLE_MODULE_SPACE 0x100000

/*
 * Loads a kernel map in which each of the modules has a page of text, from files that are gone
 * when this returns.
 */
static inline struct kernel_map *sample_map(const char *const *modules, size_t count)
{
	char directory[] = "/tmp/kvmperf-map-XXXXXX", kallsyms_path[64], modules_path[64];
	struct kernel_map *map = NULL;
	struct error error = {0};

	assert_non_null(mkdtemp(directory));
	snprintf(kallsyms_path, sizeof(kallsyms_path), "%s/kallsyms", directory);
	snprintf(modules_path, sizeof(modules_path), "%s/modules", directory);
	FILE *kallsyms_file = fopen(kallsyms_path, "w");
	FILE *modules_file = fopen(modules_path, "w");
	assert_non_null(kallsyms_file);
	assert_non_null(modules_file);
	fputs("ffffffff81000000 T _stext\nffffffff81001400 T _etext\n", kallsyms_file);
	for (size_t i = 0; i < count; i++) {
		uint64_t base = 0xffffffffc0000000 + i * SAMPLE_MODULE_SPACE;
		fprintf(kallsyms_file, "%016llx t run\t[%s]\n", (unsigned long long)base,
			modules[i]);
		fprintf(modules_file, "%s 16384 0 - Live 0x%016llx\n", modules[i],
			(unsigned long long)base);
	}
	assert_int_equal(fclose(kallsyms_file), 0);
	assert_int_equal(fclose(modules_file), 0);
	const struct kernel_map_options options = {kallsyms_path, modules_path, NULL};
	int code = kernel_map_load(&map, &options, &error);
	unlink(kallsyms_path);
	unlink(modules_path);
	rmdir(directory);
	if (code)
		fail_msg("%s", error.message);
	return map;
}

/* The map's number of a subsystem that it has. */
static inline uint32_t sample_subsystem(const struct kernel_map *map, const char *name)
{
	for (size_t i = 0; i < kernel_map_count(map); i++)
		if (strcmp(kernel_map_name(map, (uint16_t)i), name) == 0)
			return (uint32_t)i;
	fail_msg("the map has no subsystem %s", name);
	return 0;
}

#endif
