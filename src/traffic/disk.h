/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_DISK_H
#define KVMPERF_TRAFFIC_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Bytes that a process has had read from and written to block devices: read_bytes and
 * write_bytes of PROC_ROOT/PID/io (man 5 proc_pid_io; writes count when the page cache takes
 * them). False when the process has ended or the file may not be read. proc_root NULL: "/proc".
 */
bool disk_read_process(const char *proc_root, pid_t pid, uint64_t *bytes);

/*
 * The same for all disks of the host (PROC_ROOT/diskstats): whole devices with hardware behind
 * them, SYS_ROOT/block/NAME/device. False when that can't be read.
 */
bool disk_read_host(const char *proc_root, const char *sys_root, uint64_t *bytes);

#endif
