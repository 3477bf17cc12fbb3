/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "discover/exit_layout.h"

/* One argument of the tracepoint in a form that a kernel had. */
enum argument { END, REASON, VCPU, ISA, WORD };

/* typedef void (*btf_trace_kvm_exit)(void *, ...) */
static struct btf *make_btf(const enum argument *arguments)
{
	struct btf *btf = btf__new_empty();
	int word = btf__add_int(btf, "unsigned int", 4, 0);
	int u32 = btf__add_typedef(btf, "u32", word);
	int vcpu = btf__add_struct(btf, "kvm_vcpu", 8);
	int other = btf__add_struct(btf, "kvm", 8);
	int pointer = btf__add_ptr(btf, vcpu), other_pointer = btf__add_ptr(btf, other);
	int anything = btf__add_ptr(btf, 0);
	int proto = btf__add_func_proto(btf, 0);

	btf__add_func_param(btf, NULL, anything);
	for (; *arguments != END; arguments++) {
		const int types[] = {0, word, pointer, u32, other_pointer};
		btf__add_func_param(btf, NULL, types[*arguments]);
	}
	btf__add_typedef(btf, "btf_trace_kvm_exit", btf__add_ptr(btf, proto));
	return btf;
}

static void test_arguments(void **state)
{
	static const struct {
		enum argument arguments[4];
		int code, vcpu, isa, reason;
	} forms[] = {
		{{REASON, VCPU, ISA, END}, 0, 1, 2, 0}, /* up to 5.16 */
		{{VCPU, ISA, END}, 0, 0, 1, -1},	/* since */
		{{VCPU, END}, 0, 0, -1, -1},
		{{REASON, WORD, ISA, END}, -EOPNOTSUPP, -1, -1, -1},
		{{END}, -EOPNOTSUPP, -1, -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct btf *btf = make_btf(forms[i].arguments);
		struct exact_exit_layout layout;
		assert_int_equal(exit_layout_arguments(&layout, btf), forms[i].code);
		assert_int_equal(layout.vcpu_argument, forms[i].vcpu);
		assert_int_equal(layout.isa_argument, forms[i].isa);
		assert_int_equal(layout.reason_argument, forms[i].reason);
		btf__free(btf);
	}
}

static void test_no_tracepoint(void **state)
{
	struct btf *btf = btf__new_empty();
	struct exact_exit_layout layout;

	(void)state;
	assert_int_equal(exit_layout_arguments(&layout, btf), -ENOENT);
	int word = btf__add_int(btf, "int", 4, 0);
	btf__add_typedef(btf, "btf_trace_kvm_exit", word);
	assert_int_equal(exit_layout_arguments(&layout, btf), -EOPNOTSUPP);
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_no_tracepoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
