/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/proc_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

static int format_path(char *path, const char *format, va_list arguments)
{
	int length = vsnprintf(path, PATH_MAX, format, arguments);

	if (length >= 0 && length < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -ENAMETOOLONG;
}

/* Reads up to limit bytes; files of /proc don't tell their size. */
static char *read_all(int fd, size_t limit, size_t *length)
{
	size_t capacity = 1024, used = 0;
	char *text = malloc(capacity);

	while (text && used < limit) {
		size_t room = capacity - used - 1;
		ssize_t got = read(fd, text + used, room < limit - used ? room : limit - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return NULL;
		}
		if (got == 0)
			break;
		used += (size_t)got;
		if (used + 1 == capacity) {
			char *larger = realloc(text, 2 * capacity);

			if (!larger)
				free(text);
			text = larger;
			capacity *= 2;
		}
	}
	if (!text)
		return NULL;
	text[used] = '\0';
	*length = used;
	return text;
}

char *proc_read(size_t limit, size_t *length, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	char *text;
	int fd, saved;

	va_start(arguments, format);
	saved = format_path(path, format, arguments);
	va_end(arguments);
	if (saved)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NULL;
	text = read_all(fd, limit, length);
	saved = errno;
	close(fd);
	errno = saved;
	return text;
}

ssize_t proc_link(char *buffer, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	ssize_t length;
	int error;

	va_start(arguments, format);
	error = format_path(path, format, arguments);
	va_end(arguments);
	if (error)
		return error;
	length = readlink(path, buffer, size);
	if (length < 0)
		return -errno;
	if ((size_t)length >= size)
		return -ENAMETOOLONG;
	buffer[length] = '\0';
	return length;
}

int proc_parse_stat(const char *text, struct proc_stat *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	const char *field;
	int pid, parent, consumed = 0;
	unsigned flags;
	size_t length;

	*out = (struct proc_stat){0};
	if (!open || !close || close < open || sscanf(text, "%d (", &pid) != 1)
		return -EBADMSG;
	length = (size_t)(close - open - 1);
	if (length >= sizeof(out->comm))
		length = sizeof(out->comm) - 1;
	memcpy(out->comm, open + 1, length);

	/* state ppid pgrp session tty_nr tpgid flags ... starttime */
	if (sscanf(close,
		   ") %*c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
		   "%*d %*d %*d %" SCNu64 "%n",
		   &parent, &flags, &out->start_ticks, &consumed) != 3 ||
	    !consumed)
		return -EBADMSG;
	out->pid = pid;
	out->parent = parent;
	out->kernel_thread = flags & PF_KTHREAD;

	/* field is the blank before the 23rd; a tree recorded without guest_time tells 0 */
	field = close + consumed;
	for (int i = 23; i < 43 && field; i++)
		field = strchr(field + 1, ' ');
	if (field)
		out->guest_time_ticks = strtoull(field, NULL, 10);
	return 0;
}

bool proc_parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return !errno && !*end && *out <= max;
}

int proc_each_number(const char *path, int (*visit)(unsigned long number, void *data),
		     void *data)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned long number;
	int result = 0;

	if (!directory)
		return -errno;
	while (!result && (entry = readdir(directory)))
		if (proc_parse_number(entry->d_name, INT_MAX, &number))
			result = visit(number, data);
	closedir(directory);
	return result;
}
