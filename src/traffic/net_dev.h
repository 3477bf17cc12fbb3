/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TRAFFIC_NET_DEV_H
#define KVMPERF_TRAFFIC_NET_DEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Cumulative counters of a host interface, as the host sees it. */
struct net_dev_counters {
	uint64_t received_bytes, received_packets;
	uint64_t sent_bytes, sent_packets;
};

/*
 * Finds an interface in the text of /proc/PID/net/dev (net/core/net-procfs.c,
 * dev_seq_printf_stats). False when it isn't there or its line is cut.
 */
bool net_dev_find(const char *text, const char *name, struct net_dev_counters *counters);

/*
 * The texts of net/dev of several processes, read once for each network namespace: hundreds of
 * VMs share one, and every reading lists every interface.
 */
struct net_dev_texts;

/* proc_root NULL: "/proc"; it must live on. NULL without memory. */
struct net_dev_texts *net_dev_texts_new(const char *proc_root);

/* The text of the process's namespace, or NULL with errno set. Valid until the next clear. */
const char *net_dev_text(struct net_dev_texts *texts, pid_t pid);

/* The inode number of the process's network namespace, which names it; 0 when it has ended. */
uint32_t net_namespace(const char *proc_root, pid_t pid);

/* Forgets all texts, so that counters are read anew. */
void net_dev_texts_clear(struct net_dev_texts *texts);

void net_dev_texts_free(struct net_dev_texts *texts);

#endif
