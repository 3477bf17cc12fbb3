/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover/proc_file.h"
#include "traffic/net_dev.h"

/* A host with many interfaces has some 130 bytes for each. */
#define NET_DEV_LIMIT ((size_t)64 << 20)

bool net_dev_find(const char *text, const char *name, struct net_dev_counters *counters)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " ");
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		/* received: bytes packets errs drop fifo frame compressed multicast; sent: ...
		 */
		return sscanf(line + length + 1,
			      "%" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %*u %*u %" SCNu64
			      " %" SCNu64,
			      &counters->received_bytes, &counters->received_packets,
			      &counters->sent_bytes, &counters->sent_packets) == 4;
	}
	return false;
}

int traffic_read(const struct vm *vm, const char *proc_root, struct traffic *out, bool *known,
		 struct error *error)
{
	size_t length;
	char *text;

	*out = (struct traffic){0};
	*known = true;
	if (!vm->tap_count)
		return 0;
	text = proc_read(NET_DEV_LIMIT, &length, "%s/%d/net/dev",
			 proc_root ? proc_root : "/proc", vm->pid);
	if (!text)
		return error_set(error, errno == ENOMEM ? -ENOMEM : -ESRCH,
				 "VM %s (pid %d) has ended: no counters of its interfaces",
				 vm->name, vm->pid);
	for (size_t i = 0; i < vm->tap_count; i++) {
		struct net_dev_counters counters;

		if (!net_dev_find(text, vm->taps[i].name, &counters)) {
			*known = false;
			continue;
		}
		out->rx_bytes += counters.sent_bytes;
		out->rx_packets += counters.sent_packets;
		out->tx_bytes += counters.received_bytes;
		out->tx_packets += counters.received_packets;
	}
	free(text);
	return 0;
}
