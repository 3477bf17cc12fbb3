/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_PROC_FILE_H
#define KVMPERF_DISCOVER_PROC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The small files of /proc. */

/*
 * Reads a file whole, at most limit bytes of it (what follows is left out). Returns its text,
 * with a 0 added, owned by the caller, and the length in *length; or NULL with errno set.
 * path is made as by printf.
 */
char *proc_read(size_t limit, size_t *length, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The target of a symbolic link, into buffer (of size bytes, ended with 0). Returns its length,
 * or a negative errno (-ENAMETOOLONG when it doesn't fit).
 */
ssize_t proc_link(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The fields of /proc/PID/stat (man 5 proc_pid_stat) that discovery uses. */
struct proc_stat {
	pid_t pid;
	pid_t parent;
	bool kernel_thread;
	uint64_t start_ticks;	   /* field 22: clock ticks since boot */
	uint64_t guest_time_ticks; /* field 43: time in guest mode */
	char comm[64];		   /* long for kernel threads (since 5.17), escaped */
};

/*
 * Parses the text of a stat file; the comm in it may hold anything, also parentheses and
 * blanks. Returns 0, or -EBADMSG when it is cut or malformed.
 */
int proc_parse_stat(const char *text, struct proc_stat *out);

/* Parses text as a decimal number up to max, with nothing before or behind. False: it is not.
 */
bool proc_parse_number(const char *text, unsigned long max, unsigned long *out);

/*
 * Calls visit for each entry of a directory whose name is a number, in no order, until it
 * returns other than 0, which is then returned. Returns a negative errno when the directory
 * can't be read.
 */
int proc_each_number(const char *path, int (*visit)(unsigned long number, void *data),
		     void *data);

#endif
