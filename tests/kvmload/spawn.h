/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_SPAWN_H
#define KVMLOAD_SPAWN_H

#include <sys/types.h>

#include "options.h"
#include "state.h"

/*
 * Starts the process of VM number index (from 0). It waits for the end of go_fd (-1: starts to
 * work at once) and tells changes through status_fd; both stay the caller's. *state is the
 * caller's (state_free).
 */
int spawn_vm(const struct options *options, unsigned index, int go_fd, int status_fd,
	     pid_t *pid, struct vm_state **state, struct error *error);

#endif
