/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_HOST_TRAFFIC_H
#define KVMPERF_TRAFFIC_HOST_TRAFFIC_H

#include <stdint.h>

#include "base/error.h"

/*
 * All bytes, received and sent, that went through the host's loopback and its physical (or
 * para-virtual) network devices since they came up: those with /sys/class/net/NAME/device.
 * Taps, bridges and other software devices are left out, since what goes through them is
 * counted where it enters or leaves the host, or is a VM's. sys_root NULL: "/sys"; proc_root
 * NULL: "/proc". Errors: -errno of PROC_ROOT/net/dev.
 */
int host_traffic_read(const char *proc_root, const char *sys_root, uint64_t *bytes,
		      struct error *error);

#endif
