/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/unseen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover/proc_file.h"

#define COMMAND_LINE_LIMIT ((size_t)1 << 20)

const char *unseen_path_name(unsigned n)
{
	static const char *const names[UNSEEN_PATH_COUNT] = {"vfio", "vhost-vdpa", "vhost-user",
							     "user-mode"};

	return names[n];
}

struct scan {
	const char *proc_root;
	pid_t pid;
	unsigned paths;
};

static int look_at_file(unsigned long fd, void *data)
{
	struct scan *scan = data;
	char link[256];

	if (proc_link(link, sizeof(link), "%s/%d/fd/%lu", scan->proc_root, scan->pid, fd) < 0)
		return 0;
	/* /dev/vfio/vfio is only the container; a group or a device is what is passed through.
	 */
	if ((strncmp(link, "/dev/vfio/", 10) == 0 && strcmp(link, "/dev/vfio/vfio") != 0) ||
	    strncmp(link, "anon_inode:[vfio-device]", 24) == 0)
		scan->paths |= UNSEEN_VFIO;
	if (strncmp(link, "/dev/vhost-vdpa-", 16) == 0)
		scan->paths |= UNSEEN_VDPA;
	return 0;
}

/* QEMU's -netdev and -nic, libvirt's JSON form of them, cloud-hypervisor's --net. */
static void look_at_option(struct scan *scan, const char *option, const char *value)
{
	if (strcmp(option, "-netdev") != 0 && strcmp(option, "-nic") != 0 &&
	    strcmp(option, "--net") != 0)
		return;
	if (strncmp(value, "vhost-user", 10) == 0 || strstr(value, "\"type\":\"vhost-user\"") ||
	    strstr(value, "vhost_user=true") || strstr(value, "vhost_user=on"))
		scan->paths |= UNSEEN_VHOST_USER;
	if (strncmp(value, "user", 4) == 0 || strstr(value, "\"type\":\"user\"") ||
	    strncmp(value, "stream", 6) == 0 || strstr(value, "\"type\":\"stream\""))
		scan->paths |= UNSEEN_USER_MODE;
}

unsigned unseen_paths(const char *proc_root, pid_t pid)
{
	struct scan scan = {.proc_root = proc_root ? proc_root : "/proc", .pid = pid};
	char path[128];
	size_t length;

	snprintf(path, sizeof(path), "%s/%d/fd", scan.proc_root, pid);
	proc_each_number(path, look_at_file, &scan);
	char *line =
		proc_read(COMMAND_LINE_LIMIT, &length, "%s/%d/cmdline", scan.proc_root, pid);
	const char *option = "";
	for (char *word = line; word && word < line + length; word += strlen(word) + 1) {
		look_at_option(&scan, option, word);
		option = word;
	}
	free(line);
	return scan.paths;
}
