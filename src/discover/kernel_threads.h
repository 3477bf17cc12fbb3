/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_KERNEL_THREADS_H
#define KVMPERF_DISCOVER_KERNEL_THREADS_H

#include "discover/source.h"
#include "discover/tracked_vm.h"

/*
 * Adds the kernel threads among tasks to the VMs they work for:
 * - vhost-N: N is the thread that called VHOST_SET_OWNER (drivers/vhost/vhost.c,
 *   vhost_worker_create; before 6.4, and again with fork_from_owner=0 since 6.17)
 * - kvm-nx-lpage-recovery-N: N is the thread that made the VM (virt/kvm/kvm_main.c,
 *   kvm_vm_create_worker_thread; before 6.13, later a thread of the VMM)
 * - kvm-pit/N: N is the VMM as its own pid namespace numbers it (arch/x86/kvm/i8254.c,
 *   kvm_create_pit)
 * Where thread N has ended, or the name was cut (before 5.17), the cgroup decides, which KVM
 * and vhost take over from the VMM. A thread that could be of two VMs is given to none. The
 * threads of the VMMs must have been added. Returns 0 or -ENOMEM.
 */
int kernel_threads_add(struct tracked_vm *vms, size_t count, const struct vm_task_list *tasks,
		       const char *proc_root);

#endif
