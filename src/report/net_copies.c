/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/net_copies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "discover/proc_file.h"
#include "traffic/net_dev.h"

#define NET_DEV_LIMIT ((size_t)64 << 20)

struct net_copies {
	char *before, *after;
	const char *before_name, *after_name; /* of the files; borrowed */
};

static int read_copy(char **text, const char *path, struct error *error)
{
	size_t length;

	*text = proc_read(NET_DEV_LIMIT, &length, "%s", path);
	if (!*text)
		return error_set(error, -errno, "cannot read %s: %m", path);
	if (!strstr(*text, "|bytes"))
		return error_set(error, -EBADMSG, "%s is no copy of /proc/net/dev", path);
	return 0;
}

int net_copies_read(struct net_copies **out, const char *before, const char *after,
		    struct error *error)
{
	struct net_copies *copies = calloc(1, sizeof(*copies));

	if (!copies)
		return error_set(error, -ENOMEM, "no memory to read %s", before);
	copies->before_name = before;
	copies->after_name = after;
	int code = read_copy(&copies->before, before, error);
	if (!code)
		code = read_copy(&copies->after, after, error);
	if (code) {
		net_copies_free(copies);
		return code;
	}
	*out = copies;
	return 0;
}

static uint64_t rise(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

static bool rise_of(const struct net_copies *copies, const char *name,
		    struct net_dev_counters *out)
{
	struct net_dev_counters before, after;

	if (!net_dev_find(copies->before, name, &before) ||
	    !net_dev_find(copies->after, name, &after))
		return false;
	*out = (struct net_dev_counters){
		.received_bytes = rise(before.received_bytes, after.received_bytes),
		.received_packets = rise(before.received_packets, after.received_packets),
		.sent_bytes = rise(before.sent_bytes, after.sent_bytes),
		.sent_packets = rise(before.sent_packets, after.sent_packets),
	};
	return true;
}

int net_copies_add(const struct net_copies *copies, const char *interface,
		   struct traffic *traffic, struct error *error)
{
	struct net_dev_counters counters;

	if (!rise_of(copies, interface, &counters))
		return error_set(error, -ENOENT, "%s and %s don't both have interface %s",
				 copies->before_name, copies->after_name, interface);
	traffic->rx_bytes += counters.sent_bytes;
	traffic->rx_packets += counters.sent_packets;
	traffic->tx_bytes += counters.received_bytes;
	traffic->tx_packets += counters.received_packets;
	return 0;
}

/* systemd's and the kernel's names of devices (man 7 systemd.net-naming-scheme). */
static bool is_host_device(const char *name)
{
	static const char *const prefixes[] = {"eth", "en", "wl", "ww", "ib"};

	if (strcmp(name, "lo") == 0)
		return true;
	if (strchr(name, '.'))
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

struct host_traffic net_copies_host(const struct net_copies *copies)
{
	struct host_traffic sum = {0};

	for (const char *line = copies->after; line && *line;) {
		const char *colon = strchr(line, ':'), *end = strchr(line, '\n');
		const char *start = line + strspn(line, " ");
		struct net_dev_counters counters;
		char name[16];
		if (colon && (!end || colon < end) && colon - start < (ptrdiff_t)sizeof(name)) {
			memcpy(name, start, (size_t)(colon - start));
			name[colon - start] = '\0';
			if (is_host_device(name) && rise_of(copies, name, &counters)) {
				sum.received.bytes += counters.received_bytes;
				sum.received.packets += counters.received_packets;
				sum.sent.bytes += counters.sent_bytes;
				sum.sent.packets += counters.sent_packets;
			}
		}
		line = end ? end + 1 : NULL;
	}
	return sum;
}

void net_copies_free(struct net_copies *copies)
{
	if (!copies)
		return;
	free(copies->before);
	free(copies->after);
	free(copies);
}
