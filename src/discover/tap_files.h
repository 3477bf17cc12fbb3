/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_TAP_FILES_H
#define KVMPERF_DISCOVER_TAP_FILES_H

#include <stdbool.h>

#include "bpf/vm_files.h"

/*
 * Is the open file, whose tgid and fd are set and whose link in /proc/PID/fd is given, a queue
 * of a tap? Then its name and ifindex are filled as far as /proc tells them:
 * - /dev/net/tun: the line 'iff:' in fdinfo (drivers/net/tun.c, tun_chr_show_fdinfo); the index
 *   from the network namespace of the process
 * - /dev/tapN (macvtap, ipvtap): N is the index
 */
bool tap_file_read(const char *proc_root, const char *link, struct vm_file *file);

/* The value of the line 'iff:' in a fdinfo text, into name[16]; false when there is none. */
bool tap_file_parse_fdinfo(const char *text, char *name);

/*
 * Looks an interface up in the text of /proc/PID/net/igmp, which lists the interfaces that are
 * up: by name when it isn't empty, else by *ifindex; the other one is filled in.
 */
void tap_file_parse_igmp(const char *text, char *name, unsigned *ifindex);

#endif
