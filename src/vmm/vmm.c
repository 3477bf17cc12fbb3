/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/guest.h"
#include "vmm/internal.h"

/* Page table bits: present, writable, user, accessed, dirty; and page size in a PD entry. */
#define PTE_TABLE 0x27ULL
#define PTE_LARGE 0xe7ULL

/* Where old Intel CPUs keep KVM's own pages: below 4 GiB, out of the way of the guest. */
#define KVM_PRIVATE_PAGES 0xfffbc000ULL

static void *map_pages(size_t size)
{
	void *pages =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

static int open_kvm(struct vmm *vmm, struct error *error)
{
	int version;

	vmm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vmm->kvm_fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(error, -EOPNOTSUPP,
				 "this host has no KVM: cannot open /dev/kvm: %s",
				 strerror(errno));
	if (vmm->kvm_fd < 0)
		return error_set(error, -errno,
				 "cannot open /dev/kvm: %s; run as root or in its group",
				 strerror(errno));
	version = ioctl(vmm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version < 0)
		return error_set(error, -EOPNOTSUPP, "/dev/kvm is not KVM: %s",
				 strerror(errno));
	if (version != KVM_API_VERSION)
		return error_set(error, -EOPNOTSUPP, "/dev/kvm speaks version %d, not %d",
				 version, KVM_API_VERSION);
	do {
		vmm->vm_fd = ioctl(vmm->kvm_fd, KVM_CREATE_VM, 0);
	} while (vmm->vm_fd < 0 && errno == EINTR);
	if (vmm->vm_fd < 0)
		return error_set(error, -errno, "KVM cannot make a virtual machine: %s",
				 strerror(errno));
	/* Only Intel CPUs without unrestricted guests need it; elsewhere it may be refused. */
	(void)ioctl(vmm->vm_fd, KVM_SET_TSS_ADDR, KVM_PRIVATE_PAGES);
	return 0;
}

static int set_memory(struct vmm *vmm, uint32_t slot, uint64_t address, void *memory,
		      uint64_t size, struct error *error)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	if (ioctl(vmm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return error_set(error, -errno, "KVM refuses memory for the guest: %s",
				 strerror(errno));
	return 0;
}

static void fill_ram(unsigned char *ram)
{
	const uint64_t pml4 = GUEST_PDPT | PTE_TABLE;
	const uint64_t pdpt = GUEST_PD | PTE_TABLE;
	const uint64_t pd = PTE_LARGE; /* the first 2 MiB */

	memcpy(ram + GUEST_PML4, &pml4, sizeof(pml4));
	memcpy(ram + GUEST_PDPT, &pdpt, sizeof(pdpt));
	memcpy(ram + GUEST_PD, &pd, sizeof(pd));
	memcpy(ram + GUEST_CODE, vmm_guest_code, (size_t)(vmm_guest_code_end - vmm_guest_code));
}

static int make_memory(struct vmm *vmm, void *mailboxes, struct error *error)
{
	size_t size = (size_t)vmm->vcpu_count * VMM_PAGE_SIZE;
	int status;

	vmm->ram = map_pages(GUEST_RAM_SIZE);
	vmm->owns_mailboxes = !mailboxes;
	vmm->mailboxes = mailboxes ? mailboxes : map_pages(size);
	if (!vmm->ram || !vmm->mailboxes)
		return error_set(error, -ENOMEM, "no memory for the guest");
	fill_ram(vmm->ram);
	status = set_memory(vmm, 0, 0, vmm->ram, GUEST_RAM_SIZE, error);
	if (status == 0)
		status = set_memory(vmm, 1, GUEST_MAILBOXES, vmm->mailboxes, size, error);
	return status;
}

static int make_kick_port(struct vmm *vmm, struct error *error)
{
	struct kvm_ioeventfd kick = {
		.addr = VMM_PORT_KICK,
		.len = 1,
		.flags = KVM_IOEVENTFD_FLAG_PIO,
	};

	vmm->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vmm->kick_fd < 0)
		return error_set(error, -errno, "cannot make an eventfd: %s", strerror(errno));
	kick.fd = vmm->kick_fd;
	if (ioctl(vmm->vm_fd, KVM_IOEVENTFD, &kick) < 0)
		return error_set(error, -errno, "KVM refuses an ioeventfd: %s",
				 strerror(errno));
	return 0;
}

static int set_up(struct vmm *vmm, const struct vmm_options *options, struct error *error)
{
	int status = open_kvm(vmm, error);

	if (status == 0)
		status = make_memory(vmm, options->mailboxes, error);
	if (status == 0)
		status = make_kick_port(vmm, error);
	for (unsigned i = 0; status == 0 && i < vmm->vcpu_count; i++)
		status = vcpu_open(vmm, i, options->supervisor, error);
	if (status < 0)
		return status;

	int khz = ioctl(vmm->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);

	if (khz <= 0)
		return error_set(error, -EOPNOTSUPP, "KVM doesn't tell the guest's TSC rate");
	vmm->tsc_hz = khz * 1000.0;
	return 0;
}

int vmm_new(struct vmm **out, const struct vmm_options *options, struct error *error)
{
	struct vmm *vmm;
	int status;

	*out = NULL;
	if (options->vcpus < 1 || options->vcpus > VMM_MAX_VCPUS)
		return error_set(error, -EINVAL, "a guest has 1 to %d vCPUs, not %u",
				 VMM_MAX_VCPUS, options->vcpus);
	if ((uintptr_t)options->mailboxes % VMM_PAGE_SIZE)
		return error_set(error, -EINVAL, "the mailboxes must start on a page");
	vmm = calloc(1, sizeof(*vmm) + options->vcpus * sizeof(vmm->vcpus[0]));
	if (!vmm)
		return error_set(error, -ENOMEM, "no memory for a virtual machine");
	vmm->kvm_fd = vmm->vm_fd = vmm->kick_fd = -1;
	vmm->vcpu_count = options->vcpus;
	for (unsigned i = 0; i < vmm->vcpu_count; i++)
		vmm->vcpus[i].fd = vmm->vcpus[i].stats_fd = -1;

	status = set_up(vmm, options, error);
	if (status < 0) {
		vmm_free(vmm);
		return status;
	}
	*out = vmm;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void vmm_free(struct vmm *vmm)
{
	if (!vmm)
		return;
	for (unsigned i = 0; i < vmm->vcpu_count; i++)
		vcpu_close(&vmm->vcpus[i]);
	close_fd(vmm->kick_fd);
	close_fd(vmm->vm_fd);
	close_fd(vmm->kvm_fd);
	if (vmm->ram)
		munmap(vmm->ram, GUEST_RAM_SIZE);
	if (vmm->owns_mailboxes && vmm->mailboxes)
		munmap(vmm->mailboxes, (size_t)vmm->vcpu_count * VMM_PAGE_SIZE);
	free(vmm);
}

unsigned vmm_vcpus(const struct vmm *vmm)
{
	return vmm->vcpu_count;
}

double vmm_tsc_hz(const struct vmm *vmm)
{
	return vmm->tsc_hz;
}

struct vmm_mailbox *vmm_mailbox(struct vmm *vmm, unsigned vcpu)
{
	return (struct vmm_mailbox *)(void *)(vmm->mailboxes + (size_t)vcpu * VMM_PAGE_SIZE);
}
