/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/net_dev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "discover/proc_file.h"

/* A host with many interfaces has some 130 bytes for each. */
#define NET_DEV_LIMIT ((size_t)64 << 20)

struct text {
	uint32_t namespace;
	char *text;
};

struct net_dev_texts {
	const char *proc_root;
	struct text *texts;
	size_t count, room;
};

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

struct net_dev_texts *net_dev_texts_new(const char *proc_root)
{
	struct net_dev_texts *texts = calloc(1, sizeof(*texts));

	if (texts)
		texts->proc_root = proc_root ? proc_root : "/proc";
	return texts;
}

uint32_t net_namespace(const char *proc_root, pid_t pid)
{
	char link[64];
	unsigned inode;

	/* "net:[4026531840]" (fs/nsfs.c, ns_get_name). */
	if (proc_link(link, sizeof(link), "%s/%d/ns/net", proc_root ? proc_root : "/proc",
		      pid) < 0 ||
	    sscanf(link, "net:[%u]", &inode) != 1)
		return 0;
	return inode;
}

const char *net_dev_text(struct net_dev_texts *texts, pid_t pid)
{
	uint32_t namespace = net_namespace(texts->proc_root, pid);
	size_t length;

	for (size_t i = 0; namespace && i < texts->count; i++)
		if (texts->texts[i].namespace == namespace)
			return texts->texts[i].text;
	if (array_reserve(&texts->texts, &texts->room, texts->count + 1,
			  sizeof(*texts->texts))) {
		errno = ENOMEM;
		return NULL;
	}
	char *text = proc_read(NET_DEV_LIMIT, &length, "%s/%d/net/dev", texts->proc_root, pid);
	if (text)
		texts->texts[texts->count++] = (struct text){namespace, text};
	return text;
}

void net_dev_texts_clear(struct net_dev_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->texts[i].text);
	texts->count = 0;
}

void net_dev_texts_free(struct net_dev_texts *texts)
{
	if (!texts)
		return;
	net_dev_texts_clear(texts);
	free(texts->texts);
	free(texts);
}
