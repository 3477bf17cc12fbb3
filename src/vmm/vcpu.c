/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/guest.h"
#include "vmm/internal.h"
#include "vmm/vmm.h"

/* Intel SDM vol. 3A, sections 2.2.1, 2.3 and 2.5. */
#define CR0_PE	    (1ULL << 0)
#define CR0_NE	    (1ULL << 5)
#define CR0_ET	    (1ULL << 4)
#define CR0_WP	    (1ULL << 16)
#define CR0_PG	    (1ULL << 31)
#define CR4_PAE	    (1ULL << 5)
#define EFER_LME    (1ULL << 8)
#define EFER_LMA    (1ULL << 10)
#define RFLAGS_ONE  (1ULL << 1)
#define RFLAGS_IF   (1ULL << 9)
#define RFLAGS_IOPL (3ULL << 12)

#define SEGMENT_CODE	 11 /* execute, read, accessed */
#define SEGMENT_DATA	 3  /* read, write, accessed */
#define SEGMENT_BUSY_TSS 11

static struct kvm_segment flat_segment(uint16_t index, uint8_t type, uint8_t dpl)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = (uint16_t)(index << 3 | dpl),
		.type = type,
		.present = 1,
		.dpl = dpl,
		.db = type != SEGMENT_CODE,
		.s = 1,
		.l = type == SEGMENT_CODE,
		.g = 1,
	};
}

static int set_registers(struct vmm *vmm, unsigned index, bool supervisor, struct error *error)
{
	int fd = vmm->vcpus[index].fd;
	uint8_t dpl = supervisor ? 0 : 3;
	struct kvm_sregs special;
	struct kvm_regs general = {
		.rip = GUEST_CODE,
		.rdi = GUEST_MAILBOXES + (uint64_t)index * VMM_PAGE_SIZE,
		.rflags = RFLAGS_ONE | RFLAGS_IF | RFLAGS_IOPL,
	};

	if (ioctl(fd, KVM_GET_SREGS, &special) < 0)
		return error_set(error, -errno, "KVM_GET_SREGS: %s", strerror(errno));
	special.cs = flat_segment(6, SEGMENT_CODE, dpl);
	special.ss = flat_segment(5, SEGMENT_DATA, dpl);
	special.ds = special.es = special.fs = special.gs = special.ss;
	/* VMX enters no 64-bit guest without a busy TSS, even one that is never used. */
	special.tr = (struct kvm_segment){
		.limit = 0x67, .selector = 8 << 3, .type = SEGMENT_BUSY_TSS, .present = 1};
	special.ldt = (struct kvm_segment){.unusable = 1};
	special.gdt = special.idt = (struct kvm_dtable){.limit = 0};
	special.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	special.cr3 = GUEST_PML4;
	special.cr4 = CR4_PAE;
	special.efer = EFER_LME | EFER_LMA;
	if (ioctl(fd, KVM_SET_SREGS, &special) < 0)
		return error_set(error, -errno, "KVM_SET_SREGS: %s", strerror(errno));
	if (ioctl(fd, KVM_SET_REGS, &general) < 0)
		return error_set(error, -errno, "KVM_SET_REGS: %s", strerror(errno));
	return 0;
}

int vcpu_open(struct vmm *vmm, unsigned index, bool supervisor, struct error *error)
{
	struct vcpu *vcpu = &vmm->vcpus[index];
	int size = ioctl(vmm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (size < (int)sizeof(struct kvm_run))
		return error_set(error, -EOPNOTSUPP, "KVM tells no size for its run area");
	vcpu->fd = ioctl(vmm->vm_fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return error_set(error, -errno, "KVM cannot make vCPU %u: %s", index,
				 strerror(errno));
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return error_set(error, -errno, "cannot map the run area of vCPU %u: %s", index,
				 strerror(errno));
	vcpu->run = run;
	vcpu->run_size = (size_t)size;
	return set_registers(vmm, index, supervisor, error);
}

void vcpu_close(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->stats_fd >= 0)
		close(vcpu->stats_fd);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
}

/* KVM_RUN came back: 0 when it is the end of the burst. */
static int judge_exit(const struct kvm_run *run, unsigned vcpu, struct error *error)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == VMM_PORT_DONE)
			return 0;
		return error_set(error, -EIO, "vCPU %u used the unknown port 0x%x", vcpu,
				 run->io.port);
	case KVM_EXIT_INTR: return -EINTR;
	case KVM_EXIT_SHUTDOWN:
		return error_set(error, -EIO, "vCPU %u faulted and shut down", vcpu);
	case KVM_EXIT_FAIL_ENTRY:
		return error_set(error, -EIO, "the CPU refused to enter vCPU %u: reason 0x%llx",
				 vcpu, run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_INTERNAL_ERROR:
		return error_set(error, -EIO, "KVM failed to run vCPU %u: internal error %u",
				 vcpu, run->internal.suberror);
	default:
		return error_set(error, -EIO, "vCPU %u stopped: KVM exit reason %u", vcpu,
				 run->exit_reason);
	}
}

int vmm_run(struct vmm *vmm, unsigned vcpu, struct error *error)
{
	const struct vmm_mailbox *orders = vmm_mailbox(vmm, vcpu);
	struct kvm_run *run = vmm->vcpus[vcpu].run;

	if (orders->slices == 0 || orders->spin == 0 || orders->gap_ticks == 0)
		return error_set(error, -EINVAL, "the mailbox of vCPU %u orders no end", vcpu);
	if (ioctl(vmm->vcpus[vcpu].fd, KVM_RUN, 0) < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return -EINTR;
		return error_set(error, -errno, "KVM_RUN of vCPU %u: %s", vcpu,
				 strerror(errno));
	}
	return judge_exit(run, vcpu, error);
}

void vmm_interrupt(struct vmm *vmm, unsigned vcpu)
{
	__atomic_store_n(&vmm->vcpus[vcpu].run->immediate_exit, 1, __ATOMIC_RELAXED);
}
