/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a long recording of a short one: repeat_recording IN OUT SAMPLES. What stands in IN's
 * data is repeated, each time later, until OUT has so many samples; header, events and features
 * stay. perf reads the result as it reads IN. Files of perf record without -z only.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf_data/bytes.h"
#include "perf_data/perf_data.h"
#include "perf_data/sample.h"

struct input {
	uint8_t *bytes;
	size_t size;
	struct perf_data *data; /* for its events */
	struct perf_data_header header;
	uint64_t first, last; /* times */
};

static int fail(const char *what, const char *name)
{
	fprintf(stderr, "repeat_recording: %s %s: %s\n", what, name, strerror(errno));
	return EXIT_FAILURE;
}

static int load(struct input *input, const char *name)
{
	struct error error = {0};
	FILE *file = fopen(name, "re");
	long size;

	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET))
		return fail("cannot read", name);
	input->size = (size_t)size;
	input->bytes = malloc(input->size + 1);
	if (!input->bytes || fread(input->bytes, 1, input->size, file) != input->size)
		return fail("cannot read", name);
	fclose(file);
	if (perf_data_open(&input->data, name, &error)) {
		fprintf(stderr, "repeat_recording: %s\n", error.message);
		return EXIT_FAILURE;
	}
	memcpy(&input->header, input->bytes, sizeof(input->header));
	if (input->header.size != sizeof(input->header) || input->header.data.size == 0 ||
	    input->header.data.offset + input->header.data.size > input->size) {
		errno = ENOTSUP;
		return fail("not a whole file of perf record:", name);
	}
	return EXIT_SUCCESS;
}

/* Where the time of a record stands, or NULL. */
static uint8_t *time_of(const struct input *input, uint8_t *record, size_t size)
{
	struct event_table *events = perf_data_events(input->data);
	const struct perf_data_event *event;
	uint32_t type = get32(record);

	if (type >= PERF_RECORD_HEADER_ATTR)
		return NULL;
	if (type == PERF_RECORD_SAMPLE) {
		event = event_table_of_sample(events, record, size);
		return event && event->layout.time != FIELD_NONE ? record + event->layout.time
								 : NULL;
	}
	event = event_table_of_other(events, record, size);
	return event && event->layout.back_time != FIELD_NONE
		       ? record + size - event->layout.back_time
		       : NULL;
}

/* Writes the data once, its times later by shift; *samples are counted. */
static int write_data(struct input *input, FILE *out, uint64_t shift, uint64_t *samples)
{
	uint8_t *at = input->bytes + input->header.data.offset;
	const uint8_t *end = at + input->header.data.size;
	uint8_t copy[UINT16_MAX];

	for (size_t size; at < end; at += size) {
		size = get16(at + offsetof(struct perf_data_record, size));
		if (size < sizeof(struct perf_data_record) || size > (size_t)(end - at))
			return -1;
		memcpy(copy, at, size);
		uint8_t *time = time_of(input, copy, size);
		uint64_t value = time ? get64(time) : 0;
		/* What ran before has time 0 and is told once; so is what perf says of itself.
		 */
		if (shift && value == 0 && get32(copy) != PERF_RECORD_FINISHED_ROUND)
			continue;
		if (value && !shift) {
			if (value < input->first)
				input->first = value;
			if (value > input->last)
				input->last = value;
		}
		if (value) {
			value += shift;
			memcpy(time, &value, sizeof(value));
		}
		*samples += get32(copy) == PERF_RECORD_SAMPLE;
		if (fwrite(copy, size, 1, out) != 1)
			return -1;
	}
	return 0;
}

/* The table of feature sections and what it refers to, moved to behind the data. */
static int write_features(const struct input *input, FILE *out, uint64_t added)
{
	uint64_t at = input->header.data.offset + input->header.data.size;
	size_t count = 0;

	for (size_t i = 0; i < PERF_DATA_FEATURE_BITS / 64; i++)
		count += (size_t)__builtin_popcountll(input->header.features[i]);
	for (size_t i = 0; i < count; i++) {
		struct perf_data_section section;
		memcpy(&section, input->bytes + at + i * sizeof(section), sizeof(section));
		section.offset += added;
		if (fwrite(&section, sizeof(section), 1, out) != 1)
			return -1;
	}
	at += count * sizeof(struct perf_data_section);
	return fwrite(input->bytes + at, 1, input->size - at, out) == input->size - at ? 0 : -1;
}

static int repeat(struct input *input, FILE *out, uint64_t wanted)
{
	uint64_t samples = 0, shift = 0;

	if (fwrite(input->bytes, input->header.data.offset, 1, out) != 1)
		return -1;
	while (samples < wanted) {
		if (write_data(input, out, shift, &samples) || samples == 0)
			return -1;
		/* A ms between the last time and the first of the next round. */
		shift += input->last - input->first + 1000000;
	}
	long end = ftell(out);
	if (end < 0)
		return -1;
	uint64_t added = (uint64_t)end - input->header.data.offset - input->header.data.size;
	if (write_features(input, out, added))
		return -1;
	input->header.data.size += added;
	if (fseek(out, 0, SEEK_SET) ||
	    fwrite(&input->header, sizeof(input->header), 1, out) != 1)
		return -1;
	printf("%" PRIu64 "\n", samples);
	return 0;
}

int main(int argc, char **argv)
{
	struct input input = {.first = UINT64_MAX};

	if (argc != 4 || strtoull(argv[3], NULL, 10) == 0) {
		fprintf(stderr, "usage: repeat_recording IN OUT SAMPLES\n");
		return 2;
	}
	if (load(&input, argv[1]))
		return EXIT_FAILURE;
	FILE *out = fopen(argv[2], "we");
	if (!out)
		return fail("cannot write", argv[2]);
	setvbuf(out, NULL, _IOFBF, 1 << 20);
	int code = repeat(&input, out, strtoull(argv[3], NULL, 10));
	if (fclose(out) || code)
		return fail("cannot repeat into", argv[2]);
	perf_data_close(input.data);
	free(input.bytes);
	return EXIT_SUCCESS;
}
