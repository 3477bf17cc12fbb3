/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_VMM_NAMES_H
#define KVMPERF_REPORT_VMM_NAMES_H

#include <stdbool.h>

/* What names in a recording tell about VMs, beyond discover/thread_role.c. */

/*
 * Is it the name of a thread that runs a vCPU by KVM? vmm: the process is known to run a VMM,
 * without which a name as plain as cloud-hypervisor's "vcpu0" is no hint.
 */
bool vmm_is_vcpu_name(const char *comm, bool vmm);

/* Is it that of a vCPU that QEMU emulates, without KVM? "CPU 0/TCG" (accel/tcg) */
bool vmm_is_emulated_vcpu_name(const char *comm);

/* Is it that of a kernel thread that works for a VM? "vhost-1234", "kvm-pit/1234" */
bool vmm_is_served_by(const char *comm);

#endif
