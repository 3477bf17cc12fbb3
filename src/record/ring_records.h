/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_RING_RECORDS_H
#define KVMPERF_RECORD_RING_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* What the records of the rings were, as they passed by. */
struct record_tally {
	uint64_t samples;
	uint64_t lost;	     /* records that found a ring full, by PERF_RECORD_LOST */
	uint64_t first_time; /* of the samples; 0: none yet */
	uint64_t last_time;
};

struct ring_visitor {
	/* A process mapped a file with code. */
	void (*mapped)(void *context, pid_t pid, const char *name);
	/* A thread group ran in guest mode; not called twice in a row with the same one. */
	void (*guest)(void *context, pid_t pid);
	void *context;
};

/*
 * Looks at the headers of the records that wait in one ring (perf_events_peek()) and adds them
 * to the tally. Reads no more of a sample than its mode. last_guest: the ring's own, 0 at
 * first.
 */
void ring_records_look(const struct iovec *parts, size_t count, struct record_tally *tally,
		       pid_t *last_guest, const struct ring_visitor *visitor);

#endif
