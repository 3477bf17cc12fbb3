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

#include <bpf/btf.h>
#include <unistd.h>

#include "discover/kvm_layout.h"

/* struct kvm_vcpu { int id; const stat_t stat; union { struct { u64 a; u64 b:3; }; }; u64 pid;
 * } */
static struct btf *make_btf(void)
{
	struct btf *btf = btf__new_empty();
	int integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int u64 = btf__add_int(btf, "u64", 8, 0);
	int generic = btf__add_struct(btf, "generic", 16);
	int stat, stat_t, constant, inner, both;

	btf__add_field(btf, "success", u64, 0, 0);
	btf__add_field(btf, "fail", u64, 64, 0);
	stat = btf__add_struct(btf, "kvm_vcpu_stat", 24);
	btf__add_field(btf, "generic", generic, 0, 0);
	btf__add_field(btf, "exits", u64, 128, 0);
	stat_t = btf__add_typedef(btf, "stat_t", stat);
	constant = btf__add_const(btf, stat_t);
	inner = btf__add_struct(btf, NULL, 16);
	btf__add_field(btf, "a", u64, 0, 0);
	btf__add_field(btf, "b", u64, 65, 3);
	both = btf__add_union(btf, NULL, 16);
	btf__add_field(btf, NULL, inner, 0, 0);
	btf__add_struct(btf, "kvm_vcpu", 56);
	btf__add_field(btf, "id", integer, 0, 0);
	btf__add_field(btf, "stat", constant, 64, 0);
	btf__add_field(btf, NULL, both, 256, 0);
	btf__add_field(btf, "pid", u64, 384, 0);
	return btf;
}

static void test_members(void **state)
{
	struct btf *btf = make_btf();

	(void)state;
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "id"), 0);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "stat.exits"), 24);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "stat.generic.fail"), 16);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "a"), 32);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "pid"), 48);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "b"), -1); /* a bit field */
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "exits"), -1);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "stat.none"), -1);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "id.none"), -1);
	assert_int_equal(kvm_layout_member(btf, "kvm_vcpu", "sta"), -1);
	assert_int_equal(kvm_layout_member(btf, "kvm", "mm"), -1);
	btf__free(btf);
}

/* Reads a file with this text as kallsyms. */
static int read_ioctls(const char *text, struct vm_files_ioctls *ioctls, struct error *error)
{
	char path[] = "/tmp/kvmperf-kallsyms-XXXXXX";
	int fd = mkstemp(path), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	result = kvm_layout_ioctls(ioctls, path, error);
	unlink(path);
	return result;
}

static void test_ioctls(void **state)
{
	struct vm_files_ioctls ioctls;
	struct error error = {0};

	(void)state;
	assert_int_equal(read_ioctls("0000000000000000 A fixed_percpu_data\n"
				     "ffffffff8127ca20 t kvm_vcpu_ioctl\t[kvm]\n"
				     "ffffffff81000000 t kvm_vm_ioctl_get\t[kvm]\n"
				     "ffffffff812825e0 t kvm_vm_ioctl\t[kvm]\n"
				     "ffffffff81db3d40 t tun_chr_ioctl",
				     &ioctls, &error),
			 0);
	assert_int_equal(ioctls.kvm_vcpu, 0xffffffff8127ca20);
	assert_int_equal(ioctls.kvm_vm, 0xffffffff812825e0);
	assert_int_equal(ioctls.tun, 0xffffffff81db3d40);
	assert_int_equal(ioctls.tap, 0);

	/* a host without KVM */
	assert_int_equal(read_ioctls("ffffffff81000000 T _text\n", &ioctls, &error), 0);
	assert_int_equal(ioctls.kvm_vm, 0);
}

static void test_ioctls_hidden(void **state)
{
	struct vm_files_ioctls ioctls;
	struct error error = {0};

	(void)state;
	assert_int_equal(read_ioctls("0000000000000000 t kvm_vm_ioctl\n"
				     "0000000000000000 t kvm_vcpu_ioctl\n",
				     &ioctls, &error),
			 -EPERM);
	assert_non_null(strstr(error.message, "CAP_SYSLOG"));
	assert_int_equal(
		read_ioctls("garbage\n\nffffffff81000000\nffffffff81000000 t", &ioctls, &error),
		-EPERM);
	assert_int_equal(kvm_layout_ioctls(&ioctls, "/nonexistent/kallsyms", &error), -ENOENT);
	assert_non_null(strstr(error.message, "/nonexistent/kallsyms"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_ioctls),
		cmocka_unit_test(test_ioctls_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
