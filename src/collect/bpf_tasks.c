/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/bpf_tasks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bpf/sample.h"
#include "collect/bpf_sampler.h"
#include "tasks.skel.h"

struct bpf_tasks {
	struct tasks_bpf *programs;
	struct ring_buffer *ended;
	struct collection *collection;		  /* that the ring's function appends to */
	uint64_t other_run_ns[OTHER_TASKS_COUNT]; /* the last reading of these */
	uint64_t ended_kernel_threads_ns;
};

static int append_task(struct collection *collection, const struct task_time *time)
{
	struct collected_task *task = collection_add_task(collection);

	if (!task)
		return -ENOMEM;
	task->tgid = (pid_t)time->tgid;
	task->tid = (pid_t)time->tid;
	task->run_ns = time->run_ns;
	task->ready_ns = time->ready_ns;
	task->kernel_thread = time->kernel_thread;
	memcpy(task->name, time->comm, sizeof(task->name));
	task->name[sizeof(task->name) - 1] = '\0';
	return 0;
}

static int append_ended(void *context, void *data, size_t size)
{
	struct bpf_tasks *self = context;
	struct task_time time;

	if (size < sizeof(time))
		return 0;
	memcpy(&time, data, sizeof(time));
	return append_task(self->collection, &time);
}

static int load(struct bpf_tasks *self, int vm_tgids, struct error *error)
{
	self->programs = tasks_bpf__open();
	if (!self->programs)
		return error_set(error, -ENOMEM, "cannot open the BPF programs: %m");
	self->programs->rodata->self_tgid = (__u32)getpid();
	int code =
		vm_tgids < 0 ? 0 : bpf_map__reuse_fd(self->programs->maps.vm_tgids, vm_tgids);
	if (!code)
		code = tasks_bpf__load(self->programs);
	if (!code)
		code = tasks_bpf__attach(self->programs);
	if (code)
		return bpf_load_error(code, "task iterators and tracing programs", error);
	self->ended = ring_buffer__new(bpf_map__fd(self->programs->maps.ended_tasks),
				       append_ended, self, NULL);
	return self->ended ? 0 : error_set(error, -errno, "cannot map a BPF ring buffer: %m");
}

int bpf_tasks_new(struct bpf_tasks **out, int vm_tgids, struct error *error)
{
	struct bpf_tasks *self = calloc(1, sizeof(*self));

	if (!self)
		return error_set(error, -ENOMEM, "no memory for the task iterators");
	bpf_be_quiet();
	int code = load(self, vm_tgids, error);
	if (code) {
		bpf_tasks_free(self);
		return code;
	}
	*out = self;
	return 0;
}

static uint64_t since(uint64_t *last, uint64_t now)
{
	uint64_t difference = now - *last;

	*last = now;
	return difference;
}

static int iterate(struct bpf_tasks *self, struct collection *collection, struct error *error)
{
	struct task_time times[256];
	int fd = bpf_iter_create(bpf_link__fd(self->programs->links.read_tasks));
	int code = 0;

	if (fd < 0)
		return error_set(error, -errno, "cannot iterate over the tasks: %m");
	ssize_t length;
	/* A read stops between records: each is written whole or put off. */
	while (!code && ((length = read(fd, times, sizeof(times))) > 0 ||
			 (length < 0 && (errno == EINTR || errno == EAGAIN))))
		for (ssize_t i = 0; !code && i < length / (ssize_t)sizeof(times[0]); i++)
			code = append_task(collection, &times[i]);
	if (code)
		error_set(error, code, "no memory for the tasks' times");
	else if (length < 0)
		code = error_set(error, -errno, "cannot read the tasks' times: %m");
	close(fd);
	return code;
}

int bpf_tasks_read(struct bpf_tasks *self, bool baseline, struct collection *collection,
		   struct error *error)
{
	struct tasks_bpf__bss *bss = self->programs->bss;

	bss->previous_reading_time = bss->reading_time;
	bss->reading_time = clock_monotonic_ns();
	bss->baseline = baseline;
	int code = iterate(self, collection, error);
	if (code)
		return code;
	collection->start_ns = bss->previous_reading_time;
	collection->end_ns = bss->reading_time;
	collection->processes_run_ns =
		since(&self->other_run_ns[OTHER_PROCESSES], bss->other_run_ns[OTHER_PROCESSES]);
	collection->self_run_ns =
		since(&self->other_run_ns[OTHER_SELF], bss->other_run_ns[OTHER_SELF]);
	collection->kernel_run_ns =
		since(&self->ended_kernel_threads_ns, bss->ended_kernel_threads_ns);
	return 0;
}

int bpf_tasks_take_ended(struct bpf_tasks *self, struct collection *collection)
{
	self->collection = collection;
	int code = ring_buffer__consume(self->ended);
	return code < 0 ? code : 0;
}

int bpf_tasks_track(struct bpf_tasks *self, pid_t tgid)
{
	__u32 key = (__u32)tgid, known = VM_TGID_KNOWN;
	int fd = bpf_map__fd(self->programs->maps.vm_tgids);

	return bpf_map_update_elem(fd, &key, &known, BPF_ANY) ? -errno : 0;
}

void bpf_tasks_untrack(struct bpf_tasks *self, pid_t tgid)
{
	__u32 key = (__u32)tgid;

	bpf_map_delete_elem(bpf_map__fd(self->programs->maps.vm_tgids), &key);
}

void bpf_tasks_free(struct bpf_tasks *self)
{
	if (!self)
		return;
	ring_buffer__free(self->ended);
	tasks_bpf__destroy(self->programs);
	free(self);
}
