/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VMM_GUEST_H
#define KVMPERF_VMM_GUEST_H

/*
 * The program that runs inside the guest: position-independent 64-bit code without a stack.
 * Entered at its first byte with RDI = address of a struct vmm_mailbox. It runs one burst,
 * writes a byte to VMM_PORT_DONE and, when it is resumed, starts the next burst.
 */
extern const unsigned char vmm_guest_code[];
extern const unsigned char vmm_guest_code_end[];

#define VMM_PORT_DONE 0xe0 /* end of a burst: KVM_RUN returns */
#define VMM_PORT_KICK 0xe4 /* between slices: bound to an ioeventfd */

#endif
