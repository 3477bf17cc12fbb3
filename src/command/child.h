/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_CHILD_H
#define KVMPERF_COMMAND_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* A command that is measured while it runs. */
struct child {
	pid_t pid;
	int go_fd;    /* closing it after a byte lets the command start */
	int error_fd; /* tells the errno of a failed exec */
	bool ended;
	int status; /* of waitpid, when ended */
};

/*
 * Makes the process, which waits until child_go(). Signals that are blocked here are not
 * blocked there. Errors: -errno of fork(2) or pipe2(2).
 */
int child_prepare(struct child *child, char **command, struct error *error);

/* Lets the command start. Errors: -errno of its execvp(3): not found, not executable. */
int child_go(struct child *child, const char *name, struct error *error);

/* Takes the status if the command has ended; does not wait. */
void child_check(struct child *child);

/* One line on standard error, when the command ended with other than 0. who: "kvmperf stat". */
void child_say_status(const struct child *child, const char *who, const char *name);

/* Ends the command (SIGTERM) if it still runs, and waits for it. */
void child_end(struct child *child);

#endif
