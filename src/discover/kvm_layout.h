/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_KVM_LAYOUT_H
#define KVMPERF_DISCOVER_KVM_LAYOUT_H

#include "base/error.h"
#include "bpf/vm_files.h"

struct btf;

/*
 * Where the members that vm_files.bpf.c reads are in the running kernel: from vmlinux's BTF, or
 * from the module's own in /sys/kernel/btf. (libbpf's CO-RE would find the latter only with
 * CAP_SYS_ADMIN.) Members of taps and counters that are not there get -1. Errors: -EOPNOTSUPP
 * when there is no BTF or it lacks what tells VMs apart.
 */
int kvm_layout_read(struct vm_files_layout *layout, struct error *error);

/*
 * The offset in bytes of a member, "stat.generic.halt_poll_success_ns", also inside of unnamed
 * structs and unions; -1 when the type or the member is not there or is a bit field.
 */
int kvm_layout_member(const struct btf *btf, const char *type, const char *path);

/*
 * The addresses of the ioctl functions in a file such as /proc/kallsyms. A driver that isn't
 * there gets 0. Errors: -EPERM when all addresses are hidden (no CAP_SYSLOG), -ENOENT.
 */
int kvm_layout_ioctls(struct vm_files_ioctls *ioctls, const char *kallsyms,
		      struct error *error);

#endif
