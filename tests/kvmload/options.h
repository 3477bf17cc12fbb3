/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_OPTIONS_H
#define KVMLOAD_OPTIONS_H

#include "base/error.h"
#include "plan.h"

struct options {
	struct plan plan; /* of every VM; name is the prefix */
	unsigned vms;	  /* at the same time */
	unsigned total;	  /* in all; more than vms with --start-stop */
	bool start_stop;
	uint64_t duration_ns;
	uint64_t truth_interval_ns; /* 0: none */
	const char *truth_file;	    /* NULL: stderr */
	int ready_fd;		    /* -1: none */
	bool quiet;
	bool help;
};

/* Fills options from the command line. -EINVAL with a line for the user. */
int options_parse(struct options *options, int argc, char **argv, struct error *error);

extern const char options_help[];

#endif
