/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_SAMPLE_H
#define KVMPERF_PERF_DATA_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf_data/bytes.h"
#include "perf_data/event.h"

/* A field that the recording doesn't have. */
#define SAMPLE_NO_TIME UINT64_MAX
#define SAMPLE_NO_CPU  UINT32_MAX

/* What a PERF_RECORD_SAMPLE tells, as far as it is of use. */
struct recorded_sample {
	uint64_t time;	 /* ns of the recording's clock; SAMPLE_NO_TIME */
	uint64_t ip;	 /* 0 when not recorded */
	uint64_t period; /* of the event, in its unit; the attribute's when not recorded */
	uint32_t pid, tid;
	uint32_t cpu; /* SAMPLE_NO_CPU */
	uint16_t cpumode;
	const uint8_t *callchain; /* addresses of 8 bytes, innermost first; NULL: none */
	uint64_t callchain_length;
};

/* Finds the callchain behind the fields of fixed size. False when the sample is cut. */
bool sample_find_callchain(const struct perf_data_event *event, const uint8_t *record,
			   size_t size, struct recorded_sample *sample);

/* Decodes a sample of an event. False when it is shorter than its fields. */
static inline bool sample_decode(const struct perf_data_event *event, const uint8_t *record,
				 size_t size, struct recorded_sample *sample)
{
	const struct event_layout *layout = &event->layout;

	if (size < layout->variable)
		return false;
	sample->cpumode = get16(record + offsetof(struct perf_data_record, misc)) &
			  PERF_RECORD_MISC_CPUMODE_MASK;
	sample->ip = layout->ip != FIELD_NONE ? get64(record + layout->ip) : 0;
	sample->pid = layout->tid != FIELD_NONE ? get32(record + layout->tid) : 0;
	sample->tid = layout->tid != FIELD_NONE ? get32(record + layout->tid + 4) : 0;
	sample->time =
		layout->time != FIELD_NONE ? get64(record + layout->time) : SAMPLE_NO_TIME;
	sample->cpu = layout->cpu != FIELD_NONE ? get32(record + layout->cpu) : SAMPLE_NO_CPU;
	sample->period = layout->period != FIELD_NONE ? get64(record + layout->period)
						      : event->attr.sample_period;
	sample->callchain = NULL;
	sample->callchain_length = 0;
	if (event->attr.sample_type & PERF_SAMPLE_CALLCHAIN)
		return sample_find_callchain(event, record, size, sample);
	return true;
}

/* The time and the CPU that stand at the end of any other record; SAMPLE_NO_... if none. */
static inline uint64_t record_time(const struct perf_data_event *event, const uint8_t *record,
				   size_t size)
{
	uint16_t back = event ? event->layout.back_time : FIELD_NONE;

	return back != FIELD_NONE && back + sizeof(struct perf_data_record) <= size
		       ? get64(record + size - back)
		       : SAMPLE_NO_TIME;
}

static inline uint32_t record_cpu(const struct perf_data_event *event, const uint8_t *record,
				  size_t size)
{
	uint16_t back = event ? event->layout.back_cpu : FIELD_NONE;

	return back != FIELD_NONE && back + sizeof(struct perf_data_record) <= size
		       ? get32(record + size - back)
		       : SAMPLE_NO_CPU;
}

#endif
