/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/sample.h"

/* PERF_FORMAT_LOST, since Linux 6.0 */
#define FORMAT_LOST (1U << 4)

static size_t eight_if(uint64_t bit)
{
	return bit ? 8 : 0;
}

/* Bytes of PERF_SAMPLE_READ (struct read_format of perf_event_open(2)); 0 when cut. */
static size_t read_size(uint64_t format, const uint8_t *at, size_t left)
{
	size_t times = eight_if(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
		       eight_if(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	size_t value = 8 + eight_if(format & PERF_FORMAT_ID) + eight_if(format & FORMAT_LOST);

	if (!(format & PERF_FORMAT_GROUP))
		return times + value;
	if (left < 8)
		return 0;
	uint64_t count = get64(at);
	return count <= left / value ? 8 + times + (size_t)count * value : 0;
}

bool sample_find_callchain(const struct perf_data_event *event, const uint8_t *record,
			   size_t size, struct recorded_sample *sample)
{
	size_t at = event->layout.variable;

	if (event->attr.sample_type & PERF_SAMPLE_READ) {
		size_t read = read_size(event->attr.read_format, record + at, size - at);
		if (read == 0 || read > size - at)
			return false;
		at += read;
	}
	if (size - at < 8)
		return false;
	sample->callchain_length = get64(record + at);
	sample->callchain = record + at + 8;
	return sample->callchain_length <= (size - at - 8) / 8;
}
