/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_COLLECTOR_H
#define KVMPERF_COLLECT_COLLECTOR_H

/*
 * A collector tells what ran on every CPU, in which mode, and how long each thread ran. There
 * are two, with one interface: BPF (counts in the kernel) and perf (samples from the ring,
 * thread times from /proc). The profiler can be replaced. A third one, exact, adds exact times
 * by events to the first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account/ledger.h"
#include "base/error.h"

struct kernel_map;
struct dso_cache;
struct exact_exit_layout;

/* The exact times of one thread in the interval. */
struct collected_task {
	pid_t tgid;
	pid_t tid;
	uint64_t run_ns;
	uint64_t ready_ns;
	struct exact_times exact; /* see collected_exact */
	bool kernel_thread;
	char name[16]; /* comm */
};

/* VM exits of one thread for one reason. */
struct collected_exit {
	pid_t tgid;
	pid_t tid;
	uint32_t isa;  /* enum exit_isa of symbols/exit_reasons.h */
	uint32_t code; /* the vendor's; UINT32_MAX: not known */
	uint64_t count;
	uint64_t ns; /* CPU time of the thread from the exits to the next entries */
};

/* SOFTIRQ vectors of include/linux/interrupt.h. */
#define COLLECTED_SOFTIRQS 10

/* What only exact mode knows. All is 0 unless valid. */
struct collected_exact {
	bool valid;	      /* the threads' exact times and the following are known */
	bool whole;	      /* they cover all CPUs for the whole interval */
	uint64_t capacity_ns; /* the CPUs' time that they cover; equal to the sum of all */
	struct exact_times processes; /* of what is in no task */
	struct exact_times kernel;
	struct exact_times self;
	struct exact_times idle;		 /* host_ns: the idle tasks' own time */
	uint64_t softirq_ns[COLLECTED_SOFTIRQS]; /* by vector, all CPUs */
	uint64_t entries;			 /* of guests (kvm_entry) */
	uint64_t events;
	double event_ns;       /* mean cost of an event, 0: not known */
	double duty;	       /* part of the time in which events are looked at, 0 to 1 */
	unsigned windows;      /* the parts, when it is below 1 */
	uint64_t lost;	       /* exits that were counted and can't be told whose they are */
	uint64_t lost_threads; /* that found no room: their time is all processes' */
};

/* Samples of one thread in one mode (and kernel subsystem). tid 0 is the idle task. */
struct collected_count {
	pid_t tgid;
	pid_t tid;
	bool kernel_thread;
	enum account_mode mode;
	uint32_t subsystem;    /* of the kernel map, for modes other than guest and user */
	enum shared_work work; /* what a callchain tells of it; else WORK_NONE */
	uint64_t samples;
	uint64_t entries; /* see account_count; 0 unless collection.entries_known */
	/* How often the reference loop was timed (bpf/sampler.h), and what it took in all. */
	uint64_t references;
	uint64_t reference_ns;
};

/* How guest and user samples of a tracked thread group divide. */
struct collected_split {
	pid_t tgid;
	enum account_mode mode; /* MODE_GUEST or MODE_USER */
	bool guest_kernel;	/* for MODE_GUEST */
	const char *dso;	/* for MODE_USER, interned by the DSO cache */
	uint64_t samples;
};

/* What came together in one interval. The arrays belong to the collector. */
struct collection {
	uint64_t start_ns; /* CLOCK_MONOTONIC, of the thread times' readings */
	uint64_t end_ns;
	size_t cpus;
	struct collected_task *tasks; /* of tracked thread groups, and kernel threads */
	size_t task_count, task_room;
	struct collected_count *counts;
	size_t count_count, count_room;
	bool entries_known;
	struct collected_split *splits;
	size_t split_count, split_room;
	struct collected_exit *exits;
	size_t exit_count, exit_room;
	struct collected_exact exact;
	uint64_t processes_run_ns; /* of all that is in no task above */
	uint64_t kernel_run_ns;	   /* kernel threads not in tasks */
	uint64_t shared_run_ns;	   /* kernel threads not in tasks that do softirq work */
	uint64_t self_run_ns;
	bool interrupts_apart; /* the kernel keeps interrupts out of the threads' times */
	uint64_t interrupt_ns; /* and this is their time */
	uint64_t lost;	       /* samples that were taken and not counted */
	bool handed_out;       /* it is the caller's until the next call */
};

struct collector;

struct collector_options {
	unsigned frequency_hz;
	const struct kernel_map *kernel_map; /* not owned; see collector_use_map() */
	struct dso_cache *dsos;		     /* not owned */
	const struct exact_exit_layout
		*exit_layout; /* for exact mode; NULL: without VM exits */
	double budget;	      /* of exact mode: the part of a CPU that its events may cost */
};

struct collector_operations {
	const char *name;      /* "bpf" or "perf", as in the output */
	const char *judged_as; /* see collector_judged_as(); NULL: as the name says */
	/* See collector_start() and so on below; the collector's first member is the base. */
	int (*start)(struct collector *, struct error *);
	int (*track)(struct collector *, pid_t tgid);
	void (*untrack)(struct collector *, pid_t tgid);
	int (*use_map)(struct collector *, const struct kernel_map *, struct error *);
	void (*tick)(struct collector *);
	pid_t (*new_vm)(struct collector *);
	int (*read)(struct collector *, struct error *);
	void (*free)(struct collector *);
};

/* The common part, first member of each collector. */
struct collector {
	const struct collector_operations *operations;
	struct perf_events *events;
	struct collection collection;
	uint64_t started_ns; /* of the first reading */
	bool exact_refused;  /* see collector_refuse_exact() */
	int wake_fd; /* readable when a VM was seen that is not tracked; -1 if there is none */
};

/*
 * Make a collector, stopped. *out is owned by the caller (collector_free).
 * Errors: -EPERM or -EACCES for a missing capability, -EOPNOTSUPP for a missing kernel feature
 * (the line says which, and for BPF that --collector perf may do), others as they come.
 */
int bpf_collector_new(struct collector **out, const struct collector_options *options,
		      struct error *error);
int perf_collector_new(struct collector **out, const struct collector_options *options,
		       struct error *error);
/* The BPF collector with exact times beside the samples. */
int exact_collector_new(struct collector **out, const struct collector_options *options,
			struct error *error);

/* Starts sampling and takes the first reading of all threads; intervals begin here. */
int collector_start(struct collector *collector, struct error *error);

/* When the first interval began: CLOCK_MONOTONIC, ns. */
uint64_t collector_started(const struct collector *collector);

/*
 * From now on the threads of this thread group are reported one by one. What they ran since
 * the last reading is then reported too. -ENOMEM or -E2BIG when there are too many.
 */
int collector_track(struct collector *collector, pid_t tgid);

/* The reverse; the next read() may still report what the group did before. */
void collector_untrack(struct collector *collector, pid_t tgid);

/*
 * From now on kernel samples are given to the subsystems of this map, which must live on. To be
 * called right after collector_read(), so that no interval mixes two maps' numbers.
 */
int collector_use_map(struct collector *collector, const struct kernel_map *map,
		      struct error *error);

/* Jitters the period and empties the rings; to be called at every collector_tick_interval(). */
void collector_tick(struct collector *collector);

uint64_t collector_tick_interval(const struct collector *collector); /* ns */

/* A thread group that ran in guest mode and isn't tracked, each reported once; 0: no more. */
pid_t collector_new_vm(struct collector *collector);

/* Ends the interval and begins the next. The result is valid until the next call. */
int collector_read(struct collector *collector, const struct collection **out,
		   struct error *error);

/*
 * Are the collection's exact times none? So it is when guests ran all the time of the interval
 * and not one entered guest mode by kvm_entry: the PVM module and whatever else replaces KVM's
 * inner loop have kvm_entry and kvm_exit in the kernel's BTF and never call them; or kvm was
 * loaded after the programs. exits: what KVM's own counters say of the interval, 0 if nothing.
 */
bool collection_exact_silent(const struct collection *collection, uint64_t exits);

/*
 * The exact times turned out to be none (the kernel's tracepoints are silent): they are not
 * valid in the collection that was read last, nor in those to come.
 */
void collector_refuse_exact(struct collector *collector);

/* The CPUs' time of the interval, ns: the capacity of its ledger. */
uint64_t collection_capacity(const struct collection *collection);

/* The reference loop at all samples: how often it was timed, and its mean time. */
struct collected_references {
	uint64_t count;
	double mean_ns; /* 0: it was not timed */
};
struct collected_references collection_references(const struct collection *collection);

/* Samples a second and CPU, from the next tick on. */
void collector_set_frequency(struct collector *collector, unsigned frequency_hz);

const char *collector_name(const struct collector *collector);

/*
 * "bpf" or "perf": which of the two tells whether a sample is guest in the way of this one, so
 * that its calibration holds here.
 */
const char *collector_judged_as(const struct collector *collector);

/* The sampling event: "cycles" or "cpu-clock". */
const char *collector_event(const struct collector *collector);

void collector_free(struct collector *collector);

/*
 * For collectors. Samples are appended between two readings, so a collection that was handed
 * out is emptied by what comes first, the next tick or the next reading.
 */
void collection_begin(struct collection *collection);
void collection_free(struct collection *collection);
struct collected_task *collection_add_task(struct collection *collection);
struct collected_count *collection_add_count(struct collection *collection);
struct collected_exit *collection_add_exit(struct collection *collection);
/* Adds samples to the split with the same keys, or makes it. */
int collection_add_split(struct collection *collection, const struct collected_split *split);

/*
 * Cumulative time of the CPUs in interrupts and idle, from the first line of /proc/stat, ns
 * (in steps of 10 ms a CPU). *interrupts_apart: the hardirq column is above zero, which only
 * happens with IRQ time accounting (kernel/sched/cputime.c, irqtime_account_process_tick).
 */
int host_times_read(uint64_t *idle_ns, uint64_t *interrupt_ns, bool *interrupts_apart,
		    struct error *error);

#endif
