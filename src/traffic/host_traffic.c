/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/host_traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "traffic/net_dev.h"

static bool is_counted(const char *sys_root, const char *name)
{
	char path[512];

	if (strcmp(name, "lo") == 0)
		return true;
	int length = snprintf(path, sizeof(path), "%s/class/net/%s/device", sys_root, name);
	return length > 0 && (size_t)length < sizeof(path) && access(path, F_OK) == 0;
}

int host_traffic_read(const char *proc_root, const char *sys_root, struct host_traffic *out,
		      struct error *error)
{
	char path[512], line[512];

	if (!sys_root)
		sys_root = "/sys";
	int length =
		snprintf(path, sizeof(path), "%s/net/dev", proc_root ? proc_root : "/proc");
	if (length < 0 || (size_t)length >= sizeof(path))
		return error_set(error, -ENAMETOOLONG, "the path of net/dev is too long");
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, -errno, "cannot open %s: %m", path);
	*out = (struct host_traffic){0};
	while (fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');
		char name[64];
		struct net_dev_counters counters;
		if (!colon || sscanf(line, " %63[^: ]", name) != 1 ||
		    !net_dev_find(line, name, &counters) || !is_counted(sys_root, name))
			continue;
		out->received.packets += counters.received_packets;
		out->received.bytes += counters.received_bytes;
		out->sent.packets += counters.sent_packets;
		out->sent.bytes += counters.sent_bytes;
	}
	bool failed = ferror(file);
	fclose(file);
	return failed ? error_set(error, -EIO, "cannot read %s", path) : 0;
}

static struct traffic_count unowned(const struct traffic_count *host, uint64_t vm_bytes)
{
	if (host->bytes <= vm_bytes)
		return (struct traffic_count){0};
	double part = (double)(host->bytes - vm_bytes) / (double)host->bytes;
	return (struct traffic_count){
		.packets = (uint64_t)(part * (double)host->packets),
		.bytes = host->bytes - vm_bytes,
	};
}

struct traffic_use host_traffic_unowned(const struct host_traffic *host,
					const struct traffic_use *vms)
{
	struct traffic_use use = {0};
	uint64_t received = 0, sent = 0;

	for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++) {
		received += vms->counts[class][TRAFFIC_RECEIVED].bytes;
		sent += vms->counts[class][TRAFFIC_SENT].bytes;
	}
	use.counts[TRAFFIC_HOST][TRAFFIC_RECEIVED] = unowned(&host->received, received);
	use.counts[TRAFFIC_HOST][TRAFFIC_SENT] = unowned(&host->sent, sent);
	return use;
}
