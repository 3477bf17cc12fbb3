/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_LEDGER_H
#define KVMPERF_ACCOUNT_LEDGER_H

/*
 * The ledger: where every CPU nanosecond of one interval went, and which VM pays for it. Pure:
 * plain arrays in, plain arrays out, deterministic. Times are ns.
 *
 * How it is made (../shared/design.md, section 4):
 * 1. Each thread's CPU time is known exactly. What all threads ran together can't exceed the
 *    capacity; readings that say so (they are taken one after the other, not at one instant)
 * are scaled to fit, and the rest stays with the thread for the next interval.
 * 2. A thread's samples say what its time was made of: mode by mode, and for kernel mode
 *    subsystem by subsystem (ratio estimate: time x samples of a cell / samples of the thread).
 *    Threads with few samples are pooled with the VM's others of the same role.
 * 3. What a thread's exits ran with interrupts off, and samples called guest, moves from guest
 *    to kernel (correction.h).
 * 4. Interrupt work found in a thread is not the thread's: it goes to the shared pool, as does
 *    what interrupts did while a CPU was idle.
 * 5. The pool is kept by kind of work (enum shared_work). Each kind is apportioned to the VMs
 *    by weights of its own; what no VM owns stays unattributed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/correction.h"
#include "account/shared_work.h"

/* Whose time a thread's own time is. */
enum account_owner {
	OWNER_VM,
	OWNER_PROCESSES, /* host processes other than VMs */
	OWNER_KERNEL,	 /* kernel threads; what shared work they do goes to the pool */
	OWNER_SHARED,	 /* kernel threads that do softirq work: ksoftirqd, NAPI threads */
	OWNER_SELF,	 /* kvmperf */
	OWNER_IDLE,	 /* the idle task of all CPUs: run_ns is what the others leave */
};

/* What a CPU did when it was sampled. */
enum account_mode {
	MODE_GUEST,
	MODE_USER,
	MODE_KERNEL,
	MODE_SOFTIRQ,
	MODE_HARDIRQ,
};
#define MODE_COUNT (MODE_HARDIRQ + 1)

/* The label of time of which no sample tells the module or shared object. */
#define LABEL_UNSAMPLED UINT32_MAX

/* A thread has enough samples of its own from here on; else it is pooled by role. */
#define SAMPLES_ENOUGH 30

#define ACCOUNT_ROLES_MAX 8

/* What a thread's time was made of, without sampling; see account_input.exact. */
struct exact_times {
	uint64_t guest_ns;
	uint64_t host_ns;    /* user and kernel mode */
	uint64_t hardirq_ns; /* in which interrupts held its CPU; of the idle task too */
	uint64_t softirq_ns;
};

struct account_thread {
	enum account_owner owner;
	uint32_t vm;   /* index into the VMs, for OWNER_VM */
	uint32_t role; /* below ACCOUNT_ROLES_MAX; threads of one role are alike */
	uint64_t run_ns;
	uint64_t slept_ns;   /* neither running nor ready to run; 0: not known */
	double reference_ns; /* see correction_input */
	struct exact_times exact;
	uint64_t exits[VM_EXIT_CLASSES]; /* VM exits of the vCPU that it runs */
};

/* Samples of one thread in one mode; label is the subsystem, for modes other than guest, user.
 */
struct account_count {
	uint32_t thread;
	uint32_t label; /* below label_count */
	enum account_mode mode;
	enum shared_work work; /* interrupt modes, and kernel threads of no VM; else none */
	uint64_t samples;
	uint64_t entries; /* of these, whose thread's sample before was in another mode */
};

/*
 * How a VM's guest or user samples divide further, as far as is known: label is 0 for guest
 * user and 1 for guest kernel (MODE_GUEST), or a shared object of the caller's (MODE_USER).
 */
struct account_split {
	uint32_t vm;
	uint32_t label;
	enum account_mode mode;
	uint64_t samples;
};
#define LABEL_GUEST_USER   0
#define LABEL_GUEST_KERNEL 1

struct account_input {
	uint64_t capacity_ns; /* CPUs x duration */
	uint64_t period_ns;   /* nominal time between two samples of a CPU */
	/*
	 * With IRQ time accounting (CONFIG_IRQ_TIME_ACCOUNTING) the threads' times leave out
	 * the interrupts that hit them, and interrupt_ns is the exact time of all interrupts.
	 */
	bool interrupts_apart;
	uint64_t interrupt_ns;
	/*
	 * The threads' exact times are known: run_ns is divided in proportion to them (and
	 * equal to their sum where they cover the whole interval), and samples only say what
	 * the host time was made of. Host time that samples called guest (see
	 * ../shared/design.md, interrupts-off bias) is kernel mode with world_switch_label.
	 */
	bool exact;
	double exact_duty;	/* the part of the time that they cover, above 0 to 1 */
	unsigned exact_windows; /* drawn at random, that it lies in; any number for duty 1 */
	uint32_t world_switch_label;
	uint64_t exact_softirq_ns[WORK_COUNT]; /* of all CPUs, by kind of work */
	const struct account_thread *threads;
	size_t thread_count;
	const struct account_count *counts;
	size_t count_count;
	bool entries_known; /* for the threads of VMs; else samples are taken as independent */
	const struct account_split *splits;
	size_t split_count;
	size_t vm_count;
	/*
	 * For each kind of shared work: vm_count weights, then that of what no VM owns. NULL,
	 * or a sum of 0: all of it is nobody's.
	 */
	const uint64_t *weights[WORK_COUNT];
	/*
	 * Of samples, or of exact mode when there are exact times, whose interrupts are known
	 * anyway. NULL: the guest's time is not corrected.
	 */
	const struct exit_costs *exit_costs;
	size_t label_count;
};

/* Time by label, only labels with time, in rising order of label. */
struct label_time {
	uint32_t label;
	uint64_t ns;
};
struct label_times {
	struct label_time *items;
	size_t count;
	uint64_t total_ns; /* the sum of the items */
};

/* Half widths of 95 % intervals, ns: of sampling, and of the correction. */
struct ledger_error {
	double guest;
	double vmm;
	double kernel;
	double shared;
	double hypervisor;
};

struct ledger_vm {
	uint64_t guest_ns;
	bool guest_split_known;
	uint64_t guest_user_ns; /* sums with the next to guest_ns, when known */
	uint64_t guest_kernel_ns;
	uint64_t corrected_ns;	   /* of kernel, what the correction took from guest */
	struct label_times vmm;	   /* host user mode by shared object */
	struct label_times kernel; /* host kernel mode in the VM's own threads, by subsystem */
	struct label_times shared; /* the VM's part of the pool, by subsystem */
	uint64_t shared_work_ns[WORK_COUNT]; /* the same by kind of work */
	struct ledger_error error95;
	double correction95_ns; /* of it, the corrections': half width, of all threads */
};

struct ledger_thread {
	uint64_t charged_ns; /* of run_ns; the sum of the next four */
	uint64_t carry_ns;   /* run_ns - charged_ns: to be added to the next interval's */
	uint64_t guest_ns;
	uint64_t user_ns;
	uint64_t kernel_ns; /* of which unsampled: kernel mode at most */
	uint64_t interrupt_ns;
	uint64_t samples;
};

struct ledger {
	uint64_t capacity_ns;
	struct ledger_vm *vms; /* vm_count, in the input's order */
	size_t vm_count;
	struct ledger_thread *threads; /* thread_count, in the input's order */
	size_t thread_count;
	uint64_t processes_ns;
	uint64_t kernel_ns;
	struct label_times unattributed;	   /* what of the pool no VM owns */
	uint64_t unattributed_work_ns[WORK_COUNT]; /* the same by kind of work */
	uint64_t self_ns;
	uint64_t idle_ns;
	uint64_t samples;
};

uint64_t ledger_vm_hypervisor_ns(const struct ledger_vm *vm);
uint64_t ledger_vm_total_ns(const struct ledger_vm *vm);

/* The sum of all accounts: equals capacity_ns, always. */
uint64_t ledger_sum(const struct ledger *ledger);

/*
 * Makes the ledger of one interval. *out is filled and owned by the caller (ledger_free).
 * Errors: -ENOMEM; -ERANGE when an index of the input is out of range.
 */
int ledger_make(struct ledger *out, const struct account_input *input);

void ledger_free(struct ledger *ledger);

#endif
