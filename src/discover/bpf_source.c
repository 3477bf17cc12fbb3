/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "discover/kvm_layout.h"
#include "discover/proc_file.h"
#include "vm_files.skel.h"

/* The modules whose types and functions the iterators know. */
static const char *const modules[] = {"kvm", "tun", "tap"};
#define MODULE_COUNT (sizeof(modules) / sizeof(*modules))

struct bpf_source {
	bool classify_exits;
	struct vm_files_bpf *skeleton; /* NULL while KVM isn't there */
	ino_t loaded[MODULE_COUNT];    /* /sys/module/NAME: another inode after each loading */
	pid_t *processes;	       /* the keys in vm_processes, in rising order */
	size_t count, room;
	char *output; /* what an iterator wrote */
	size_t output_size;
};

static void read_loaded(ino_t loaded[MODULE_COUNT])
{
	for (size_t i = 0; i < MODULE_COUNT; i++) {
		char path[64];
		struct stat status;

		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		loaded[i] = stat(path, &status) ? 0 : status.st_ino;
	}
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static int load_error(int code, struct error *error)
{
	if (code == -EPERM || code == -EACCES)
		return error_set(error, -EPERM,
				 "the kernel refused the BPF iterators (%s): needs CAP_BPF and "
				 "CAP_PERFMON, and no lockdown for confidentiality",
				 strerror(-code));
	return error_set(error, -EOPNOTSUPP, "the BPF iterators don't load: %s",
			 strerror(-code));
}

/* Opens and loads the program; 0 or a negative errno. */
static int open_and_load(struct bpf_source *source, const struct vm_files_layout *layout,
			 const struct vm_files_ioctls *ioctls, bool classify_exits)
{
	struct vm_files_bpf *skeleton = vm_files_bpf__open();
	int result;

	source->skeleton = skeleton;
	if (!skeleton)
		return -errno;
	memcpy((void *)&skeleton->rodata->layout, layout, sizeof(*layout));
	memcpy((void *)&skeleton->rodata->ioctls, ioctls, sizeof(*ioctls));
	bpf_program__set_autoload(skeleton->progs.count_user_exit, classify_exits);
	result = vm_files_bpf__load(skeleton);
	if (!result)
		result = vm_files_bpf__attach(skeleton);
	if (result) {
		vm_files_bpf__destroy(skeleton);
		source->skeleton = NULL;
		return result;
	}
	skeleton->bss->counts_user_exits = classify_exits;
	return 0;
}

/* Loads the program for the modules that are there now and attaches it. */
static int load(struct bpf_source *source, struct error *error)
{
	struct vm_files_layout layout;
	struct vm_files_ioctls ioctls;
	libbpf_print_fn_t print;
	int result;

	read_loaded(source->loaded);
	vm_files_bpf__destroy(source->skeleton);
	source->skeleton = NULL;
	source->count = 0;

	result = kvm_layout_ioctls(&ioctls, "/proc/kallsyms", error);
	if (result || !ioctls.kvm_vm)
		return result;
	result = kvm_layout_read(&layout, error);
	if (result)
		return result;

	print = libbpf_set_print(quiet);
	result = open_and_load(source, &layout, &ioctls, source->classify_exits);
	/* Without the tracepoint exits are not told apart; the rest works all the same. */
	if (result && source->classify_exits)
		result = open_and_load(source, &layout, &ioctls, false);
	libbpf_set_print(print);
	return result ? load_error(result, error) : 0;
}

/* BPF tells pids of the first pid namespace; /proc must, too. */
static bool in_first_pid_namespace(void)
{
	char link[64];

	/* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	return proc_link(link, sizeof(link), "/proc/self/ns/pid") < 0 ||
	       !strcmp(link, "pid:[4026531836]");
}

int bpf_source_new(struct bpf_source **out, bool classify_exits, struct error *error)
{
	struct bpf_source *source;
	int result;

	if (!in_first_pid_namespace())
		return error_set(error, -EOPNOTSUPP,
				 "the BPF iterators need the host's pid namespace (in a "
				 "container: --pid=host)");
	source = calloc(1, sizeof(*source));
	if (!source)
		return error_set(error, -ENOMEM, "no memory for the discovery of VMs");
	source->classify_exits = classify_exits;
	result = load(source, error);
	if (result) {
		bpf_source_free(source);
		return result;
	}
	*out = source;
	return 0;
}

void bpf_source_free(struct bpf_source *source)
{
	if (!source)
		return;
	vm_files_bpf__destroy(source->skeleton);
	free(source->processes);
	free(source->output);
	free(source);
}

/* Runs an iterator; source->output gets *length bytes, whole records of size bytes. */
static int run_iterator(struct bpf_source *source, struct bpf_link *link, size_t size,
			size_t *length, struct error *error)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	int result = 0;

	*length = 0;
	if (fd < 0)
		return error_set(error, -errno, "the BPF iterator doesn't start: %s",
				 strerror(errno));
	for (;;) {
		ssize_t got;

		result = array_reserve(&source->output, &source->output_size, *length + 32768,
				       1);
		if (result) {
			error_set(error, result, "no memory for the discovery of VMs");
			break;
		}
		got = read(fd, source->output + *length, source->output_size - *length);
		/* EAGAIN: a million objects without output (kernel/bpf/bpf_iter.c) */
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0) {
			result = error_set(error, -errno, "the BPF iterator failed: %s",
					   strerror(errno));
			break;
		}
		if (got == 0)
			break;
		*length += (size_t)got;
	}
	close(fd);
	if (!result && *length % size)
		result = error_set(error, -EIO, "the BPF iterator wrote half a record");
	return result;
}

int bpf_source_files(struct bpf_source *source, struct vm_file_list *files, struct error *error)
{
	ino_t loaded[MODULE_COUNT];
	size_t length;
	int result = 0;

	files->count = 0;
	read_loaded(loaded);
	if (memcmp(loaded, source->loaded, sizeof(loaded)))
		result = load(source, error);
	if (result || !source->skeleton)
		return result;
	result = run_iterator(source, source->skeleton->links.list_files,
			      sizeof(struct vm_file), &length, error);
	if (result)
		return result;
	if (array_reserve(&files->records, &files->room, length / sizeof(struct vm_file),
			  sizeof(struct vm_file)))
		return error_set(error, -ENOMEM, "no memory for the files of VMs");
	files->count = length / sizeof(struct vm_file);
	if (length)
		memcpy(files->records, source->output, length);
	return 0;
}

/* Makes the keys of vm_processes those of processes, with the fewest system calls. */
static int set_processes(struct bpf_source *source, const pid_t *processes, size_t count,
			 struct error *error)
{
	int map = bpf_map__fd(source->skeleton->maps.vm_processes);
	size_t old = 0, new = 0;
	__u8 value = 1;

	if (array_reserve(&source->processes, &source->room, count, sizeof(pid_t)))
		return error_set(error, -ENOMEM, "no memory for the processes of VMs");
	while (old < source->count || new < count) {
		bool has_old = old < source->count, has_new = new < count;

		if (has_old && has_new && source->processes[old] == processes[new]) {
			old++, new ++;
		} else if (has_old && (!has_new || source->processes[old] < processes[new])) {
			bpf_map_delete_elem(map, &source->processes[old++]);
		} else if (bpf_map_update_elem(map, &processes[new ++], &value, BPF_ANY)) {
			source->count = 0;
			return error_set(error, -errno, "the BPF map of %zu processes: %s",
					 count, strerror(errno));
		}
	}
	if (count)
		memcpy(source->processes, processes, count * sizeof(pid_t));
	source->count = count;
	return 0;
}

/* BPF sees 15 characters of a kernel thread's name, /proc all of it since 5.17 (d6986ce24fc0).
 */
static void complete_name(struct vm_task *task)
{
	size_t length;
	char *name;

	if (!(task->flags & VM_TASK_KERNEL) || strlen(task->name) < 15)
		return;
	name = proc_read(sizeof(task->name) - 1, &length, "/proc/%u/comm", task->tid);
	if (name) {
		name[strcspn(name, "\n")] = '\0';
		if (!strncmp(name, task->name, 15))
			memcpy(task->name, name, strlen(name) + 1);
	}
	free(name);
}

int bpf_source_tasks(struct bpf_source *source, const pid_t *processes, size_t count,
		     struct vm_task_list *tasks, struct error *error)
{
	size_t length;
	int result;

	tasks->count = 0;
	if (!source->skeleton)
		return 0;
	result = set_processes(source, processes, count, error);
	if (!result)
		result = run_iterator(source, source->skeleton->links.list_tasks,
				      sizeof(struct vm_task), &length, error);
	if (result)
		return result;
	if (array_reserve(&tasks->records, &tasks->room, length / sizeof(struct vm_task),
			  sizeof(struct vm_task)))
		return error_set(error, -ENOMEM, "no memory for the threads of VMs");
	tasks->count = length / sizeof(struct vm_task);
	if (length)
		memcpy(tasks->records, source->output, length);
	for (size_t i = 0; i < tasks->count; i++)
		complete_name(&tasks->records[i]);
	return 0;
}
