/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/disk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "discover/proc_file.h"

/* The unit of /proc/diskstats, whatever the device's own sectors are. */
#define SECTOR_BYTES 512

static bool find_field(const char *text, const char *name, uint64_t *value)
{
	const char *line = strstr(text, name);

	return line && sscanf(line + strlen(name), "%" SCNu64, value) == 1;
}

bool disk_read_process(const char *proc_root, pid_t pid, uint64_t *bytes)
{
	size_t length;
	uint64_t read = 0, written = 0;
	char *text = proc_read(4096, &length, "%s/%d/io", proc_root ? proc_root : "/proc", pid);

	if (!text)
		return false;
	bool good = find_field(text, "\nread_bytes: ", &read) &&
		    find_field(text, "\nwrite_bytes: ", &written);
	free(text);
	*bytes = read + written;
	return good;
}

bool disk_read_host(const char *proc_root, const char *sys_root, uint64_t *bytes)
{
	char path[512], line[512];

	snprintf(path, sizeof(path), "%s/diskstats", proc_root ? proc_root : "/proc");
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	*bytes = 0;
	while (fgets(line, sizeof(line), file)) {
		char name[64];
		uint64_t read, written;
		/* major minor name reads merged sectors ms writes merged sectors ... */
		if (sscanf(line, "%*u %*u %63s %*u %*u %" SCNu64 " %*u %*u %*u %" SCNu64, name,
			   &read, &written) != 3)
			continue;
		snprintf(path, sizeof(path), "%s/block/%s/device", sys_root ? sys_root : "/sys",
			 name);
		if (access(path, F_OK) == 0)
			*bytes += (read + written) * SECTOR_BYTES;
	}
	fclose(file);
	return true;
}
