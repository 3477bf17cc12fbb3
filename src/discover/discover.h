/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_DISCOVER_H
#define KVMPERF_DISCOVER_DISCOVER_H

#include "base/error.h"
#include "discover/vm.h"

/* Finds the VMs of this host and keeps the list up to date from scan to scan. */
struct discoverer;

enum discover_source {
	DISCOVER_AUTO, /* BPF where it loads, else /proc */
	DISCOVER_BPF,  /* the task_file iterator: exact vCPU threads, exits, halt polling */
	DISCOVER_PROC, /* links and fdinfo below /proc/PID */
};

struct discover_options {
	enum discover_source source;
	const char *proc_root; /* NULL: "/proc". Another root makes the source /proc */
	bool classify_exits;   /* fill vm_vcpu.user_exits and .interrupt_exits, where BPF can */
};

/*
 * Makes a discoverer; *out is owned by the caller (discoverer_free). BPF needs CAP_BPF,
 * CAP_PERFMON and CAP_SYSLOG; /proc needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. With BPF,
 * CAP_SYS_PTRACE only serves the VMM's kind (/proc/PID/exe, else its first argument is asked),
 * and both serve the display name.
 * Errors: -EPERM where the processes of others can't be seen, -EOPNOTSUPP where DISCOVER_BPF
 * was asked for and the kernel can't, with the reason in error.
 */
int discoverer_new(struct discoverer **out, const struct discover_options *options,
		   struct error *error);

/*
 * Looks again. A VM that is new gets its names, threads and taps; a known VM gets fresh exits,
 * halt polling, vCPUs and taps; one that ended gets 'gone' and stays until
 * discoverer_drop_gone().
 * Cheap enough for every interval: what can't change is not read again (threads of known VMs
 * are listed again only with relist_threads). Processes may vanish at any moment; that is no
 * error.
 */
int discoverer_scan(struct discoverer *discoverer, bool relist_threads, struct error *error);

/* The VMs of the last scan, owned by the discoverer; pointers are valid until the next scan
 * or drop. */
struct vm_list *discoverer_vms(struct discoverer *discoverer);

/* Drops the VMs that are gone from the list. */
void discoverer_drop_gone(struct discoverer *discoverer);

/* The source in use: DISCOVER_BPF or DISCOVER_PROC. */
enum discover_source discoverer_source(const struct discoverer *discoverer);

/* Why DISCOVER_AUTO took /proc, in one line; empty when it didn't, or was told another root. */
const char *discoverer_note(const struct discoverer *discoverer);

void discoverer_free(struct discoverer *discoverer);

#endif
