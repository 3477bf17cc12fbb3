/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_SESSION_INTERNAL_H
#define KVMPERF_MEASURE_SESSION_INTERNAL_H

/* What the parts of a session share: session.c, session_setup.c, session_vms.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account/budget.h"
#include "base/cpus.h"
#include "calibrate/calibration.h"
#include "collect/collector.h"
#include "discover/discover.h"
#include "discover/exit_layout.h"
#include "measure/causal_tagging.h"
#include "measure/interval_builder.h"
#include "measure/session.h"
#include "measure/shared_causes.h"
#include "symbols/dso.h"
#include "symbols/kernel_map.h"

/* What is remembered of a VM from interval to interval. */
struct tracked_vm {
	pid_t pid;
	uint64_t start_time;
	struct vm_causes causes;
	uint32_t owner; /* its number for causal tagging */
	uint64_t exits;
	uint64_t halt_poll_ns;
	pid_t *groups; /* thread groups handed to the collector */
	size_t group_count, group_room;
};

struct session {
	struct session_options options;
	char online[CPUS_LIST_SIZE]; /* the CPUs that the collector follows */
	struct kernel_map *kernel_map;
	struct labels *labels;
	struct dso_cache *dsos;
	struct discoverer *discoverer;
	struct collector *collector;
	struct interval_builder *builder;
	struct error fallback;
	struct exact_exit_layout exit_layout; /* for exact mode */
	struct error inexact;		      /* why there is none */
	bool corrects, corrects_exact;	      /* guest times by samples, and exact ones */
	struct calibration calibration;	      /* when it corrects */
	struct error uncorrected;	      /* why not */
	struct budget budget;
	unsigned frequency_hz; /* now */
	struct tracked_vm *tracked;
	size_t tracked_count, tracked_room;
	/* VMs that were seen in guest mode and ended before their files could be read. */
	struct vm *unseen;
	size_t unseen_count, unseen_room;
	struct host_causes host_causes;
	struct net_dev_texts *net_dev_texts;
	struct affine_model model;	/* what shared network work costs */
	enum shared_policy policy_used; /* in the last interval */
	struct causal_tagging *tagging; /* NULL: not wanted or not to be had */
	struct error tagging_refusal;
	uint32_t last_owner; /* given to a VM */
	double interval_start;
	uint64_t interval_start_ns;
	uint64_t deadline_ns; /* of the current interval; 0 before the first */
	uint64_t next_tick_ns;
	bool first_scan_done;
};

/* What is remembered of a VM; NULL: nothing yet. */
struct tracked_vm *session_find_tracked(const struct session *session, const struct vm *vm);

/* Looks for VMs and has the collector report their threads. Errors are described. */
int session_scan(struct session *session, struct error *error);

/* Drops the VMs that ended in the interval that was just handed out. */
void session_forget_ended(struct session *session);

/* Adds to the unseen VMs what was sampled in guest mode and is no known VM's. -ENOMEM. */
int session_find_unseen(struct session *session, const struct collection *collection);

/*
 * Describes a VM in an interval: its names, and by how much its counters rose. *use becomes
 * what it did that others may have worked for. -ENOMEM.
 */
int session_describe_vm(struct session *session, struct vm *vm, struct interval_vm *out,
			struct shared_use *use);

/* Frees what is remembered of all VMs. */
void session_free_vms(struct session *session);

#endif
