/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_INTERVAL_H
#define KVMPERF_MEASURE_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/ledger.h"
#include "discover/vm.h"
#include "measure/labels.h"
#include "traffic/traffic.h"
#include "traffic/unseen.h"

/* How the figures of an interval came about. */
struct interval_source {
	const char *collector;	     /* "bpf" or "perf" */
	const char *event;	     /* "cycles" or "cpu-clock" */
	unsigned frequency_hz;	     /* in this interval: within the budget */
	unsigned frequency_asked_hz; /* the same or more */
	double sample_cost_s;	     /* the whole cost of one sample; 0: unknown */
	double budget;		     /* part of each CPU's time; INFINITY: no limit */
	uint64_t samples;
	uint64_t lost;
	const char *apportion;	/* the policy that network work was divided by */
	uint64_t fit_batches;	/* that the affine model was fitted to; 0: it is the default */
	double fit_sum_error;	/* of the last fit, see struct affine_fit_result; < 0: none */
	double fit_batch_error; /* the same */
	double tagged_s;	/* of the interval, in which causal tagging was on */
	uint64_t tagged_packets;
	const char *irqs_off_correction; /* "none": guest time is an upper bound */
	/*
	 * What the calibration's costs were multiplied by, since the core's speed is another
	 * one: the mean of so many times of the reference loop (correction.h). 0: not known.
	 */
	double exit_cost_factor;
	uint64_t references;
	double overhead_s; /* kvmperf itself, its samples and events; NAN: not known */
	/*
	 * Of a recording: what the threads' times were taken from. NULL: they are exact, as
	 * they are wherever a collector measures; else no ready times are known.
	 */
	const char *anchor;
	bool exact;	 /* guest, interrupt and thread times come from events, not samples */
	double duty;	 /* the part of the time in which events were looked at */
	uint64_t events; /* the next three only when exact */
	double event_ns; /* mean cost of one, by BPF's own statistics; 0: not known */
	uint64_t lost_exits;   /* that are in no VM's exits by reason */
	uint64_t lost_threads; /* whose time is in host processes or host kernel, for want of
				  room */
};

/* VM exits for one reason; see kvm_exit_reason_name(). */
struct interval_exits {
	uint32_t isa;
	uint32_t code;
	uint64_t count;
	uint64_t ns; /* CPU time of the vCPU threads from there to the next entry */
};

/* Samples of one mode and module, as a recording has them. */
struct sample_count {
	const char *mode;   /* "guest_user", "guest_kernel", "guest", "vmm", "kernel", ... */
	const char *module; /* borrowed; NULL for guest modes */
	uint64_t samples;
};

struct sample_counts {
	struct sample_count *items;
	size_t count, room;
};

/* What is known of a VM besides its ledger; stands at the same index as its ledger_vm. */
struct interval_vm {
	char *name;
	char *id;
	char *uuid; /* NULL: not given */
	char vmm[24];
	pid_t pid;
	uint64_t start_time; /* with pid, tells one VM from the next; see struct vm */
	unsigned vcpus;
	struct vm_tap *taps;
	size_t tap_count;
	bool selected; /* by --vm; true without */
	bool ended;    /* in this interval */
	uint64_t ready_ns;
	bool kvm_stats_known;
	uint64_t exits;
	uint64_t halt_poll_ns;
	bool traffic_known;
	struct traffic traffic; /* in this interval */
	unsigned unseen;	/* enum unseen_path: ways to the network that no tap counts */
	bool exits_known;	/* the next are; with exact mode only */
	struct interval_exits *exits_by_reason; /* the costliest first */
	size_t exit_reasons;
	struct sample_counts samples; /* of a recording; else empty */
};

/* What is known of a thread; stands at the same index as its ledger_thread. */
struct interval_thread {
	enum account_owner owner; /* the rest only for OWNER_VM */
	uint32_t vm;
	pid_t tid;
	enum thread_role role;
	int index;
	char name[16];
	uint64_t ready_ns;
	struct exact_times exact; /* with exact mode only */
	bool exits_known;	  /* the next are: it runs a vCPU, and KVM's counters tell */
	uint64_t exits[VM_EXIT_CLASSES];
};

/* One interval, ready for the views. */
struct interval {
	double start; /* seconds since 1970; NAN: not known, as in some recordings */
	double duration_s;
	size_t cpus;
	struct interval_source source;
	struct traffic_count unowned; /* traffic of the host's devices that is no VM's */
	struct ledger ledger;
	struct interval_vm *vms; /* ledger.vm_count */
	/*
	 * ledger.thread_count; in the order of their VMs (but for a sum of intervals).
	 */
	struct interval_thread *threads;
	const struct labels *labels; /* of the session */
	bool recorded;		     /* from a recording: it has samples by account */
	struct sample_counts processes_samples, kernel_samples, idle_samples;
};

/* What the VMs that were not selected took; part of interval_processes_ns(). */
uint64_t interval_other_vms_ns(const struct interval *interval);

/*
 * A VM's host time that is no exit's: of its threads other than vCPUs, and of vCPU threads
 * before they first entered guest mode. With the guest and shared time and the exits' it is the
 * total.
 */
uint64_t interval_outside_exits_ns(const struct interval *interval, size_t vm);

/* Host processes, those VMs included: a VM that nobody asked for is a process. */
uint64_t interval_processes_ns(const struct interval *interval);

/*
 * Adds an interval to a sum, which starts as all zero; VMs and threads are matched by their
 * process. Errors (ns) are added in quadrature. -ENOMEM leaves the sum incomplete.
 */
int interval_add(struct interval *sum, const struct interval *interval);

/* Copies the VM's fixed facts (names, taps). -ENOMEM leaves nothing to free. */
int interval_vm_set(struct interval_vm *out, const char *name, const char *id, const char *uuid,
		    const struct vm_tap *taps, size_t tap_count);

/*
 * The same from a VM that was found, with its program, process and vCPUs, and whether it is
 * among those that count selectors ask for (vm_is_selected()). -ENOMEM as above.
 */
int interval_vm_describe(struct interval_vm *out, const struct vm *vm,
			 const char *const *selectors, size_t count);

/* Adds exits to the VM's; they are not in order then. -ENOMEM. */
int interval_vm_add_exits(struct interval_vm *vm, const struct interval_exits *exits);

/* Brings the exits of all VMs in order. */
void interval_sort_exits(struct interval *interval);

void interval_free(struct interval *interval);

#endif
