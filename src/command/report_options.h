/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_REPORT_OPTIONS_H
#define KVMPERF_COMMAND_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/shared_policy.h"
#include "base/error.h"
#include "view/grouping.h"

enum report_format { REPORT_TABLE, REPORT_CSV, REPORT_JSON };

/* An option of the form VM=VALUE; vm NULL: all VMs. */
struct vm_value {
	char *vm;
	const char *value;
};

struct vm_values {
	struct vm_value *items;
	size_t count, room;
};

struct report_options {
	const char *input;   /* a recording; "-": standard input */
	const char *samples; /* or a file in the neutral form */
	const char *event;
	const char *time; /* --time, as given; NULL */
	const char *kallsyms, *modules;
	struct vm_values guest_kallsyms, guest_modules, taps;
	char *net_before, *net_after;
	enum shared_policy apportion;
	bool uncorrected; /* --correction none */
	const char *const *vms;
	size_t vm_count;
	enum view_grouping by;
	const char *sort; /* NULL: by name, or the largest first by symbol */
	bool folded, pprof;
	enum report_format format;
	const char *output;
	bool help;
};

/*
 * Reads the options of `kvmperf report`. The strings of argv are referred to;
 * report_options_clear() frees the rest. Errors: -EINVAL with a line for the user, -ENOMEM.
 */
int report_options_parse(struct report_options *options, int argc, char **argv,
			 struct error *error);

void report_options_clear(struct report_options *options);

/* The text of --help. */
extern const char report_options_help[];

#endif
