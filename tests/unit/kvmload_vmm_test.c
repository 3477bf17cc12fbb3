/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/vmm.h"

/* The tests with a guest need /dev/kvm; those of bad orders don't. */
static struct vmm *make_vm(const struct vmm_options *options)
{
	struct error error = {0};
	struct vmm *vmm;

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		print_message("SKIP: /dev/kvm is absent or not ours to use\n");
		skip();
	}
	if (vmm_new(&vmm, options, &error) < 0)
		fail_msg("%s", error.message);
	return vmm;
}

static void order(struct vmm *vmm, unsigned vcpu, uint64_t slices, enum vmm_kernel_exit kind)
{
	struct vmm_mailbox *mailbox = vmm_mailbox(vmm, vcpu);

	mailbox->slice_ticks = (uint64_t)(vmm_tsc_hz(vmm) * 0.0005);
	mailbox->slices = slices;
	mailbox->gap_ticks = (uint64_t)(vmm_tsc_hz(vmm) * 0.0005);
	mailbox->spin = 32;
	mailbox->kernel_exit = kind;
}

/* Runs one burst to its end, through signals. */
static void run_burst(struct vmm *vmm, unsigned vcpu)
{
	struct error error = {0};
	int status;

	do {
		status = vmm_run(vmm, vcpu, &error);
	} while (status == -EINTR);
	if (status < 0)
		fail_msg("%s", error.message);
}

static void refuses_bad_options(void **state)
{
	static _Alignas(VMM_PAGE_SIZE) char pages[2 * VMM_PAGE_SIZE];
	const struct vmm_options bad[] = {
		{.vcpus = 0},
		{.vcpus = VMM_MAX_VCPUS + 1},
		{.vcpus = 1, .mailboxes = pages + 64},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error error = {0};
		struct vmm *vmm = (struct vmm *)(void *)pages;

		assert_int_equal(vmm_new(&vmm, &bad[i], &error), -EINVAL);
		assert_null(vmm);
		assert_int_equal(error.code, -EINVAL);
		assert_true(strlen(error.message) > 0);
	}
}

static void refuses_a_burst_without_end(void **state)
{
	const struct vmm_options options = {.vcpus = 1};
	struct vmm *vmm = make_vm(&options);
	struct vmm_mailbox *mailbox = vmm_mailbox(vmm, 0);
	struct error error = {0};

	(void)state;
	assert_int_equal(vmm_run(vmm, 0, &error), -EINVAL); /* no orders at all */
	order(vmm, 0, 0, VMM_EXIT_KICK);
	assert_int_equal(vmm_run(vmm, 0, &error), -EINVAL);
	order(vmm, 0, 1, VMM_EXIT_KICK);
	mailbox->spin = 0;
	assert_int_equal(vmm_run(vmm, 0, &error), -EINVAL);
	order(vmm, 0, 1, VMM_EXIT_KICK);
	mailbox->gap_ticks = 0;
	assert_int_equal(vmm_run(vmm, 0, &error), -EINVAL);
	assert_int_equal(mailbox->steps, 0);
	vmm_free(vmm);
}

/* Each burst burns what was ordered and, between slices, exits as often as ordered. */
static void burns_and_exits_as_ordered(void **state)
{
	const enum vmm_kernel_exit kinds[] = {VMM_EXIT_KICK, VMM_EXIT_CPUID};
	const struct vmm_options options = {.vcpus = 1};
	struct vmm *vmm = make_vm(&options);
	const struct vmm_mailbox *mailbox = vmm_mailbox(vmm, 0);
	uint64_t ordered = 0, before = 0, after = 0;
	bool exits, counted;

	(void)state;
	assert_int_equal(vmm_try_kernel_exit(vmm, 0, VMM_EXIT_KICK, NULL), 0);
	exits = vmm_try_kernel_exit(vmm, 0, VMM_EXIT_CPUID, NULL) == 0;
	counted = vmm_exits(vmm, 0, &before, NULL) == 0;
	for (size_t kind = 0; kind < 2; kind++) {
		order(vmm, 0, 5, kinds[kind]);
		for (int burst = 0; burst < 3; burst++) {
			run_burst(vmm, 0);
			ordered += 5 * mailbox->slice_ticks;
		}
		assert_int_equal(mailbox->bursts, 3 * (kind + 1));
		assert_int_equal(mailbox->kernel_exits, 3 * 4 * (kind + 1));
	}
	/* A slice ends with the step that passes its end, and a step is shorter than a gap. */
	assert_true(mailbox->guest_ticks >= ordered);
	assert_true(mailbox->guest_ticks <= ordered + 30 * mailbox->gap_ticks);
	assert_true(mailbox->exit_ticks > 0);
	assert_true(mailbox->steps > 30);
	if (counted) {
		assert_int_equal(vmm_exits(vmm, 0, &after, NULL), 0);
		/* A cpuid ends a slice also where it makes no exit. */
		assert_true(after - before >=
			    mailbox->bursts + mailbox->kernel_exits / (exits ? 1 : 2));
	}
	vmm_free(vmm);
}

/* Each vCPU has its mailbox, which may be memory of the caller's. */
static void keeps_vcpus_apart(void **state)
{
	void *pages = mmap(NULL, 3 * VMM_PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct vmm_options options = {.vcpus = 3, .mailboxes = pages};
	struct vmm *vmm;

	(void)state;
	assert_true(pages != MAP_FAILED);
	vmm = make_vm(&options);
	assert_int_equal(vmm_vcpus(vmm), 3);
	for (unsigned vcpu = 0; vcpu < 3; vcpu++) {
		assert_ptr_equal(vmm_mailbox(vmm, vcpu),
				 (char *)pages + (size_t)vcpu * VMM_PAGE_SIZE);
		order(vmm, vcpu, 1, VMM_EXIT_KICK);
		for (unsigned burst = 0; burst <= vcpu; burst++)
			run_burst(vmm, vcpu);
	}
	for (unsigned vcpu = 0; vcpu < 3; vcpu++)
		assert_int_equal(vmm_mailbox(vmm, vcpu)->bursts, vcpu + 1);
	vmm_free(vmm);
	munmap(pages, 3 * VMM_PAGE_SIZE);
}

static void is_interrupted_before_it_enters(void **state)
{
	const struct vmm_options options = {.vcpus = 1};
	struct vmm *vmm = make_vm(&options);
	struct error error = {0};

	(void)state;
	order(vmm, 0, 1, VMM_EXIT_KICK);
	vmm_interrupt(vmm, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vmm_run(vmm, 0, &error), -EINTR);
	assert_int_equal(vmm_mailbox(vmm, 0)->bursts, 0);
	vmm_free(vmm);
}

static void frees_nothing(void **state)
{
	(void)state;
	vmm_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_options),
		cmocka_unit_test(refuses_a_burst_without_end),
		cmocka_unit_test(burns_and_exits_as_ordered),
		cmocka_unit_test(keeps_vcpus_apart),
		cmocka_unit_test(is_interrupted_before_it_enters),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
