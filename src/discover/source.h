/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_SOURCE_H
#define KVMPERF_DISCOVER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "bpf/vm_files.h"

/* The two places that tell which processes hold files of VMs: BPF iterators, and /proc. */

/* Filled anew by each call, reused from call to call; the owner frees records. */
struct vm_file_list {
	struct vm_file *records;
	size_t count, room;
};

struct vm_task_list {
	struct vm_task *records;
	size_t count, room;
};

struct bpf_source;

/*
 * Loads the iterators. Errors: -EOPNOTSUPP or -EPERM, with what is missing in error (BTF, a
 * capability, the addresses of kernel symbols). Needs CAP_BPF, CAP_PERFMON and CAP_SYSLOG.
 * classify_exits: also count the returns of KVM_RUN, by a program on the tracepoint
 * kvm_userspace_exit.
 */
int bpf_source_new(struct bpf_source **out, bool classify_exits, struct error *error);

/*
 * The KVM files and taps of all processes. Loads the iterators anew when kvm, tun or tap was
 * loaded or unloaded since.
 */
int bpf_source_files(struct bpf_source *source, struct vm_file_list *files,
		     struct error *error);

/*
 * The threads of the processes (tgids, in rising order) and of their children, and all kernel
 * threads whose name begins with 'vhost-' or 'kvm-'.
 */
int bpf_source_tasks(struct bpf_source *source, const pid_t *processes, size_t count,
		     struct vm_task_list *tasks, struct error *error);

void bpf_source_free(struct bpf_source *source);

struct proc_source;

/*
 * proc_root is borrowed. Errors: -EPERM when not a single process of another user shows its
 * files. Needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH to see the VMs of other users.
 */
int proc_source_new(struct proc_source **out, const char *proc_root, struct error *error);

/*
 * As bpf_source_files, without counters; vm_file.kvm is the pid of the process that made the
 * VM, and runner is always 0. The files of a process are listed again when their number changed
 * (the size of /proc/PID/fd, since Linux 6.2), while it is younger than a minute, and with all.
 */
int proc_source_files(struct proc_source *source, bool all, struct vm_file_list *files,
		      struct error *error);

/* As bpf_source_tasks; tells of the processes that proc_source_files() saw last. */
int proc_source_tasks(struct proc_source *source, const pid_t *processes, size_t count,
		      struct vm_task_list *tasks, struct error *error);

void proc_source_free(struct proc_source *source);

#endif
