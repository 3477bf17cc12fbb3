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

/* The CPUs that are online: /sys/devices/system/cpu/online. Ownership and errors as above. */
int cpus_online(int **cpus, size_t *count, struct error *error);

#endif
