/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_SESSION_H
#define KVMPERF_MEASURE_SESSION_H

#include "account/shared_policy.h"
#include "base/error.h"
#include "measure/interval.h"

/*
 * A measurement under way: the collector, the VMs and their traffic, brought together into one
 * interval after the other. What `kvmperf stat` and every other measuring command run on.
 */
struct session;
struct calibration;
struct collector;
struct collector_options;

enum session_collector {
	SESSION_COLLECTOR_AUTO, /* BPF; perf where BPF can't be had */
	SESSION_COLLECTOR_BPF,
	SESSION_COLLECTOR_PERF,
};

enum session_correction {
	SESSION_CORRECTION_AUTO, /* calibrated, where that can be */
	SESSION_CORRECTION_NONE, /* guest time is what samples call so: an upper bound */
};

struct session_options {
	enum session_correction correction;
	enum session_collector collector;
	enum shared_policy apportion;
	unsigned frequency_hz;
	bool exact; /* exact times by events beside the samples, where they can be had */
	/*
	 * The part of each CPU's time that kvmperf may cost: samples (their rate is lowered)
	 * and its own time, and as much again for the events of exact mode. INFINITY or 0: any.
	 */
	double budget;
	const char *const *vms; /* names, ids or pids to select; not owned */
	size_t vm_count;	/* 0: all VMs */
	/* Called about once a second while an interval is waited for; may be NULL. */
	void (*progress)(void *context, double elapsed_s, double duration_s);
	/* Makes another collector instead of those above, as they are made; NULL: none. */
	int (*new_collector)(struct collector **out, const struct collector_options *options,
			     void *context, struct error *error);
	void *context; /* of both */
};

/*
 * Opens and starts a session: the first interval begins. *out is owned by the caller
 * (session_close). Errors: -EPERM, -EACCES or -EOPNOTSUPP for a missing privilege or kernel
 * feature, others as they come; the line says what to do.
 */
int session_open(struct session **out, const struct session_options *options,
		 struct error *error);

enum session_event {
	SESSION_INTERVAL, /* the time was up */
	SESSION_STOPPED,  /* stop_fd became readable */
};

/*
 * Waits until duration_ns have passed since the interval began, or stop_fd is readable, then
 * ends the interval and fills *interval (owned by the caller, interval_free). Interval follows
 * interval without a gap: a late return makes this one longer. *event says what ended it.
 * Errors: -ESTALE when other CPUs are online than at the start, so that the session has come to
 * its end; others as they come.
 */
int session_next(struct session *session, uint64_t duration_ns, int stop_fd,
		 struct interval *interval, enum session_event *event, struct error *error);

/* VMs that run now, and those of them that are selected. */
size_t session_vm_count(const struct session *session, size_t *selected);

/* Why POLICY_CAUSAL is not to be had and POLICY_AFFINE is used in its place, or NULL. */
const char *session_tagging_refusal(const struct session *session);

/* Why BPF was not taken with SESSION_COLLECTOR_AUTO, or NULL. */
const char *session_fallback_reason(const struct session *session);

/*
 * Why the intervals are not exact although session_options.exact was asked for, or NULL. Known
 * from the start, or after the first interval (tracepoints that stay silent).
 */
const char *session_inexact_reason(const struct session *session);

/*
 * What guest times are corrected by (of the collector's samples: calibration.costs), or NULL.
 * Owned by the session.
 */
const struct calibration *session_calibration(const struct session *session);

/* Why guest times are not corrected although they were to be, or NULL. */
const char *session_uncorrected_reason(const struct session *session);

void session_close(struct session *session);

#endif
