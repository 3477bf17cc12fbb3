/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "discover/proc_file.h"
#include "discover/tap_files.h"

/* How long a new process may still become a VMM without a change in its number of files. */
#define YOUNG_NS 60000000000ULL

/* What is kept of a process from scan to scan. */
struct process {
	pid_t pid;
	pid_t parent;
	uint64_t start_ns;
	uint64_t guest_time;
	bool kernel_thread;
	off_t fd_count; /* size of /proc/PID/fd; 0 when the kernel doesn't tell */
	struct vm_file *files;
	size_t file_count, file_room;
	char comm[sizeof(((struct vm_task *)0)->name)];
};

struct proc_source {
	const char *root;
	bool procfs; /* root is a mounted procfs, not a recorded tree */
	uint64_t tick_ns;
	struct process *processes; /* by pid */
	size_t count;
	size_t foreign_readable, foreign_denied; /* of the last scan */
};

struct scan {
	struct proc_source *source;
	struct process *processes;
	size_t count, room;
	bool all;
};

static void free_processes(struct process *processes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(processes[i].files);
	free(processes);
}

static int compare_processes(const void *left, const void *right)
{
	const struct process *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static struct process *find_process(struct process *processes, size_t count, pid_t pid)
{
	struct process key = {.pid = pid};

	return count ? bsearch(&key, processes, count, sizeof(key), compare_processes) : NULL;
}

struct fd_visit {
	struct proc_source *source;
	struct process *process;
	bool denied;
};

/* Looks at one link in /proc/PID/fd. */
static int visit_fd(unsigned long fd, void *data)
{
	static const char vm_link[] = "anon_inode:kvm-vm", vcpu_link[] = "anon_inode:kvm-vcpu:";
	struct fd_visit *visit = data;
	struct process *process = visit->process;
	struct vm_file file = {
		.kvm = (__u64)process->pid,
		.start_ns = process->start_ns,
		.tgid = (__u32)process->pid,
		.fd = (__u32)fd,
		.index = -1,
		.flags = VM_FILE_OWNER,
	};
	char link[PATH_MAX];
	unsigned long index;
	ssize_t length = proc_link(link, sizeof(link), "%s/%d/fd/%lu", visit->source->root,
				   process->pid, fd);

	if (length < 0) {
		visit->denied |= length == -EACCES || length == -EPERM;
		return 0;
	}
	if (!strcmp(link, vm_link)) {
		file.kind = VM_FILE_VM;
	} else if (!strncmp(link, vcpu_link, sizeof(vcpu_link) - 1)) {
		if (!proc_parse_number(link + sizeof(vcpu_link) - 1, INT_MAX, &index))
			return 0;
		file.kind = VM_FILE_VCPU;
		file.index = (__s32)index;
	} else if (tap_file_read(visit->source->root, link, &file)) {
		file.kind = VM_FILE_TAP;
		file.kvm = 0;
		file.flags = 0;
	} else {
		return 0;
	}
	if (array_reserve(&process->files, &process->file_room, process->file_count + 1,
			  sizeof(file)))
		return -ENOMEM;
	process->files[process->file_count++] = file;
	return 0;
}

/* Reads the files of a process; those that can't be read count as not there. */
static int read_files(struct proc_source *source, struct process *process, uid_t owner)
{
	struct fd_visit visit = {.source = source, .process = process};
	char path[PATH_MAX];
	int result;

	snprintf(path, sizeof(path), "%s/%d/fd", source->root, process->pid);
	result = proc_each_number(path, visit_fd, &visit);
	if (result == -ENOMEM)
		return result;
	if (process->pid != getpid() && (owner != geteuid() || !owner)) {
		bool denied = visit.denied || result == -EACCES || result == -EPERM;

		source->foreign_denied += denied;
		source->foreign_readable += !denied && !result;
	}
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* May what is known of the process's files be kept? */
static bool files_unchanged(const struct scan *scan, const struct process *old,
			    const struct process *new)
{
	if (!old || old->start_ns != new->start_ns || !scan->source->procfs || scan->all)
		return false;
	if (old->fd_count != new->fd_count)
		return false;
	/* before 6.2 (f1f1f2569901) only VMs are worth the look */
	if (!new->fd_count)
		return !old->file_count && now_ns() - new->start_ns > YOUNG_NS;
	return now_ns() - new->start_ns > YOUNG_NS;
}

static int visit_process(unsigned long pid, void *data)
{
	struct scan *scan = data;
	struct proc_source *source = scan->source;
	struct process process = {.pid = (pid_t)pid}, *old;
	struct proc_stat stat_fields;
	struct stat status;
	char path[PATH_MAX], *text;
	size_t length;
	int result;

	text = proc_read(4096, &length, "%s/%lu/stat", source->root, pid);
	if (!text)
		return errno == ENOMEM ? -ENOMEM : 0;
	result = proc_parse_stat(text, &stat_fields);
	free(text);
	if (result)
		return 0;
	process.parent = stat_fields.parent;
	process.kernel_thread = stat_fields.kernel_thread;
	process.start_ns = stat_fields.start_ticks * source->tick_ns;
	process.guest_time = stat_fields.guest_time_ticks;
	memcpy(process.comm, stat_fields.comm, sizeof(process.comm) - 1);

	if (array_reserve(&scan->processes, &scan->room, scan->count + 1, sizeof(process)))
		return -ENOMEM;
	if (!process.kernel_thread) {
		snprintf(path, sizeof(path), "%s/%lu/fd", source->root, pid);
		if (!stat(path, &status)) {
			if (source->procfs)
				process.fd_count = status.st_size;
			old = find_process(source->processes, source->count, process.pid);
			if (files_unchanged(scan, old, &process)) {
				process.files = old->files;
				process.file_count = old->file_count;
				process.file_room = old->file_room;
				old->files = NULL;
			} else {
				result = read_files(source, &process, status.st_uid);
			}
		}
	}
	scan->processes[scan->count++] = process;
	return result;
}

/* The process has a file of KVM under the same number as its parent: inherited at fork. */
static bool inherited(const struct process *process, const struct process *parent)
{
	for (size_t i = 0; i < process->file_count; i++) {
		const struct vm_file *file = &process->files[i];

		for (size_t n = 0; n < parent->file_count && file->kind != VM_FILE_TAP; n++) {
			const struct vm_file *its = &parent->files[n];

			if (file->fd == its->fd && file->kind == its->kind &&
			    file->index == its->index)
				return true;
		}
	}
	return false;
}

/*
 * The process that made the VM whose files this one holds. A process that never ran a guest
 * and has the VM from its parent is a part of the parent's VM, such as crosvm's devices.
 */
static const struct process *vm_owner(const struct proc_source *source,
				      const struct process *process)
{
	for (unsigned depth = 0; depth < 16; depth++) {
		const struct process *parent =
			find_process(source->processes, source->count, process->parent);

		if (!parent || process->guest_time || !inherited(process, parent))
			break;
		process = parent;
	}
	return process;
}

static int collect_files(struct proc_source *source, struct vm_file_list *files)
{
	files->count = 0;
	for (size_t i = 0; i < source->count; i++) {
		const struct process *process = &source->processes[i];
		const struct process *owner;

		if (!process->file_count)
			continue;
		owner = vm_owner(source, process);
		if (array_reserve(&files->records, &files->room,
				  files->count + process->file_count, sizeof(struct vm_file)))
			return -ENOMEM;
		for (size_t n = 0; n < process->file_count; n++) {
			struct vm_file file = process->files[n];

			if (file.kind != VM_FILE_TAP && owner != process) {
				file.kvm = (__u64)owner->pid;
				file.flags &= ~(__u32)VM_FILE_OWNER;
			}
			files->records[files->count++] = file;
		}
	}
	return 0;
}

int proc_source_files(struct proc_source *source, bool all, struct vm_file_list *files,
		      struct error *error)
{
	struct scan scan = {.source = source, .all = all};
	int result;

	result = proc_each_number(source->root, visit_process, &scan);
	free_processes(source->processes, source->count);
	source->processes = scan.processes;
	source->count = scan.count;
	if (source->count)
		qsort(source->processes, source->count, sizeof(struct process),
		      compare_processes);
	if (!result)
		result = collect_files(source, files);
	if (result == -ENOMEM)
		return error_set(error, result, "no memory for the processes of this host");
	if (result)
		return error_set(error, result, "%s: %s", source->root, strerror(-result));
	return 0;
}

struct task_visit {
	struct proc_source *source;
	const struct process *process;
	struct vm_task_list *tasks;
};

static int add_task(struct vm_task_list *tasks, const struct process *process, pid_t tid,
		    const char *name)
{
	struct vm_task *task;

	if (array_reserve(&tasks->records, &tasks->room, tasks->count + 1, sizeof(*task)))
		return -ENOMEM;
	task = &tasks->records[tasks->count++];
	*task = (struct vm_task){
		.start_ns = process->start_ns,
		.tid = (__u32)tid,
		.tgid = (__u32)process->pid,
		.parent = (__u32)process->parent,
		.flags = process->kernel_thread ? VM_TASK_KERNEL : 0,
	};
	memcpy(task->name, name, strnlen(name, sizeof(task->name) - 1));
	return 0;
}

static int visit_task(unsigned long tid, void *data)
{
	struct task_visit *visit = data;
	size_t length;
	char *comm = proc_read(64, &length, "%s/%d/task/%lu/comm", visit->source->root,
			       visit->process->pid, tid);
	int result;

	if (!comm)
		return errno == ENOMEM ? -ENOMEM : 0;
	if (length && comm[length - 1] == '\n')
		comm[length - 1] = '\0';
	if (length > 15)
		comm[15] = '\0';
	result = add_task(visit->tasks, visit->process, (pid_t)tid, comm);
	free(comm);
	return result;
}

static int compare_pids(const void *left, const void *right)
{
	const pid_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

int proc_source_tasks(struct proc_source *source, const pid_t *processes, size_t count,
		      struct vm_task_list *tasks, struct error *error)
{
	int result = 0;

	tasks->count = 0;
	for (size_t i = 0; i < source->count && !result; i++) {
		const struct process *process = &source->processes[i];
		struct task_visit visit = {source, process, tasks};
		char path[PATH_MAX];

		if (process->kernel_thread) {
			if (!strncmp(process->comm, "vhost-", 6) ||
			    !strncmp(process->comm, "kvm-", 4))
				result = add_task(tasks, process, process->pid, process->comm);
			continue;
		}
		if (!count ||
		    (!bsearch(&process->pid, processes, count, sizeof(pid_t), compare_pids) &&
		     !bsearch(&process->parent, processes, count, sizeof(pid_t), compare_pids)))
			continue;
		snprintf(path, sizeof(path), "%s/%d/task", source->root, process->pid);
		result = proc_each_number(path, visit_task, &visit);
		if (result != -ENOMEM)
			result = 0; /* it has ended */
	}
	if (result)
		return error_set(error, result, "no memory for the threads of VMs");
	return 0;
}

int proc_source_new(struct proc_source **out, const char *proc_root, struct error *error)
{
	struct proc_source *source = calloc(1, sizeof(*source));
	struct vm_file_list files = {0};
	struct statfs filesystem;
	int result;

	if (!source)
		return error_set(error, -ENOMEM, "no memory for the discovery of VMs");
	source->root = proc_root;
	source->tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	source->procfs =
		!statfs(proc_root, &filesystem) && filesystem.f_type == PROC_SUPER_MAGIC;
	result = proc_source_files(source, true, &files, error);
	free(files.records);
	if (!result && source->foreign_denied && !source->foreign_readable)
		result = error_set(
			error, -EPERM,
			"the files of other users' processes can't be seen in %s: needs "
			"CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (run as root)",
			proc_root);
	if (result) {
		proc_source_free(source);
		return result;
	}
	*out = source;
	return 0;
}

void proc_source_free(struct proc_source *source)
{
	if (!source)
		return;
	free_processes(source->processes, source->count);
	free(source);
}
