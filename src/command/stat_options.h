/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_STAT_OPTIONS_H
#define KVMPERF_COMMAND_STAT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "measure/session.h"
#include "view/grouping.h"

enum stat_format { STAT_TABLE, STAT_CSV, STAT_JSON };

struct stat_options {
	struct session_options session; /* session.vms is owned */
	uint64_t interval_ns;		/* 0: not given */
	uint64_t count;			/* 0: no limit */
	enum stat_format format;
	enum view_grouping by;
	const char *output; /* NULL: standard output */
	char **command;	    /* NULL: none; ends with NULL */
	bool errors;	    /* by is VIEW_BY_VM_WITH_ERRORS then */
	bool help;
};

/*
 * Reads the options of `kvmperf stat`. The strings of argv are referred to;
 * options->session.vms is the caller's to free. Errors: -EINVAL for wrong usage, -EOPNOTSUPP
 * for what this version can't do; the line says which option and what it takes. -ENOMEM.
 */
int stat_options_parse(struct stat_options *options, int argc, char **argv,
		       struct error *error);

/* The text of --help. */
extern const char stat_options_help[];

#endif
