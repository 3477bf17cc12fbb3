/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SAMPLE_QUEUE_H
#define KVMPERF_REPORT_SAMPLE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Brings the records of all CPUs into the order of time, as far as it matters. perf writes the
 * ring of one CPU after the other, and marks the end of each round: what comes behind a mark is
 * younger than all that stood before the mark before it. So records are held for two rounds;
 * then those that are old enough are handed on. The order of time matters between samples and
 * what changed: a name, a mapping, a process. Samples between two changes are handed on run by
 * run: sorting them would cost more than counting them.
 */

enum queued_kind {
	QUEUED_SAMPLE, /* and nothing else that belongs to it */
	QUEUED_STACK,  /* a sample whose bytes are its callchain */
	QUEUED_LOST,   /* value: samples lost on this CPU */
	QUEUED_CHANGE, /* its bytes are the record */
};

struct queued {
	uint64_t time;
	uint64_t value; /* of a sample: the address */
	uint32_t pid, tid;
	uint64_t weight; /* of a sample: the event's period */
	union {
		uint32_t memo;	/* of QUEUED_SAMPLE: the caller's */
		uint32_t bytes; /* of others: the queue's own, where the entry's bytes are */
	};
	uint16_t cpu;
	uint8_t kind;
	uint8_t mode; /* of a sample: the caller's */
};

/* Takes what is handed on. Other than 0 ends the flush and is returned. */
struct queue_user {
	void *context;
	/*
	 * Takes samples (both kinds) from first on, until end, or one that is younger than
	 * limit, or an entry of another kind: *first becomes that.
	 */
	int (*take_samples)(void *context, const struct queued **first,
			    const struct queued *end, uint64_t limit);
	/* An entry of another kind. Lost samples are handed on between those of their CPU. */
	int (*take_other)(void *context, const struct queued *queued);
	/*
	 * All samples were handed on that stand before what comes next. by_time: had they been
	 * sorted, it would have been by time, and those of the same time by address; else they
	 * were handed on in their order.
	 */
	int (*end_stretch)(void *context, bool by_time);
};

/* Entries first up to end, in the order of time: what came in a row, mostly of one CPU. */
struct queue_run {
	size_t first, end;
};

struct queue_change {
	uint64_t time;
	size_t entry;
};

#define QUEUE_NO_CPU UINT32_MAX

struct sample_queue {
	struct queue_user user;
	struct queued *entries;
	size_t count, room; /* of entries, those included that were handed on already */
	size_t limit;	    /* of count, up to which an entry is simply put behind the others */
	size_t held;	    /* entries of the runs */
	struct queue_run *runs;
	size_t run_count, run_room;
	size_t sorted; /* so many of the first runs count as one by time */
	size_t open;   /* first entry of the run that grows and is none of runs */
	uint64_t last; /* time of the last entry of that run */
	struct queue_change *changes; /* those held, in the order in which they came */
	size_t change_count, change_room;
	struct queue_change *due; /* those that are being handed on, by time */
	size_t due_room;
	uint8_t *kept, *spare; /* bytes of entries, each with its size in front */
	size_t kept_size, kept_room, spare_room;
	uint64_t *cpu_newest; /* of the samples of each CPU, but of the one whose turn it is */
	size_t cpu_room;
	uint32_t cpu;	   /* whose turn it is; QUEUE_NO_CPU */
	bool disordered;   /* a CPU's samples are not in the order of time */
	uint64_t newest;   /* of all entries that ever were in a run */
	uint64_t complete; /* up to here all is there when this round ends */
};

/* user is copied. */
void sample_queue_init(struct sample_queue *queue, const struct queue_user *user);

/*
 * Adds an entry with a copy of bytes that belong to it (size 0: none). May hand on old entries
 * when there are very many, and returns what that does; -ENOMEM.
 */
int sample_queue_add(struct sample_queue *queue, const struct queued *queued, const void *bytes,
		     size_t size);

/*
 * Behind entries up to the time last come samples of another CPU, or a new run; the first one
 * at a time. False without memory.
 */
bool sample_queue_turn(struct sample_queue *queue, uint32_t cpu, uint64_t last, uint64_t time);

/*
 * Places behind the others for at most *room samples (QUEUED_SAMPLE), to be filled and then
 * told by sample_queue_placed(). Their times must rise, from queue->last on, and their CPU must
 * be queue->cpu, or else be told of by sample_queue_turn().
 */
static inline struct queued *sample_queue_places(struct sample_queue *queue, size_t *room)
{
	*room = queue->count < queue->limit ? queue->limit - queue->count : 0;
	return *room ? &queue->entries[queue->count] : NULL;
}

static inline void sample_queue_placed(struct sample_queue *queue, size_t count, uint64_t last)
{
	queue->count += count;
	queue->last = last;
}

/* The bytes of an entry that is being handed on, or was in this stretch; NULL. */
const uint8_t *sample_queue_bytes(const struct sample_queue *queue, const struct queued *queued,
				  size_t *size);

/* A round of the recording ended. */
int sample_queue_end_round(struct sample_queue *queue);

/* Hands on all that is left. */
int sample_queue_finish(struct sample_queue *queue);

void sample_queue_clear(struct sample_queue *queue);

#endif
