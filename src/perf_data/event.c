/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/bytes.h"

/* Far more than any recording has; a malformed file shall not fill the memory. */
#define EVENTS_MAX 4096
#define IDS_MAX	   ((size_t)4 << 20)

/* Fields of a fixed size of 8 bytes, in the order in which samples have them. */
static const uint64_t sample_fields[] = {
	PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_IP,	  PERF_SAMPLE_TID,
	PERF_SAMPLE_TIME,	PERF_SAMPLE_ADDR, PERF_SAMPLE_ID,
	PERF_SAMPLE_STREAM_ID,	PERF_SAMPLE_CPU,  PERF_SAMPLE_PERIOD,
};

/* The same at the end of other records, last first (kernel/events/core.c). */
static const uint64_t trailing_fields[] = {
	PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_CPU,  PERF_SAMPLE_STREAM_ID,
	PERF_SAMPLE_ID,		PERF_SAMPLE_TIME, PERF_SAMPLE_TID,
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void lay_out(struct perf_data_event *event)
{
	uint64_t type = event->attr.sample_type;
	struct event_layout *layout = &event->layout;
	uint16_t at = sizeof(struct perf_data_record), back = 0;

	memset(layout, 0xff, sizeof(*layout));
	for (size_t i = 0; i < COUNT_OF(sample_fields); i++) {
		if (!(type & sample_fields[i]))
			continue;
		switch (sample_fields[i]) {
		case PERF_SAMPLE_IDENTIFIER: layout->identifier = at; break;
		case PERF_SAMPLE_IP: layout->ip = at; break;
		case PERF_SAMPLE_TID: layout->tid = at; break;
		case PERF_SAMPLE_TIME: layout->time = at; break;
		case PERF_SAMPLE_ID: layout->id = at; break;
		case PERF_SAMPLE_CPU: layout->cpu = at; break;
		case PERF_SAMPLE_PERIOD: layout->period = at; break;
		default: break;
		}
		at = (uint16_t)(at + 8);
	}
	layout->variable = at;
	layout->complete = layout->ip != FIELD_NONE && layout->tid != FIELD_NONE &&
			   layout->time != FIELD_NONE && layout->cpu != FIELD_NONE &&
			   layout->period != FIELD_NONE;
	for (size_t i = 0; event->attr.sample_id_all && i < COUNT_OF(trailing_fields); i++) {
		if (!(type & trailing_fields[i]))
			continue;
		back = (uint16_t)(back + 8);
		switch (trailing_fields[i]) {
		case PERF_SAMPLE_CPU: layout->back_cpu = back; break;
		case PERF_SAMPLE_TIME: layout->back_time = back; break;
		case PERF_SAMPLE_TID: layout->back_tid = back; break;
		case PERF_SAMPLE_IDENTIFIER: layout->back_id = back; break;
		case PERF_SAMPLE_ID:
			if (layout->back_id == FIELD_NONE)
				layout->back_id = back;
			break;
		default: break;
		}
	}
}

static void name_event(struct perf_data_event *event)
{
	static const char *const hardware[] = {
		"cycles",
		"instructions",
		"cache-references",
		"cache-misses",
		"branches",
		"branch-misses",
		"bus-cycles",
		"stalled-cycles-frontend",
		"stalled-cycles-backend",
		"ref-cycles",
	};
	static const char *const software[] = {
		"cpu-clock",	    "task-clock",   "page-faults",  "context-switches",
		"cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
		"emulation-faults", "dummy",	    "bpf-output",   "cgroup-switches",
	};
	uint64_t config = event->attr.config;
	/* The upper half names the PMU of a hybrid CPU (PERF_PMU_TYPE_SHIFT). */
	uint64_t plain = config & 0xffffffff;

	if (event->attr.type == PERF_TYPE_HARDWARE && plain < COUNT_OF(hardware))
		snprintf(event->name, sizeof(event->name), "%s", hardware[plain]);
	else if (event->attr.type == PERF_TYPE_SOFTWARE && config < COUNT_OF(software))
		snprintf(event->name, sizeof(event->name), "%s", software[config]);
	else
		snprintf(event->name, sizeof(event->name), "event %u:0x%llx", event->attr.type,
			 (unsigned long long)config);
}

int event_table_add(struct event_table *table, const uint8_t *attr, size_t size)
{
	if (size < PERF_ATTR_SIZE_VER0)
		return -EBADMSG;
	if (table->count >= EVENTS_MAX)
		return -E2BIG;
	if (array_reserve(&table->events, &table->room, table->count + 1,
			  sizeof(*table->events)))
		return -ENOMEM;
	struct perf_data_event *event = &table->events[table->count];
	*event = (struct perf_data_event){0};
	memcpy(&event->attr, attr, size < sizeof(event->attr) ? size : sizeof(event->attr));
	event->number = (uint32_t)table->count;
	lay_out(event);
	name_event(event);
	table->one_layout = table->count == 0 ||
			    (table->one_layout &&
			     event->attr.sample_type == table->events[0].attr.sample_type &&
			     event->attr.sample_id_all == table->events[0].attr.sample_id_all);
	/*
	 * Where there are several events, their ids stand at the same place in all samples
	 * (PERF_SAMPLE_IDENTIFIER, or the same sample_type up to PERF_SAMPLE_ID), or nobody
	 * could tell them apart: the first event tells where.
	 */
	const struct event_layout *first = &table->events->layout;
	table->id_at = first->identifier != FIELD_NONE ? first->identifier : first->id;
	table->by_id = table->count > 0 && table->id_at != FIELD_NONE;
	return (int)table->count++;
}

static size_t place_of(const struct event_table *table, uint64_t id)
{
	size_t mask = table->id_places - 1;
	size_t place = (size_t)(id * 0x9e3779b97f4a7c15ULL >> 32) & mask;

	while (table->ids[place].id && table->ids[place].id != id)
		place = (place + 1) & mask;
	return place;
}

static int grow(struct event_table *table)
{
	struct event_table larger = {.id_places = table->id_places ? 2 * table->id_places : 64};

	larger.ids = calloc(larger.id_places, sizeof(*larger.ids));
	if (!larger.ids)
		return -ENOMEM;
	for (size_t i = 0; i < table->id_places; i++)
		if (table->ids[i].id)
			larger.ids[place_of(&larger, table->ids[i].id)] = table->ids[i];
	free(table->ids);
	table->ids = larger.ids;
	table->id_places = larger.id_places;
	return 0;
}

int event_table_add_id(struct event_table *table, uint32_t event, uint64_t id)
{
	if (id == 0) {
		table->has_zero = true;
		table->zero_event = event;
		return 0;
	}
	if (table->id_count >= IDS_MAX)
		return -E2BIG;
	if (2 * (table->id_count + 1) > table->id_places && grow(table))
		return -ENOMEM;
	size_t place = place_of(table, id);
	if (!table->ids[place].id)
		table->id_count++;
	table->ids[place] = (struct event_id){id, event};
	table->last.id = 0;
	return 0;
}

struct perf_data_event *event_table_find(const struct event_table *table, uint64_t id)
{
	if (id == 0)
		return table->has_zero ? &table->events[table->zero_event] : NULL;
	if (!table->id_places)
		return NULL;
	const struct event_id *found = &table->ids[place_of(table, id)];
	return found->id ? &table->events[found->event] : NULL;
}

const struct perf_data_event *event_table_of_id(struct event_table *table, uint64_t id)
{
	const struct perf_data_event *found = event_table_find(table, id);

	if (found)
		table->last = (struct event_id){id, found->number};
	return found;
}

const struct perf_data_event *event_table_of_other(const struct event_table *table,
						   const uint8_t *record, size_t size)
{
	const struct perf_data_event *first = table->events;

	if (table->count <= 1 || table->one_layout)
		return table->count ? first : NULL;
	uint16_t back = first->layout.back_id;
	if (back == FIELD_NONE || (size_t)back + sizeof(struct perf_data_record) > size)
		return first;
	const struct perf_data_event *found =
		event_table_find(table, get64(record + size - back));
	/* Synthesized records may carry id 0. */
	return found ? found : first;
}

void event_table_clear(struct event_table *table)
{
	free(table->events);
	free(table->ids);
	*table = (struct event_table){0};
}

bool event_period_is_ns(const struct perf_data_event *event)
{
	return event->attr.type == PERF_TYPE_SOFTWARE &&
	       (event->attr.config == PERF_COUNT_SW_CPU_CLOCK ||
		event->attr.config == PERF_COUNT_SW_TASK_CLOCK);
}

bool event_is_clock(const struct perf_data_event *event)
{
	uint64_t plain = event->attr.config & 0xffffffff;

	return event_period_is_ns(event) ||
	       (event->attr.type == PERF_TYPE_HARDWARE &&
		(plain == PERF_COUNT_HW_CPU_CYCLES || plain == PERF_COUNT_HW_REF_CPU_CYCLES)) ||
	       strncmp(event->name, "cycles", 6) == 0 ||
	       strncmp(event->name, "cpu-cycles", 10) == 0 ||
	       strstr(event->name, "/cycles") != NULL ||
	       strstr(event->name, "/cpu-cycles") != NULL;
}
