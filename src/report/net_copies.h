/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_NET_COPIES_H
#define KVMPERF_REPORT_NET_COPIES_H

#include "base/error.h"
#include "traffic/host_traffic.h"
#include "traffic/traffic.h"

/* Two copies of /proc/net/dev: what went through the interfaces in between. */
struct net_copies;

/* *out is owned by the caller (net_copies_free). Errors: -errno of a file, -EBADMSG, -ENOMEM.
 */
int net_copies_read(struct net_copies **out, const char *before, const char *after,
		    struct error *error);

/*
 * Adds what went through a VM's interface (as the guest sees it) to *traffic. Errors: -ENOENT
 * when one of the copies hasn't got it.
 */
int net_copies_add(const struct net_copies *copies, const char *interface,
		   struct traffic *traffic, struct error *error);

/*
 * What went through the host's own devices. Copies don't tell which these are, but names do:
 * lo, eth*, en*, wl*, ww*, ib*, and the VLANs of none.
 */
struct host_traffic net_copies_host(const struct net_copies *copies);

/* NULL is allowed. */
void net_copies_free(struct net_copies *copies);

#endif
