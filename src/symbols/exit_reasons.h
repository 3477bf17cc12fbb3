/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_EXIT_REASONS_H
#define KVMPERF_SYMBOLS_EXIT_REASONS_H

#include <stddef.h>
#include <stdint.h>

/* Whose exit codes they are: KVM_ISA_VMX and KVM_ISA_SVM (arch/x86/kvm/trace.h). */
enum exit_isa {
	EXIT_ISA_VMX = 1,
	EXIT_ISA_SVM = 2,
};

/* Room for every name. */
#define EXIT_REASON_SIZE 32

/*
 * The name of a VM exit's reason as the kernel and perf kvm print it (asm/vmx.h and asm/svm.h,
 * VMX_EXIT_REASONS and SVM_EXIT_REASONS); "svm 0x123" for one that they don't name, "unknown"
 * for the code UINT32_MAX. Returns buffer, of EXIT_REASON_SIZE.
 */
const char *exit_reason_name(uint32_t isa, uint32_t code, char *buffer);

#endif
