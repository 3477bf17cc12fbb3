/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/exit_reasons.h"

#include <stdio.h>

struct reason {
	int64_t code; /* SVM_EXIT_ERR is -1 */
	const char *name;
};

#if defined(__x86_64__)
#include <asm/kvm.h>
#include <asm/svm.h>
#include <asm/vmx.h>

static const struct reason vmx_reasons[] = {VMX_EXIT_REASONS};
static const struct reason svm_reasons[] = {SVM_EXIT_REASONS};
#else
static const struct reason vmx_reasons[] = {{-1, NULL}};
static const struct reason svm_reasons[] = {{-1, NULL}};
#endif

static const char *find(const struct reason *reasons, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (reasons[i].code == code)
			return reasons[i].name;
	return NULL;
}

const char *exit_reason_name(uint32_t isa, uint32_t code, char *buffer)
{
	const char *name = NULL;

	if (isa == EXIT_ISA_VMX)
		name = find(vmx_reasons, sizeof(vmx_reasons) / sizeof(vmx_reasons[0]), code);
	else if (isa == EXIT_ISA_SVM)
		name = find(svm_reasons, sizeof(svm_reasons) / sizeof(svm_reasons[0]), code);
	if (name)
		snprintf(buffer, EXIT_REASON_SIZE, "%s", name);
	else if (code == UINT32_MAX)
		snprintf(buffer, EXIT_REASON_SIZE, "unknown");
	else
		snprintf(buffer, EXIT_REASON_SIZE, "%s 0x%x",
			 isa == EXIT_ISA_VMX   ? "vmx"
			 : isa == EXIT_ISA_SVM ? "svm"
					       : "isa ?",
			 code);
	return buffer;
}
