/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_TESTS_EXACT_AT_SYSTEM_CALLS_H
#define KVMPERF_TESTS_EXACT_AT_SYSTEM_CALLS_H

/*
 * Exact mode's programs without VMs: that of kvm_exit runs at the tracepoint sys_exit, where
 * the saved registers stand for a vCPU and a call that returns 1 for KVM_ISA_VMX.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/user.h>
#include <unistd.h>

#include "collect/exact_programs.h"
#include "exact.skel.h"

/* The number of the system call is the reason. */
static const struct exact_exit_layout system_call_layout = {
	.vcpu_argument = 0,
	.isa_argument = 1,
	.reason_argument = -1,
	.svm_vmcb = -1,
	.vmcb_exit_code = -1,
	.vmx_exit_reason = offsetof(struct user_regs_struct, orig_rax),
};

/* Begins to follow all CPUs, or stops. */
static inline int follow_cpus(struct exact_bpf *programs, bool running)
{
	int error = 0;

	programs->bss->next_running = running;
	programs->bss->next_window++;
	for (int cpu = 0; !error && cpu < (int)sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		error = exact_programs_cut(programs, cpu);
	return error;
}

#endif
