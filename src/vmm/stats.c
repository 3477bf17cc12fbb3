/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/internal.h"
#include "vmm/vmm.h"

/* Descriptors are far fewer; a bound keeps a kernel with other ideas from costing memory. */
#define MAX_DESCRIPTORS 1024
#define MAX_NAME	256

/* Finds the 'exits' counter among the descriptors of the statistics file. */
static int find_exits(int fd, uint64_t *offset)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *descriptor;
	size_t size;
	int status = -EOPNOTSUPP;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    header.num_desc > MAX_DESCRIPTORS || header.name_size > MAX_NAME)
		return -EOPNOTSUPP;
	size = sizeof(*descriptor) + header.name_size;
	descriptor = calloc(1, size + 1);
	if (!descriptor)
		return -ENOMEM;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		if (pread(fd, descriptor, size, (off_t)(header.desc_offset + i * size)) !=
		    (ssize_t)size)
			break;
		if (strcmp(descriptor->name, "exits") == 0) {
			*offset = (uint64_t)header.data_offset + descriptor->offset;
			status = 0;
			break;
		}
	}
	free(descriptor);
	return status;
}

int vmm_exits(struct vmm *vmm, unsigned vcpu, uint64_t *exits, struct error *error)
{
	struct vcpu *self = &vmm->vcpus[vcpu];

	if (self->stats_fd < 0) {
		int fd = ioctl(self->fd, KVM_GET_STATS_FD, NULL);
		int status = fd < 0 ? -EOPNOTSUPP : find_exits(fd, &self->exits_offset);

		if (status < 0) {
			if (fd >= 0)
				close(fd);
			return error_set(error, status, "KVM gives no statistics of vCPU %u",
					 vcpu);
		}
		self->stats_fd = fd;
	}
	if (pread(self->stats_fd, exits, sizeof(*exits), (off_t)self->exits_offset) !=
	    (ssize_t)sizeof(*exits))
		return error_set(error, -EIO, "cannot read the exits of vCPU %u", vcpu);
	return 0;
}

#define TRIED_EXITS 100

int vmm_try_kernel_exit(struct vmm *vmm, unsigned vcpu, enum vmm_kernel_exit kind,
			struct error *error)
{
	struct vmm_mailbox *mailbox = vmm_mailbox(vmm, vcpu);
	uint64_t before, after;
	int status;

	if (vmm_exits(vmm, vcpu, &before, NULL) < 0)
		return 0;
	*mailbox = (struct vmm_mailbox){
		.slice_ticks = 1,
		.slices = 1 + TRIED_EXITS,
		.gap_ticks = UINT64_MAX,
		.spin = 1,
		.kernel_exit = kind,
	};
	do {
		status = vmm_run(vmm, vcpu, error);
	} while (status == -EINTR);
	memset(mailbox, 0, sizeof(*mailbox));
	if (status == 0)
		status = vmm_exits(vmm, vcpu, &after, error);
	if (status == 0 && after - before < TRIED_EXITS)
		return error_set(error, -EOPNOTSUPP,
				 "a guest's %s makes no VM exit on this host",
				 kind == VMM_EXIT_CPUID ? "cpuid" : "port output");
	return status;
}
