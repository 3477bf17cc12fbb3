/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_CPUS_H
#define KVMPERF_BASE_CPUS_H

#include <stddef.h>

#include "base/error.h"

/*
 * Parses a CPU list as the kernel prints it ("0-3,8,10-11"; Documentation/core-api/cpumask).
 * *cpus (owned by the caller, free) gets *count numbers in the list's order.
 * Errors: -EBADMSG for anything else, an empty list included; -ENOMEM.
 */
int cpus_parse(const char *list, int **cpus, size_t *count);

/* Room for the list of the CPUs that are online. */
#define CPUS_LIST_SIZE 4096

/*
 * The list of the CPUs that are online, as the kernel prints it
 * (/sys/devices/system/cpu/online), without the end of the line. Errors: -errno; -EBADMSG when
 * there is none.
 */
int cpus_online_list(char list[CPUS_LIST_SIZE], struct error *error);

/* The CPUs that are online. Ownership as of cpus_parse(); errors of both. */
int cpus_online(int **cpus, size_t *count, struct error *error);

#endif
