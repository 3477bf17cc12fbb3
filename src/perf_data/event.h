/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_EVENT_H
#define KVMPERF_PERF_DATA_EVENT_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "perf_data/bytes.h"
#include "perf_data/format.h"

/* Where a field isn't in the records. */
#define FIELD_NONE UINT16_MAX

/*
 * Where the fields of an event's records stand: in a sample, bytes from its beginning; in any
 * other record (sample_id_all), bytes back from its end.
 */
struct event_layout {
	uint16_t identifier, ip, tid, time, id, cpu, period;
	uint16_t variable; /* the first field of no fixed size: READ, CALLCHAIN, RAW, ... */
	uint16_t back_tid, back_time, back_cpu, back_id;
	bool complete; /* ip, tid, time, cpu and period are there */
};

/* One event of a recording: what was counted, and what its samples hold. */
struct perf_data_event {
	struct perf_event_attr attr; /* zero where the file's is shorter */
	char name[64];
	struct event_layout layout;
	uint32_t number; /* of it in the table */
};

/* The events by the ids that samples carry. */
struct event_table {
	struct perf_data_event *events;
	size_t count, room;
	struct event_id {
		uint64_t id; /* 0: free place */
		uint32_t event;
	} * ids; /* a hash table, open addressing; a power of two places */
	size_t id_count, id_places;
	struct event_id last; /* found last in a sample; samples of one CPU come in a row */
	bool has_zero;	      /* id 0 was given out, to event zero_event */
	uint32_t zero_event;
	bool one_layout; /* all events have the same: ids are needed for names alone */
	bool by_id;	 /* samples have ids, and there are several events */
	uint16_t id_at;	 /* where samples have them */
};

/*
 * Adds an event from the bytes of its perf_event_attr (as many as the writer knew of). Returns
 * its number, or -EBADMSG when there is no attribute in them, -E2BIG for more events than any
 * recording has, -ENOMEM.
 */
int event_table_add(struct event_table *table, const uint8_t *attr, size_t size);

/* From now on samples of this id are the event's. -ENOMEM, -E2BIG. */
int event_table_add_id(struct event_table *table, uint32_t event, uint64_t id);

/* The event of an id, or NULL. */
struct perf_data_event *event_table_find(const struct event_table *table, uint64_t id);

/* The event of samples with this id, which is remembered for the next one. */
const struct perf_data_event *event_table_of_id(struct event_table *table, uint64_t id);

/*
 * The event of a record: by its id where there are several events. NULL when no event has it,
 * or there is none at all.
 */
static inline const struct perf_data_event *
event_table_of_sample(struct event_table *table, const uint8_t *record, size_t size)
{
	if (!table->by_id)
		return table->one_layout ? table->events : NULL;
	if ((size_t)table->id_at + 8 > size)
		return NULL;
	uint64_t id = get64(record + table->id_at);
	if (id == table->last.id && id)
		return &table->events[table->last.event];
	return event_table_of_id(table, id);
}

const struct perf_data_event *event_table_of_other(const struct event_table *table,
						   const uint8_t *record, size_t size);

void event_table_clear(struct event_table *table);

/* Is it time that the event counts? cycles, cpu-clock, task-clock: samples stand for time. */
bool event_is_clock(const struct perf_data_event *event);

/* cpu-clock or task-clock: the period is in ns. */
bool event_period_is_ns(const struct perf_data_event *event);

#endif
