/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discover/claims.h"

static struct vm_file file(uint64_t kvm, unsigned tgid, enum vm_file_kind kind, unsigned flags)
{
	return (struct vm_file){
		.kvm = kvm, .tgid = tgid, .kind = kind, .flags = flags, .start_ns = 10 * tgid};
}

static void test_owner(void **state)
{
	struct vm_file records[] = {
		file(0xb, 20, VM_FILE_VCPU, 0),		  /* a child holds the files, too */
		file(0xa, 30, VM_FILE_VM, VM_FILE_OWNER), /* two VMs of one process */
		file(0, 40, VM_FILE_TAP, 0),
		file(0xb, 25, VM_FILE_VM, VM_FILE_OWNER),
		file(0xc, 30, VM_FILE_VM, VM_FILE_OWNER),
		file(0xb, 25, VM_FILE_VCPU, VM_FILE_OWNER),
		file(0xd, 60, VM_FILE_VM, 0), /* the owner has ended */
		file(0xd, 50, VM_FILE_VM, 0),
	};
	struct vm_file_list files = {records, sizeof(records) / sizeof(*records), 0};
	struct claim_list list = {0};
	const struct claim *claim;

	(void)state;
	assert_int_equal(claims_make(&list, &files), 0);
	assert_int_equal(list.count, 4);
	assert_int_equal(records[0].kind, VM_FILE_TAP);

	claim = claims_find(&list, 25);
	assert_non_null(claim);
	assert_int_equal(claim->count, 3);
	assert_int_equal(claim->start_ns, 250);
	for (size_t i = 0; i < claim->count; i++)
		assert_int_equal(records[claim->first + i].kvm, 0xb);

	claim = claims_find(&list, 30);
	assert_ptr_equal(claim, list.claims + 1);
	assert_int_equal(claim[1].owner, 30);

	assert_non_null(claims_find(&list, 50));
	assert_null(claims_find(&list, 60));
	assert_null(claims_find(&list, 20));
	assert_null(claims_find(&list, 1000));

	files.count = 0;
	assert_int_equal(claims_make(&list, &files), 0);
	assert_null(claims_find(&list, 25));
	free(list.claims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_owner)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
