/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_EXIT_LAYOUT_H
#define KVMPERF_DISCOVER_EXIT_LAYOUT_H

#include "base/error.h"
#include "bpf/exact.h"

struct btf;

/*
 * Where the reason of a VM exit is found at the tracepoint kvm_exit of the running kernel, by
 * its BTF or that of the modules kvm, kvm_amd and kvm_intel. Up to Linux 5.16 the reason was
 * the first argument; since 0a62a0319abb (5.17) it is read from the vCPU
 * (arch/x86/kvm/trace.h, TRACE_EVENT_KVM_EXIT). Members that are not there get -1.
 * Errors: -EOPNOTSUPP when there is no BTF or no such tracepoint (kvm isn't loaded), or when
 * its arguments are none that we know.
 */
int exit_layout_read(struct exact_exit_layout *layout, struct error *error);

/*
 * The places of kvm_exit's arguments in the type of the tracepoint (typedef
 * btf_trace_kvm_exit). The members get -1. Errors: -ENOENT when there is no such type,
 * -EOPNOTSUPP when no argument is a struct kvm_vcpu.
 */
int exit_layout_arguments(struct exact_exit_layout *layout, const struct btf *btf);

#endif
