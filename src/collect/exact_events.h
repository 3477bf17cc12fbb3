/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_EXACT_EVENTS_H
#define KVMPERF_COLLECT_EXACT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/exact.h"

/* The BPF programs of exact mode (bpf/exact_programs.h) and what they have counted. */
struct exact_events;

/*
 * Loads and attaches them; nothing is counted before exact_events_begin(). layout: where to
 * find the reason of a VM exit; NULL leaves VMs out (kvm isn't loaded). *out is owned by the
 * caller (exact_events_free). Errors: -EPERM or -EACCES without CAP_BPF and CAP_PERFMON,
 * -EOPNOTSUPP where the kernel lacks what is needed; others as they come.
 */
int exact_events_new(struct exact_events **out, const struct exact_exit_layout *layout,
		     struct error *error);

/* Follows all online CPUs from now on; also after a pause. */
int exact_events_begin(struct exact_events *events, struct error *error);

/* Nothing is counted until exact_events_begin(). What was counted before stays. */
int exact_events_pause(struct exact_events *events, struct error *error);

bool exact_events_running(const struct exact_events *events);

/* Whose time it is. */
enum exact_place {
	EXACT_PLACE_IDLE,
	EXACT_PLACE_PROCESSES, /* of threads that found no place of their own */
	EXACT_PLACE_KERNEL,    /* of kernel threads that found none */
	EXACT_PLACE_THREAD,
};

/* What came together since the last reading, all CPUs. */
struct exact_totals {
	uint64_t covered_ns; /* the CPUs' time that was followed; the sum of all threads' times
			      */
	uint64_t softirq_ns[EXACT_SOFTIRQS];
	uint64_t events;
	uint64_t entries;    /* of guests */
	uint64_t lost_exits; /* of threads without a table of their own */
	uint64_t homeless;   /* threads that found no place */
	bool whole;	     /* all CPUs were followed all the time */
};

struct exact_visitor {
	void *context;
	/* ns: EXACT_ACCOUNTS times. A negative value ends the reading. */
	int (*thread)(void *context, enum exact_place place, const struct exact_thread *thread,
		      const uint64_t *ns);
	/* Exits of a thread for one reason; isa is EXACT_ISA_VMX, EXACT_ISA_SVM or another. */
	int (*exits)(void *context, const struct exact_thread *thread, uint32_t isa,
		     uint32_t code, uint64_t count, uint64_t ns);
};

/* The code that stands for all reasons that could not be told apart. */
#define EXACT_EXIT_UNKNOWN UINT32_MAX

/*
 * Ends the reading under way on each CPU, one after the other, without a gap between it and the
 * next, and hands out all that is in it.
 */
int exact_events_take(struct exact_events *events, const struct exact_visitor *visitor,
		      struct exact_totals *totals, struct error *error);

/*
 * Events a second of the CPU that has most, since the last call; to be called when events were
 * looked at all the time in between. 0 for the first call.
 */
double exact_events_rate(struct exact_events *events);

/*
 * The mean run time of the programs, ns an event, by the kernel's own statistics
 * (kernel.bpf_stats_enabled). They are on from _begin_cost() until _end_cost() has seen enough
 * events to tell; before that it returns 0. Needs CAP_SYS_ADMIN.
 */
int exact_events_begin_cost(struct exact_events *events);
double exact_events_end_cost(struct exact_events *events);

void exact_events_free(struct exact_events *events);

#endif
