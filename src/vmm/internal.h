/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VMM_INTERNAL_H
#define KVMPERF_VMM_INTERNAL_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/vmm.h"

/* The guest's physical memory; virtual addresses are the same. */
#define GUEST_PML4	0x0000
#define GUEST_PDPT	0x1000
#define GUEST_PD	0x2000
#define GUEST_CODE	0x3000
#define GUEST_RAM_SIZE	0x4000
#define GUEST_MAILBOXES 0x10000 /* one page a vCPU */

struct vcpu {
	int fd;
	int stats_fd; /* -1 until vmm_exits() is asked */
	struct kvm_run *run;
	size_t run_size;
	uint64_t exits_offset; /* of the exits counter in stats_fd */
};

struct vmm {
	int kvm_fd;
	int vm_fd;
	int kick_fd; /* eventfd behind VMM_PORT_KICK */
	unsigned char *ram;
	unsigned char *mailboxes;
	bool owns_mailboxes;
	double tsc_hz;
	unsigned vcpu_count;
	struct vcpu vcpus[];
};

/* Makes the vCPU, maps its kvm_run and sets its registers; vcpu_close() also after failure. */
int vcpu_open(struct vmm *vmm, unsigned index, bool supervisor, struct error *error);
void vcpu_close(struct vcpu *vcpu);

#endif
