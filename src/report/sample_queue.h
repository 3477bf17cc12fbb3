/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SAMPLE_QUEUE_H
#define KVMPERF_REPORT_SAMPLE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Brings the records of all CPUs into the order of time, as far as it matters. perf writes the
 * ring of one CPU after the other, and marks the end of each round: what comes behind a mark is
 * younger than all that stood before the mark before it. So records are held for two rounds;
 * then those that are old enough are handed on. Samples alone need no order among themselves
 * (only that each CPU's stay in theirs); they are sorted when something changed in between:
 * a name, a mapping, a process.
 */

enum queued_kind {
	QUEUED_SAMPLE,
	QUEUED_LOST,   /* value: samples lost on this CPU */
	QUEUED_CHANGE, /* its bytes are the record: sample_queue_bytes() */
};

struct queued {
	uint64_t time;
	uint64_t value; /* of a sample: the address */
	uint32_t pid, tid;
	uint64_t weight; /* of a sample: the event's period */
	uint32_t bytes;	 /* the queue's own: where the entry's bytes are, 0: it has none */
	uint16_t cpu;
	uint8_t kind;
	uint8_t mode; /* of a sample: the caller's */
};

struct sample_queue;

/* Takes one entry; other than 0 ends the flush and is returned. */
typedef int queue_function(void *context, const struct queued *queued);

/* NULL without memory. */
struct sample_queue *sample_queue_new(queue_function *function, void *context);

/*
 * Adds an entry with a copy of bytes that belong to it (size 0: none). May hand on old entries
 * when there are very many, and returns what that does; -ENOMEM.
 */
int sample_queue_add(struct sample_queue *queue, const struct queued *queued, const void *bytes,
		     size_t size);

/* The bytes of an entry, or NULL; valid during the function that takes it. */
const uint8_t *sample_queue_bytes(const struct sample_queue *queue, const struct queued *queued,
				  size_t *size);

/* A round of the recording ended. */
int sample_queue_end_round(struct sample_queue *queue);

/* Hands on all that is left. */
int sample_queue_finish(struct sample_queue *queue);

void sample_queue_free(struct sample_queue *queue);

#endif
