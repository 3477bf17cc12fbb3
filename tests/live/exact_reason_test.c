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
#include <bpf/libbpf.h>

#include "bpf/exact.h"
#include "collect/exact_programs.h"
#include "exact.skel.h"

#define CALLS 1000

static int follow(struct exact_bpf *programs, bool running)
{
	int error = 0;

	programs->bss->next_running = running;
	programs->bss->next_window++;
	for (int cpu = 0; !error && cpu < (int)sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_RUN_ON_CPU,
			    .cpu = (__u32)cpu);
		error = bpf_prog_test_run_opts(bpf_program__fd(programs->progs.exact_cut_cpu),
					       &options);
	}
	return error;
}

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

static int check(const char *name, enum exact_reading reading)
{
	const struct exact_exit_layout layout = {
		.vcpu_argument = 0,
		.isa_argument = 1,
		.reason_argument = -1,
		.svm_vmcb = -1,
		.vmcb_exit_code = -1,
		.vmx_exit_reason = offsetof(struct user_regs_struct, orig_rax),
	};
	struct exact_bpf *programs;
	int link = -1, code = exact_programs_load(&programs, &layout, reading);

	if (code == -EOPNOTSUPP) {
		printf("INFO %s: not on this kernel\n", name);
		return 0;
	}
	if (!code)
		link = bpf_raw_tracepoint_open("sys_exit",
					       bpf_program__fd(programs->progs.exact_kvm_exit));
	if (code || link < 0 || follow(programs, true) || write_bytes() ||
	    follow(programs, false)) {
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
