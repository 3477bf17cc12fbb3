/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/exit_reasons.h"

static void assert_named(uint32_t isa, uint32_t code, const char *name)
{
	char buffer[EXIT_REASON_SIZE];

	assert_string_equal(exit_reason_name(isa, code, buffer), name);
}

/* The numbers are those of the manuals: Intel SDM 3D appendix C, AMD APM 2 appendix C. */
static void test_names(void **state)
{
	(void)state;
#if defined(__x86_64__)
	assert_named(EXIT_ISA_VMX, 1, "EXTERNAL_INTERRUPT");
	assert_named(EXIT_ISA_VMX, 12, "HLT");
	assert_named(EXIT_ISA_VMX, 48, "EPT_VIOLATION");
	assert_named(EXIT_ISA_SVM, 0x78, "hlt");
	assert_named(EXIT_ISA_SVM, 0x400, "npf");
	assert_named(EXIT_ISA_SVM, 0x60, "interrupt");
#endif
	assert_named(EXIT_ISA_VMX, 0x3f0, "vmx 0x3f0");
	assert_named(EXIT_ISA_SVM, 0x3f0, "svm 0x3f0");
	assert_named(7, 12, "isa ? 0xc");
	assert_named(EXIT_ISA_SVM, UINT32_MAX, "unknown");
	assert_named(0, UINT32_MAX, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
