/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event of exact mode costs, by BPF's own run-time statistics, against two programs
 * that run right before at the same event: one that does nothing and one that reads the clock
 * once, which any exact account must. The programs of kvm_exit and kvm_entry run here one after
 * the other at the end of a system call that a loop makes, so that no guest is needed: write()
 * of one byte returns 1, which they take for KVM_ISA_VMX. sched_switch runs where it belongs,
 * under a ping-pong of two processes over a pipe. Usage: exact_cost [SECONDS]
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "bpf/exact.h"
#include "../tests/live/exact_at_system_calls.h"

struct cost {
	uint64_t runs;
	uint64_t ns;
};

static struct cost read_cost(int fd)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return (struct cost){0};
	return (struct cost){info.run_cnt, info.run_time_ns};
}

/* A program that does nothing but call a helper, or nothing at all (0). */
static int peer_program(const char *name, int helper)
{
	const struct bpf_insn code[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = helper},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	size_t first = helper ? 0 : 1;

	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, name, "GPL", code + first, 3 - first,
			     NULL);
}

static struct exact_bpf *load_programs(void)
{
	struct exact_bpf *programs = NULL;

	errno = -exact_programs_load(&programs, &system_call_layout, EXACT_READING_BEST);
	return programs;
}

static void call_system(uint64_t end_ns)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	while (clock_monotonic_ns() < end_ns)
		for (int i = 0; i < 1000; i++)
			if (write(fd, "", 1) != 1)
				return;
}

/* Two processes on one CPU wake each other. */
static void ping_pong(uint64_t end_ns)
{
	cpu_set_t one;
	int there[2], back[2];
	char byte = 0;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (pipe(there) || pipe(back) || sched_setaffinity(0, sizeof(one), &one))
		return;
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	while (clock_monotonic_ns() < end_ns)
		for (int i = 0; i < 100; i++)
			if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
				return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

struct event {
	const char *name;
	struct bpf_program *program;
	void (*load)(uint64_t end_ns);
	double ns; /* result */
};

/* The programs that run before the events' own. */
struct peers {
	int empty, clock;
};

/* The mean cost of a program's runs since before. */
static double mean_ns(int fd, struct cost before, uint64_t *runs)
{
	struct cost now = read_cost(fd);

	*runs = now.runs - before.runs;
	return (double)(now.ns - before.ns) / (double)*runs;
}

/* The programs' costs, and those of their peers before them at the same event. */
static int measure(const char *tracepoint, struct exact_bpf *programs, struct event *events,
		   size_t count, const struct peers *peers, uint64_t seconds)
{
	struct cost before[2];
	/* The first finds the caches cold, so there are two empty ones. */
	int links[5] = {bpf_raw_tracepoint_open(tracepoint, peers->empty),
			bpf_raw_tracepoint_open(tracepoint, peers->empty),
			bpf_raw_tracepoint_open(tracepoint, peers->clock)};
	uint64_t runs;

	for (size_t i = 0; i < count; i++) {
		int fd = bpf_program__fd(events[i].program);
		links[3 + i] = bpf_raw_tracepoint_open(
			bpf_program__type(events[i].program) == BPF_PROG_TYPE_RAW_TRACEPOINT
				? tracepoint
				: NULL,
			fd);
		if (links[3 + i] < 0)
			return -errno;
		before[i] = read_cost(fd);
	}
	struct cost empty = read_cost(peers->empty), clock = read_cost(peers->clock);
	if (follow_cpus(programs, true))
		return -errno;
	events[0].load(clock_monotonic_ns() + seconds * NS_PER_S);
	follow_cpus(programs, false);
	double empty_ns = mean_ns(peers->empty, empty, &runs);
	double clock_ns = mean_ns(peers->clock, clock, &runs);
	for (size_t i = 0; i < count; i++) {
		events[i].ns = mean_ns(bpf_program__fd(events[i].program), before[i], &runs);
		printf("| %s | %" PRIu64 " | %.1f | %.1f | %.1f | %.1f | %.2f |\n",
		       events[i].name, runs, events[i].ns, empty_ns, clock_ns,
		       events[i].ns - empty_ns, events[i].ns / clock_ns);
	}
	for (size_t i = 0; i < 3 + count; i++)
		close(links[i]);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seconds = argc > 1 ? (uint64_t)atoi(argv[1]) : 3;

	libbpf_set_print(NULL);
	struct exact_bpf *programs = load_programs();
	const struct peers peers = {peer_program("empty", 0),
				    peer_program("clock", BPF_FUNC_ktime_get_ns)};
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!programs || peers.empty < 0 || peers.clock < 0 || stats < 0) {
		fprintf(stderr, "exact_cost: cannot load the programs: %m (root?)\n");
		return 1;
	}
	struct event kvm[] = {
		{"kvm_exit", programs->progs.exact_kvm_exit, call_system, 0},
		{"kvm_entry", programs->progs.exact_kvm_entry, call_system, 0},
	};
	struct event interrupt[] = {
		{"interrupt entry", programs->progs.exact_irq_entry, call_system, 0},
		{"interrupt exit", programs->progs.exact_irq_exit, call_system, 0},
	};
	struct event switches[] = {
		{"sched_switch", programs->progs.exact_sched_switch, ping_pong, 0},
	};

	printf("| event | runs | ns | empty program, ns | clock alone, ns "
	       "| more than empty, ns | to clock alone |\n|---|---|---|---|---|---|---|\n");
	int error = measure("sys_exit", programs, kvm, 2, &peers, seconds);
	if (!error)
		error = measure("sys_exit", programs, interrupt, 2, &peers, seconds);
	if (!error)
		error = measure("sched_switch", programs, switches, 1, &peers, seconds);
	if (error) {
		fprintf(stderr, "exact_cost: %s\n", strerror(-error));
		return 1;
	}
	double percent = 50000 * (kvm[0].ns + kvm[1].ns) / 1e7;
	printf("\n50,000 exits/s (an exit and an entry each) cost %.2f %% of a CPU; a budget "
	       "of "
	       "0.5 %% looks at %.0f %% of the time.\n",
	       percent, percent > 0.5 ? 50 / percent : 100.0);
	close(stats);
	exact_bpf__destroy(programs);
	return 0;
}
