/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/interrupt_context.h"

static char path[] = "/tmp/kvmperf-kallsyms-XXXXXX";

static void write_symbols(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_modes(void **state)
{
	static const uint64_t thread[] = {0xffffffffffffff80, 0xffffffff81000010};
	static const uint64_t softirq[] = {0xffffffff81000010, 0xffffffff81002004,
					   0xffffffff81003000};
	static const uint64_t nested[] = {0xffffffff81003008, 0xffffffff81005004,
					  0xffffffff81002004};
	static const uint64_t receive[] = {0xffffffff81000010, 0xffffffff81005004,
					   0xffffffff81002004};
	static const uint64_t cold[] = {0xffffffff81006000, 0xffffffff81002004};
	static const uint64_t queue[] = {0xffffffff81007010, 0xffffffff81000010};
	enum shared_work work;
	struct interrupt_context *context;

	(void)state;
	write_symbols("ffffffff81003000 T common_interrupt\n"
		      "ffffffff81000000 T __schedule\n"
		      "ffffffff81002000 t handle_softirqs\n"
		      "ffffffff81002000 t __do_softirq_alias\n"
		      "ffffffff81002100 T after\n"
		      "ffffffff81003020 T after_interrupt\n"
		      "ffffffff81005000 t net_rx_action\n"
		      "ffffffff81005100 t net_rx_action_not\n"
		      "ffffffff81006000 t net_tx_action.cold\n"
		      "ffffffff81007000 t blk_mq_run_work_fn\n"
		      "ffffffff81007100 T end\n");
	assert_int_equal(interrupt_context_new(&context, path, NULL), 0);
	assert_int_equal(interrupt_context_mode(context, thread, 2, &work), MODE_KERNEL);
	assert_int_equal(interrupt_context_mode(context, softirq, 3, &work), MODE_SOFTIRQ);
	assert_int_equal(work, WORK_NONE);
	assert_int_equal(interrupt_context_mode(context, nested, 3, &work), MODE_HARDIRQ);
	assert_int_equal(interrupt_context_mode(context, nested, 0, &work), MODE_KERNEL);
	assert_int_equal(interrupt_context_mode(context, receive, 3, &work), MODE_SOFTIRQ);
	assert_int_equal(work, WORK_NET_RX);
	assert_int_equal(interrupt_context_mode(context, cold, 2, &work), MODE_SOFTIRQ);
	assert_int_equal(work, WORK_NET_TX);
	assert_int_equal(interrupt_context_mode(context, queue, 2, &work), MODE_KERNEL);
	assert_int_equal(work, WORK_BLOCK);
	size_t count;
	const struct context_function *functions = interrupt_context_functions(context, &count);
	assert_int_equal(count, 5);
	for (size_t i = 1; i < count; i++)
		assert_true(functions[i].start >= functions[i - 1].end);
	/* One past the end of the function. */
	assert_int_equal(
		interrupt_context_mode(context, &(uint64_t){0xffffffff81002100}, 1, &work),
		MODE_KERNEL);
	interrupt_context_free(context);
}

static void test_unusable(void **state)
{
	struct interrupt_context *context;
	struct error error;

	(void)state;
	write_symbols("0000000000000000 T common_interrupt\n0000000000000000 T after\n");
	assert_int_equal(interrupt_context_new(&context, path, &error), -EPERM);
	write_symbols("ffffffff81000000 T __schedule\nffffffff81000100 T after\n");
	assert_int_equal(interrupt_context_new(&context, path, &error), -EOPNOTSUPP);
	write_symbols("");
	assert_int_equal(interrupt_context_new(&context, path, &error), -EOPNOTSUPP);
	assert_int_equal(interrupt_context_new(&context, "/nonexistent", &error), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_unusable),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
