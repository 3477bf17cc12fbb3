/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SAMPLES_FIELDS_H
#define KVMPERF_REPORT_SAMPLES_FIELDS_H

#include "report/samples_file.h"

/* The fields of a sample in CSV and JSON Lines. */
enum samples_field {
	FIELD_TIME,
	FIELD_CPU,
	FIELD_PID,
	FIELD_TID,
	FIELD_MODE,
	FIELD_MODULE,
	FIELD_ADDRESS,
	FIELD_WEIGHT,
	FIELD_COMM,
	FIELD_KERNEL_THREAD,
	FIELD_COUNT,
};

/* The field of this name, or FIELD_COUNT. */
enum samples_field samples_field_find(const char *name);

const char *samples_field_name(enum samples_field field);

/* Sets a field from its text; empty text is no value. False: the text is no such value. */
bool samples_field_set(struct neutral_sample *sample, enum samples_field field,
		       const char *text);

/*
 * Sets what a file tells of itself: "cpus", "duration_s", "frequency_hz", "start", "event",
 * "weight" (samples or ns). 1: done; 0: there is no such key; -EBADMSG: the value is wrong.
 */
int samples_meta_set(struct samples_file *file, const char *key, const char *value);

#endif
