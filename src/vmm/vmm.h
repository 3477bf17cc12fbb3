/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VMM_VMM_H
#define KVMPERF_VMM_VMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/mailbox.h"

/*
 * A virtual machine of our own on /dev/kvm, for guests whose CPU time is known exactly. Its
 * vCPUs run the program of guest.c in 64-bit mode with identity page tables. There are no
 * descriptor tables, no interrupts and no devices but two ports; a fault ends the guest.
 */
struct vmm;

struct vmm_options {
	unsigned vcpus; /* at least 1, at most VMM_MAX_VCPUS */
	/*
	 * Run the guest at privilege level 0 rather than 3. Level 3 (with IOPL 3, for the port
	 * output) is right everywhere: VMX and SVM run both alike, and PVM runs level 3
	 * natively but interprets a level 0 that was not written for PVM.
	 */
	bool supervisor;
	/*
	 * Page-aligned memory of one page a vCPU for the mailboxes, lent for the life of the VM
	 * (shared memory lets another process watch); NULL: the VM's own.
	 */
	void *mailboxes;
};

#define VMM_MAX_VCPUS 64
#define VMM_PAGE_SIZE 4096 /* of the guest and of the mailboxes */

/*
 * Makes the VM and its vCPUs. *out is owned by the caller (vmm_free). The process is the VM's
 * owner: KVM refuses its use from another. Errors: -EINVAL for bad options, -EACCES for
 * /dev/kvm, -EOPNOTSUPP without KVM or where it lacks what it takes, else what the kernel says.
 */
int vmm_new(struct vmm **out, const struct vmm_options *options, struct error *error);

/* No vCPU may be running. NULL is fine. */
void vmm_free(struct vmm *vmm);

unsigned vmm_vcpus(const struct vmm *vmm);

/* Ticks a second of the guest's TSC. */
double vmm_tsc_hz(const struct vmm *vmm);

/* The mailbox of a vCPU. The orders are zero at first: fill them before the first vmm_run(). */
struct vmm_mailbox *vmm_mailbox(struct vmm *vmm, unsigned vcpu);

/*
 * Runs one burst on the vCPU, in the calling thread; a vCPU runs in one thread at a time.
 * Returns 0 at the end of the burst; -EINTR when a signal was handled or vmm_interrupt() was
 * called: call again to go on with the same burst. Errors: -EINVAL when the mailbox orders a
 * burst without end, -EIO when the guest failed, else what the kernel says.
 */
int vmm_run(struct vmm *vmm, unsigned vcpu, struct error *error);

/*
 * Makes this and each later vmm_run() of the vCPU return -EINTR before it enters the guest.
 * Safe from any thread. A guest that is running needs a signal to its thread as well.
 */
void vmm_interrupt(struct vmm *vmm, unsigned vcpu);

/*
 * The vCPU's count of VM exits since it was made, as KVM counts it (kvm_vcpu_stat.exits through
 * KVM_GET_STATS_FD, Linux 5.14; Documentation/virt/kvm/api.rst 4.133). Errors: -EOPNOTSUPP on
 * older kernels.
 */
int vmm_exits(struct vmm *vmm, unsigned vcpu, uint64_t *exits, struct error *error);

/*
 * Tries whether that instruction of the guest makes VM exits on this host, with a burst of 100
 * of them on a vCPU that does not run; the mailbox is empty afterwards. Returns 0 when it does,
 * or where KVM counts no exits, which leaves it open. Errors: -EOPNOTSUPP when the guest goes
 * on without an exit (cpuid on PVM where it doesn't fault in user mode), and those of
 * vmm_run().
 */
int vmm_try_kernel_exit(struct vmm *vmm, unsigned vcpu, enum vmm_kernel_exit kind,
			struct error *error);

#endif
