/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_COUNTERS_DATA_H
#define KVMPERF_RECORD_COUNTERS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/collector.h"
#include "discover/vm.h"
#include "traffic/traffic.h"

/* What counters.c keeps and counters_json.c writes. Times are ns of CLOCK_MONOTONIC. */

struct counted_thread {
	pid_t tid;
	pid_t tgid;
	enum thread_role role;
	int index; /* of a vCPU; -1: none */
	char name[16];
};

struct counted_vm {
	pid_t pid;
	uint64_t start_time; /* see struct vm */
	char *name, *id;     /* NULL only before the first interval */
	char *uuid;	     /* NULL: not given */
	char vmm[24];
	unsigned vcpus;
	bool selected;
	struct vm_tap *taps;
	size_t tap_count;
	struct counted_thread *threads; /* in rising order of tid */
	size_t thread_count, thread_room;
	bool changed; /* since counters_last_text() */
};

/* VM exits of the vCPU that a thread runs, in one interval; see enum vm_exit_class. */
struct counted_exits {
	pid_t pid; /* of the VM */
	pid_t tid;
	uint64_t by_class[VM_EXIT_CLASSES];
};

/* Of one VM in one interval. */
struct counted_vm_interval {
	pid_t pid;
	bool kvm_stats_known;
	uint64_t exits, halt_poll_ns;
	bool traffic_known;
	struct traffic traffic;
};

struct counted_interval {
	double start; /* seconds since 1970, at start_ns */
	uint64_t start_ns, end_ns;
	size_t cpus;
	const char *times; /* "bpf" or "proc": where the exact times come from */
	uint64_t idle_ns;
	bool interrupts_apart;
	uint64_t interrupt_ns;
	bool sums_known; /* the first three below */
	uint64_t processes_run_ns, kernel_run_ns, shared_run_ns;
	uint64_t self_run_ns;
	struct traffic_count unowned; /* traffic that is no VM's */
	struct collected_task *tasks; /* in rising order of tid, each once */
	size_t task_count;
	struct counted_vm_interval *vms;
	size_t vm_count;
	struct counted_exits *exits; /* in rising order of pid, then tid, each once */
	size_t exit_count;
};

#endif
