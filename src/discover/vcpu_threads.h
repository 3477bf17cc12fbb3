/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_VCPU_THREADS_H
#define KVMPERF_DISCOVER_VCPU_THREADS_H

#include "discover/tracked_vm.h"

/*
 * Gives the threads of the VM that run vCPUs their role and index, and takes the role from
 * those whose name only looks like it. In this order of proof:
 * 1. tracked_vcpu.runner, as KVM says it (vcpu->pid)
 * 2. the name, for a vCPU that has no proven thread. QEMU numbers names by CPU, KVM by APIC id:
 *    the n-th name is the n-th vCPU
 * 3. with proc_root not NULL: a thread blocked in ioctl(vCPU's file, KVM_RUN), told by
 *    PROC_ROOT/PID/task/TID/syscall; it becomes the runner
 * 4. likewise: guest time in the thread's stat. The index is -1 unless one vCPU is left
 */
void vcpu_threads_assign(struct tracked_vm *tracked, const char *proc_root);

/* Has each vCPU its thread? */
bool vcpu_threads_complete(const struct tracked_vm *tracked);

/*
 * Parses the text of a syscall file: a thread inside ioctl(*fd, KVM_RUN). False when it is not,
 * or runs.
 */
bool vcpu_threads_parse_syscall(const char *text, unsigned *fd);

#endif
