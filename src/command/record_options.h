/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_RECORD_OPTIONS_H
#define KVMPERF_COMMAND_RECORD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "measure/session.h"
#include "record/recorder.h"

struct record_options {
	struct recorder_options recorder;
	unsigned frequency_hz;
	uint64_t interval_ns;
	uint64_t duration_ns; /* 0: no limit */
	enum session_correction correction;
	const char *const *vms; /* owned */
	size_t vm_count;
	char **command; /* NULL: none; ends with NULL */
	bool help;
};

/*
 * Reads the options of `kvmperf record`. The strings of argv are referred to; options->vms is
 * the caller's to free. Errors: -EINVAL for wrong usage, the line says which option and what
 * it takes. -ENOMEM.
 */
int record_options_parse(struct record_options *options, int argc, char **argv,
			 struct error *error);

/* The text of --help. */
extern const char record_options_help[];

#endif
