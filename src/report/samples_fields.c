/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/samples_fields.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"

static const char *const field_names[FIELD_COUNT] = {
	"time",	  "cpu",     "pid",    "tid",  "mode",
	"module", "address", "weight", "comm", "kernel_thread",
};

const char *samples_field_name(enum samples_field field)
{
	return field_names[field];
}

enum samples_field samples_field_find(const char *name)
{
	int field = 0;

	while (field < FIELD_COUNT && strcmp(field_names[field], name) != 0)
		field++;
	return (enum samples_field)field;
}

static bool parse_real(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*value) && *value >= 0;
}

static bool parse_whole(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *value <= max;
}

/* Hexadecimal, with 0x or without, as profilers print addresses. */
static bool parse_address(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 16);
	return *text != '-' && *text != '+' && end != text && *end == '\0' && errno == 0;
}

static bool parse_mode(const char *text, struct neutral_sample *sample)
{
	static const struct {
		const char *name;
		enum sample_mode mode;
	} modes[] = {
		{"guest_user", SAMPLE_GUEST_USER}, {"guest_kernel", SAMPLE_GUEST_KERNEL},
		{"guest", SAMPLE_GUEST},	   {"user", SAMPLE_USER},
		{"kernel", SAMPLE_KERNEL},	   {"softirq", SAMPLE_SOFTIRQ},
		{"hardirq", SAMPLE_HARDIRQ},	   {"idle", SAMPLE_KERNEL},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].name, text) != 0)
			continue;
		sample->mode = modes[i].mode;
		sample->idle = strcmp(text, "idle") == 0;
		sample->has_mode = true;
		return true;
	}
	return false;
}

static void copy_text(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%s", text);
	printable(to);
}

bool samples_field_set(struct neutral_sample *sample, enum samples_field field,
		       const char *text)
{
	double real;
	uint64_t number;

	if (*text == '\0')
		return true;
	switch (field) {
	case FIELD_TIME:
		if (!parse_real(text, &real) || real > 1e10)
			return false;
		sample->time_ns = (uint64_t)(real * (double)NS_PER_S + 0.5);
		sample->has_time = true;
		return true;
	case FIELD_CPU:
		sample->has_cpu = true;
		return parse_whole(text, UINT16_MAX, &sample->cpu);
	case FIELD_PID:
		sample->has_pid = true;
		return parse_whole(text, UINT32_MAX, &sample->pid);
	case FIELD_TID:
		sample->has_tid = true;
		return parse_whole(text, UINT32_MAX, &sample->tid);
	case FIELD_MODE: return parse_mode(text, sample);
	case FIELD_MODULE: copy_text(sample->module, sizeof(sample->module), text); return true;
	case FIELD_ADDRESS:
		sample->has_address = true;
		return parse_address(text, &sample->address);
	case FIELD_WEIGHT: return parse_real(text, &sample->weight) && sample->weight <= 1e18;
	case FIELD_COMM: copy_text(sample->comm, sizeof(sample->comm), text); return true;
	case FIELD_KERNEL_THREAD:
		if (!parse_whole(text, 1, &number))
			return false;
		sample->has_kernel_thread = true;
		sample->kernel_thread = number;
		return true;
	case FIELD_COUNT: break;
	}
	return false;
}

int samples_meta_set(struct samples_file *file, const char *key, const char *value)
{
	double real = 0;
	bool number = parse_real(value, &real);

	if (strcmp(key, "event") == 0) {
		copy_text(file->event, sizeof(file->event), value);
		return 1;
	}
	if (strcmp(key, "weight") == 0) {
		file->unit = strcmp(value, "ns") == 0 ? WEIGHT_NS : WEIGHT_SAMPLES;
		return strcmp(value, "ns") == 0 || strcmp(value, "samples") == 0 ? 1 : -EBADMSG;
	}
	if (strcmp(key, "cpus") == 0) {
		file->cpus = number && real <= 65536 ? (unsigned)real : 0;
		return file->cpus && (double)file->cpus == real ? 1 : -EBADMSG;
	}
	if (strcmp(key, "duration_s") == 0) {
		file->duration_s = real;
		return number && real > 0 && real <= 1e9 ? 1 : -EBADMSG;
	}
	if (strcmp(key, "frequency_hz") == 0) {
		file->frequency_hz = real;
		return number && real > 0 && real <= 1e9 ? 1 : -EBADMSG;
	}
	if (strcmp(key, "start") == 0) {
		file->start = real;
		return number ? 1 : -EBADMSG;
	}
	return 0;
}
