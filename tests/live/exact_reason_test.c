/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM exit's reason is read out of the kernel's structures by offsets. Without the tracepoint
 * kvm_exit the program runs at the end of system calls here, whose saved registers stand for a
 * vCPU: writev() of one byte returns KVM_ISA_VMX, and the number of the call is the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/exact.h"
#include "exact_at_system_calls.h"

#define CALLS 1000

/* Exits of that reason, in all threads' tables. */
static uint64_t exits_of(struct exact_bpf *programs, uint32_t code)
{
	uint64_t sum = 0;
	uint32_t last = (programs->bss->tables_taken + 1) * EXACT_EXIT_KINDS;

	for (uint32_t place = 0; place < last; place++) {
		struct exact_exit exit;
		uint32_t kind = place % EXACT_EXIT_KINDS;
		if (kind && programs->bss->exit_codes[kind] == code &&
		    bpf_map_lookup_elem(bpf_map__fd(programs->maps.exits), &place, &exit) == 0)
			sum += exit.count[0] + exit.count[1];
	}
	return sum;
}

static int write_bytes(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const struct iovec one = {"", 1};

	for (int i = 0; i < CALLS; i++)
		if (writev(fd, &one, 1) != 1)
			return -errno;
	return close(fd);
}

/* Has the kernel bpf_rdonly_cast()? */
static bool has_cast(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found = btf && btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return found;
}

static int check(const char *name, enum exact_reading reading)
{
	struct exact_bpf *programs;
	int link = -1, code = exact_programs_load(&programs, &system_call_layout, reading);

	/* On a kernel that has the function nothing else may be in the way. */
	if (reading == EXACT_READING_LOADS && code && !has_cast()) {
		printf("INFO %s: not on this kernel\n", name);
		return 0;
	}
	if (!code)
		link = bpf_raw_tracepoint_open("sys_exit",
					       bpf_program__fd(programs->progs.exact_kvm_exit));
	if (code || link < 0 || follow_cpus(programs, true) || write_bytes() ||
	    follow_cpus(programs, false)) {
		printf("FAIL: %s: cannot run the programs: %s\n", name, strerror(errno));
		return 1;
	}
	close(link);
	uint64_t count = exits_of(programs, SYS_writev);
	exact_bpf__destroy(programs);
	if (count < CALLS) {
		printf("FAIL: %s: %" PRIu64 " exits have the reason %d, not %d\n", name, count,
		       SYS_writev, CALLS);
		return 1;
	}
	printf("INFO %s: %" PRIu64 " exits have their reason\n", name, count);
	return 0;
}

int main(void)
{
	libbpf_set_print(NULL);
	return check("plain loads", EXACT_READING_LOADS) | check("calls", EXACT_READING_CALLS);
}
