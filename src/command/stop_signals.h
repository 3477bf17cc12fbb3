/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_STOP_SIGNALS_H
#define KVMPERF_COMMAND_STOP_SIGNALS_H

#include <stdbool.h>

#include "base/error.h"
#include "command/child.h"

/*
 * SIGINT, SIGTERM and SIGCHLD as a file descriptor (signalfd(2)), owned by the caller (close):
 * they are blocked from now on and make it readable. Errors: those of signalfd.
 */
int stop_signals_open(int *fd, struct error *error);

/*
 * Takes the signals that came, and the child's status if it has ended. True: it has, or
 * somebody wants us to end.
 */
bool stop_signals_take(int fd, struct child *child);

#endif
