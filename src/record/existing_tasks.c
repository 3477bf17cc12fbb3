/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/existing_tasks.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "discover/proc_file.h"

/* The bodies of the kernel's records: include/uapi/linux/perf_event.h. */
struct comm_body {
	uint32_t pid, tid;
	char comm[16];
};

struct fork_body {
	uint32_t pid, parent_pid;
	uint32_t tid, parent_tid;
	uint64_t time;
};

struct mmap2_body {
	uint32_t pid, tid;
	uint64_t address, length, offset;
	uint32_t major, minor;
	uint64_t inode, inode_generation;
	uint32_t protection, flags;
	char filename[PATH_MAX];
};

struct tasks_run {
	struct perf_data_writer *writer;
	struct mapped_files *files;
	void (*between)(void *context);
	void *context;
	struct error *error;
	pid_t pid; /* the process whose threads are recorded */
};

/*
 * A line of /proc/PID/maps, "start-end perms offset major:minor inode   path"
 * (fs/proc/task_mmu.c, show_map_vma). False when it is none.
 */
static bool parse_mapping(char *line, struct mmap2_body *body)
{
	uint64_t end;
	char permissions[5];
	int path = 0;

	if (sscanf(line,
		   "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %" SCNx32 ":%" SCNx32 " %" SCNu64
		   " %n",
		   &body->address, &end, permissions, &body->offset, &body->major, &body->minor,
		   &body->inode, &path) != 7 ||
	    end <= body->address)
		return false;
	body->length = end - body->address;
	body->protection = (uint32_t)((permissions[0] == 'r' ? PROT_READ : 0) |
				      (permissions[1] == 'w' ? PROT_WRITE : 0) |
				      (permissions[2] == 'x' ? PROT_EXEC : 0));
	body->flags = permissions[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	line[path + (int)strcspn(line + path, "\n")] = '\0';
	snprintf(body->filename, sizeof(body->filename), "%s",
		 line[path] ? line + path : "//anon");
	return true;
}

static int record_mapping(const struct tasks_run *run, struct mmap2_body *body)
{
	body->pid = body->tid = (uint32_t)run->pid;
	int code = perf_data_write_record(
		run->writer, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER, body,
		offsetof(struct mmap2_body, filename) + strlen(body->filename) + 1, true,
		run->error);
	if (!code && mapped_files_add(run->files, run->pid, body->filename))
		code = error_set(run->error, -ENOMEM, "no memory for the mapped files");
	return code;
}

static int record_mappings(const struct tasks_run *run)
{
	char path[64], *line = NULL;
	struct mmap2_body body = {0};
	size_t size = 0;
	int code = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", run->pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	while (!code && getline(&line, &size, file) >= 0)
		if (parse_mapping(line, &body) && body.protection & PROT_EXEC)
			code = record_mapping(run, &body);
	free(line);
	fclose(file);
	return code;
}

static int record_task(const struct tasks_run *run, const struct proc_stat *stat)
{
	bool main_thread = stat->pid == run->pid;
	uint32_t parent = (uint32_t)(main_thread ? stat->parent : run->pid);
	struct fork_body fork = {
		.pid = (uint32_t)run->pid,
		.tid = (uint32_t)stat->pid,
		.parent_pid = parent,
		.parent_tid = parent,
	};
	struct comm_body comm = {.pid = (uint32_t)run->pid, .tid = (uint32_t)stat->pid};

	/* This bit keeps perf from giving the child its parent's mappings. */
	int code = perf_data_write_record(run->writer, PERF_RECORD_FORK,
					  PERF_RECORD_MISC_FORK_EXEC, &fork, sizeof(fork), true,
					  run->error);
	if (code)
		return code;
	snprintf(comm.comm, sizeof(comm.comm), "%.15s", stat->comm);
	return perf_data_write_record(run->writer, PERF_RECORD_COMM, 0, &comm,
				      offsetof(struct comm_body, comm) + strlen(comm.comm) + 1,
				      true, run->error);
}

static int record_thread(unsigned long tid, void *data)
{
	const struct tasks_run *run = data;
	struct proc_stat stat;
	size_t length;
	char *text = proc_read(4096, &length, "/proc/%d/task/%lu/stat", run->pid, tid);

	if (!text)
		return 0; /* it has ended */
	int code = proc_parse_stat(text, &stat);
	free(text);
	if (code)
		return 0;
	code = record_task(run, &stat);
	if (!code && stat.pid == run->pid && !stat.kernel_thread)
		code = record_mappings(run);
	return code;
}

static int record_process(unsigned long pid, void *data)
{
	struct tasks_run *run = data;
	char path[64];

	run->pid = (pid_t)pid;
	snprintf(path, sizeof(path), "/proc/%lu/task", pid);
	int code = proc_each_number(path, record_thread, run);
	run->between(run->context);
	return code == -ENOENT || code == -ESRCH ? 0 : code; /* it has ended */
}

int existing_tasks_record(struct perf_data_writer *writer, struct mapped_files *files,
			  void (*between)(void *context), void *context, struct error *error)
{
	struct error own = {0};
	struct tasks_run run = {
		.writer = writer,
		.files = files,
		.between = between,
		.context = context,
		.error = &own,
	};
	int code = proc_each_number("/proc", record_process, &run);

	if (code && own.code)
		return error_set(error, code, "%s", own.message);
	return code ? error_set(error, code, "cannot list the tasks in /proc: %s",
				strerror(-code))
		    : 0;
}
