/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/tap_files.h"

#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover/proc_file.h"

#define FDINFO_LIMIT ((size_t)64 << 10)
#define IGMP_LIMIT   ((size_t)16 << 20)

bool tap_file_parse_fdinfo(const char *text, char *name)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		size_t length;

		line += *line == '\n';
		if (strncmp(line, "iff:", 4))
			continue;
		line += 4 + strspn(line + 4, " \t");
		length = strcspn(line, "\n");
		if (!length || length >= IFNAMSIZ)
			return false;
		memcpy(name, line, length);
		name[length] = '\0';
		return true;
	}
	return false;
}

void tap_file_parse_igmp(const char *text, char *name, unsigned *ifindex)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		char found[IFNAMSIZ];
		unsigned index;

		line += *line == '\n';
		if (*line < '0' || *line > '9' ||
		    sscanf(line, "%u %15[^ :\t\n]", &index, found) != 2)
			continue;
		if (*name ? strcmp(name, found) != 0 : *ifindex != index)
			continue;
		*ifindex = index;
		memcpy(name, found, sizeof(found));
		return;
	}
}

/* Is the process in our own network namespace? */
static bool same_namespace(const char *proc_root, unsigned pid)
{
	char its[64], ours[64];

	return !strcmp(proc_root, "/proc") &&
	       proc_link(its, sizeof(its), "/proc/%u/ns/net", pid) > 0 &&
	       proc_link(ours, sizeof(ours), "/proc/self/ns/net") > 0 && !strcmp(its, ours);
}

static void complete(const char *proc_root, struct vm_file *file)
{
	size_t length;
	char *text;

	if (same_namespace(proc_root, file->tgid)) {
		if (file->name[0])
			file->ifindex = if_nametoindex(file->name);
		else
			if_indextoname(file->ifindex, file->name);
		return;
	}
	text = proc_read(IGMP_LIMIT, &length, "%s/%u/net/igmp", proc_root, file->tgid);
	if (text)
		tap_file_parse_igmp(text, file->name, &file->ifindex);
	free(text);
}

bool tap_file_read(const char *proc_root, const char *link, struct vm_file *file)
{
	static const char tun[] = "/dev/net/tun", tap[] = "/dev/tap";
	unsigned long index;
	size_t length;
	bool attached;
	char *text;

	if (!strncmp(link, tap, sizeof(tap) - 1) &&
	    proc_parse_number(link + sizeof(tap) - 1, INT_MAX, &index)) {
		file->ifindex = (unsigned)index;
		complete(proc_root, file);
		return true;
	}
	if (strcmp(link, tun))
		return false;
	text = proc_read(FDINFO_LIMIT, &length, "%s/%u/fdinfo/%u", proc_root, file->tgid,
			 file->fd);
	if (!text)
		return false;
	attached = tap_file_parse_fdinfo(text, file->name);
	free(text);
	if (attached)
		complete(proc_root, file);
	return attached;
}
