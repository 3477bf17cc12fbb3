/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_MACHINE_H
#define KVMLOAD_MACHINE_H

/*
 * The life of one VM in its own process, which kvmload started with '--kvmload-fd FD' at the
 * end of its arguments: sets up, waits for the start, works until SIGTERM or its time is over.
 * SIGUSR1 makes a new reading in the shared state. Returns the exit code.
 */
int machine_main(int fd);

#endif
