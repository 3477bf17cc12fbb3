/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/host_traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_counted(const char *sys_root, const char *name)
{
	char path[512];

	if (strcmp(name, "lo") == 0)
		return true;
	int length = snprintf(path, sizeof(path), "%s/class/net/%s/device", sys_root, name);
	return length > 0 && (size_t)length < sizeof(path) && access(path, F_OK) == 0;
}

int host_traffic_read(const char *proc_root, const char *sys_root, uint64_t *bytes,
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
	*bytes = 0;
	while (fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');
		char *name = line + strspn(line, " ");
		uint64_t received, sent;
		if (!colon)
			continue;
		*colon = '\0';
		if (sscanf(colon + 1, "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			   &received, &sent) == 2 &&
		    is_counted(sys_root, name))
			*bytes += received + sent;
	}
	bool failed = ferror(file);
	fclose(file);
	return failed ? error_set(error, -EIO, "cannot read %s", path) : 0;
}
