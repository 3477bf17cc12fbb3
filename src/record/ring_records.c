/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/ring_records.h"

#include <limits.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <string.h>

/*
 * Where the fields of a record are, from its start, with the sample type of
 * perf_events_options.records: header, identifier, ip, pid and tid, time.
 */
#define SAMPLE_PID  24
#define SAMPLE_TIME 32
#define LOST_COUNT  16 /* header, id, lost */
#define MMAP2_PID   8
#define MMAP2_NAME  72

/* Copies bytes that may lie in both parts. */
static void copy(const struct iovec *parts, size_t count, size_t offset, void *to,
		 size_t length)
{
	for (size_t i = 0; i < count && length > 0; i++) {
		size_t size = parts[i].iov_len;
		if (offset >= size) {
			offset -= size;
			continue;
		}
		size_t step = size - offset < length ? size - offset : length;
		memcpy(to, (const char *)parts[i].iov_base + offset, step);
		to = (char *)to + step;
		length -= step;
		offset = 0;
	}
}

static void look_at_mapping(const struct iovec *parts, size_t count, size_t offset, size_t size,
			    const struct ring_visitor *visitor)
{
	char name[PATH_MAX];
	uint32_t pid;

	if (size <= MMAP2_NAME)
		return;
	size_t length = size - MMAP2_NAME;
	if (length > sizeof(name) - 1)
		length = sizeof(name) - 1;
	copy(parts, count, offset + MMAP2_PID, &pid, sizeof(pid));
	copy(parts, count, offset + MMAP2_NAME, name, length);
	name[length] = '\0'; /* the name ends before that */
	visitor->mapped(visitor->context, (pid_t)pid, name);
}

static bool in_guest_mode(uint16_t misc)
{
	uint16_t mode = misc & PERF_RECORD_MISC_CPUMODE_MASK;

	return mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER;
}

static void look_at_guest(const struct iovec *parts, size_t count, size_t offset,
			  pid_t *last_guest, const struct ring_visitor *visitor)
{
	uint32_t pid;

	copy(parts, count, offset + SAMPLE_PID, &pid, sizeof(pid));
	if ((pid_t)pid == *last_guest)
		return;
	*last_guest = (pid_t)pid;
	visitor->guest(visitor->context, (pid_t)pid);
}

static void note_time(const struct iovec *parts, size_t count, size_t offset,
		      struct record_tally *tally)
{
	uint64_t time;

	copy(parts, count, offset + SAMPLE_TIME, &time, sizeof(time));
	if (tally->first_time == 0 || time < tally->first_time)
		tally->first_time = time;
	if (time > tally->last_time)
		tally->last_time = time;
}

void ring_records_look(const struct iovec *parts, size_t count, struct record_tally *tally,
		       pid_t *last_guest, const struct ring_visitor *visitor)
{
	size_t total = 0, last_sample = 0;
	uint64_t before = tally->samples;

	for (size_t i = 0; i < count; i++)
		total += parts[i].iov_len;
	for (size_t offset = 0; total - offset >= sizeof(struct perf_event_header);) {
		struct perf_event_header header;
		copy(parts, count, offset, &header, sizeof(header));
		if (header.size < sizeof(header) || header.size > total - offset)
			break;
		switch (header.type) {
		case PERF_RECORD_SAMPLE:
			if (tally->samples++ == before)
				note_time(parts, count, offset, tally);
			last_sample = offset;
			if (in_guest_mode(header.misc))
				look_at_guest(parts, count, offset, last_guest, visitor);
			break;
		case PERF_RECORD_LOST: {
			uint64_t lost;
			copy(parts, count, offset + LOST_COUNT, &lost, sizeof(lost));
			tally->lost += lost;
			break;
		}
		case PERF_RECORD_MMAP2:
			if ((header.misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
			    PERF_RECORD_MISC_USER)
				look_at_mapping(parts, count, offset, header.size, visitor);
			break;
		default: break;
		}
		offset += header.size;
	}
	if (tally->samples > before)
		note_time(parts, count, last_sample, tally);
}
