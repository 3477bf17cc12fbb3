/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_EXACT_PROGRAMS_H
#define KVMPERF_COLLECT_EXACT_PROGRAMS_H

#include "bpf/exact.h"

struct exact_bpf;

/* How the programs read the kernel's memory. */
enum exact_reading {
	EXACT_READING_BEST,  /* by plain loads where the kernel allows that, else by calls */
	EXACT_READING_LOADS, /* Linux 6.2 and later, with the JIT compiler */
	EXACT_READING_CALLS,
};

/*
 * Loads the programs of exact mode (bpf/exact_programs.h) and attaches none. layout: where to
 * find the reason of a VM exit; NULL leaves those of VMs out. *out is owned by the caller
 * (exact_bpf__destroy). Errors: those of bpf(2), -ENOMEM; any for loads that the kernel doesn't
 * offer.
 */
int exact_programs_load(struct exact_bpf **out, const struct exact_exit_layout *layout,
			enum exact_reading reading);

/*
 * Has a CPU bring its sums up to date and go on as bss->next_... say, by an interrupt
 * (net/bpf/test_run.c, bpf_prog_test_run_raw_tp). Errors: -ENXIO when it is offline, others of
 * bpf(2).
 */
int exact_programs_cut(const struct exact_bpf *programs, int cpu);

#endif
