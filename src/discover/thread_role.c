/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the names of threads tell about their work. */
#include "discover/vm.h"

#include <stdlib.h>
#include <string.h>

const char *thread_role_name(enum thread_role role)
{
	static const char *const names[THREAD_ROLE_COUNT] = {
		[THREAD_VCPU] = "vcpu", [THREAD_IOTHREAD] = "iothread",
		[THREAD_VMM] = "vmm",	[THREAD_VHOST] = "vhost",
		[THREAD_KVM] = "kvm",	[THREAD_OTHER] = "other",
	};

	return names[role];
}

/* The names of vCPU threads: prefix, number, suffix. */
static const struct {
	const char *prefix;
	const char *suffix;
} vcpu_names[] = {
	{"CPU ", "/KVM"},    /* QEMU with debug-threads (accel/kvm/kvm-accel-ops.c) */
	{"fc_vcpu ", ""},    /* Firecracker */
	{"vcpu", ""},	     /* cloud-hypervisor */
	{"crosvm_vcpu", ""}, /* crosvm */
	{"kvm-vcpu-", ""},   /* kvmtool */
};

/* Beginnings of other names; the first that fits decides. */
static const struct {
	const char *prefix;
	enum thread_role role;
} prefixes[] = {
	{"vhost-", THREAD_VHOST},
	{"kvm-pit/", THREAD_KVM},
	{"kvm-nx-lpage-re", THREAD_KVM}, /* cut to 15 characters before 5.17 */
	{"IO ", THREAD_IOTHREAD},	 /* QEMU: "IO " and the id of the iothread object */
	{"worker", THREAD_IOTHREAD},	 /* QEMU: util/thread-pool.c */
	{"vnc_worker", THREAD_IOTHREAD},
	{"iou-wrk-", THREAD_IOTHREAD}, /* io_uring's workers (io_uring/io-wq.c) */
	{"iou-sqp-", THREAD_IOTHREAD},
	{"virtio", THREAD_IOTHREAD}, /* kvmtool: virtio-net-tx, virtio-blk-io; crosvm */
	{"threadpool-work", THREAD_IOTHREAD}, /* kvmtool */
	{"ioeventfd-worke", THREAD_IOTHREAD}, /* kvmtool */
	{"v_", THREAD_IOTHREAD},	      /* crosvm: v_block, v_net, v_balloon */
	{"_disk", THREAD_IOTHREAD},	      /* cloud-hypervisor: _disk0_q0 */
	{"_net", THREAD_IOTHREAD},	      /* cloud-hypervisor: _net1_qp0 */
	{"_fs", THREAD_IOTHREAD},
	{"_vsock", THREAD_IOTHREAD},
	{"_pmem", THREAD_IOTHREAD},
	{"_rng", THREAD_IOTHREAD},
	{"_balloon", THREAD_IOTHREAD},
	{"_console", THREAD_IOTHREAD},
};

/* The vCPU number in name, or -1. */
static int vcpu_number(const char *name)
{
	for (size_t i = 0; i < sizeof(vcpu_names) / sizeof(*vcpu_names); i++) {
		size_t length = strlen(vcpu_names[i].prefix);
		const char *digits = name + length;
		char *end;
		unsigned long number;

		if (strncmp(name, vcpu_names[i].prefix, length) || *digits < '0' ||
		    *digits > '9')
			continue;
		number = strtoul(digits, &end, 10);
		if (number < 1000000 && !strcmp(end, vcpu_names[i].suffix))
			return (int)number;
	}
	return -1;
}

enum thread_role thread_role_from_name(const char *name, bool is_main, int *index)
{
	*index = vcpu_number(name);
	if (*index >= 0)
		return THREAD_VCPU;
	if (is_main)
		return THREAD_VMM;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i].prefix, strlen(prefixes[i].prefix)))
			return prefixes[i].role;
	return THREAD_OTHER;
}

pid_t thread_master_from_name(const char *name)
{
	int index;
	enum thread_role role = thread_role_from_name(name, false, &index);
	const char *number = strrchr(name, role == THREAD_VHOST ? '-' : '/');

	if (role != THREAD_VHOST && role != THREAD_KVM)
		return 0;
	return number ? (pid_t)atoi(number + 1) : 0;
}
