/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_OPTION_VALUES_H
#define KVMPERF_COMMAND_OPTION_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What the options of the commands have in common. All errors are -EINVAL but for -ENOMEM. */

struct option;

/*
 * The next option, by getopt_long(3): *option is -1 after the last. Options end at the first
 * word that is none. A missing argument and an unknown option are errors with a line for the
 * user. short_names begins with "+:". Set optind and opterr to 0 before the first call.
 */
int option_next(int argc, char **argv, const char *short_names, const struct option *names,
		int *option, struct error *error);

/*
 * What follows the options: nothing, or "--" and a command. *command is NULL or points into
 * argv, which ends with NULL. purpose: "measure", for the line on a word without "--".
 */
int option_command(int argc, char **argv, const char *purpose, char ***command,
		   struct error *error);

/* One of several words, a list that ends with NULL; its index is stored in *choice. */
int option_choice(const char *option, const char *text, const char *const *words, int *choice,
		  struct error *error);

/* A number from low to high. */
int option_real(const char *option, const char *text, double low, double high, double *value,
		struct error *error);

/* A whole number from 1 to high. */
int option_whole(const char *option, const char *text, double high, double *value,
		 struct error *error);

/* Seconds from low to high, as whole nanoseconds. */
int option_seconds(const char *option, const char *text, double low, double high, uint64_t *ns,
		   struct error *error);

/* Bytes from low up: a whole number with K, M, G or T (1024 each) after it, or nothing. */
int option_size(const char *option, const char *text, uint64_t low, uint64_t *bytes,
		struct error *error);

/* Adds the argument of --vm to a list that the caller frees. */
int option_add_vm(const char *text, const char *const **vms, size_t *count,
		  struct error *error);

#endif
