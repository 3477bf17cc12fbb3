/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_UNSEEN_H
#define KVMPERF_TRAFFIC_UNSEEN_H

#include <sys/types.h>

/*
 * Ways of a VM to the network that pass no tap: what goes there is counted nowhere on the host,
 * so that no shared work is charged for it, and it causes none or other processes'.
 */
enum unseen_path {
	UNSEEN_VFIO = 1,       /* a device that is passed through: SR-IOV, or any other */
	UNSEEN_VDPA = 2,       /* vhost-vdpa: a queue in hardware */
	UNSEEN_VHOST_USER = 4, /* a switch in another process: OVS-DPDK and the like */
	UNSEEN_USER_MODE = 8,  /* sockets of the VMM: QEMU's user mode network, passt */
};
#define UNSEEN_PATH_COUNT 4

/* "vfio", "vhost-vdpa", "vhost-user", "user-mode", for n below UNSEEN_PATH_COUNT. */
const char *unseen_path_name(unsigned n);

/*
 * The unseen paths of a VMM's process together, by its open files and its command line; 0:
 * none, or the process has ended. proc_root NULL: "/proc".
 */
unsigned unseen_paths(const char *proc_root, pid_t pid);

#endif
