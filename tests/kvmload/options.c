/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "style.h"
#include "vmm/vmm.h"

#define MAX_VMS	    10000
#define MAX_SECONDS 1e6
#define MAX_MS	    1e6
#define MAX_RATE    1e7
#define MIN_FRAME   60
#define MAX_FRAME   65000

const char options_help[] =
	"Usage: kvmload [OPTION]...\n"
	"Runs KVM guests whose use of the CPU is known; prints the truth as JSON.\n"
	"\n"
	"What each vCPU does, over and over (ms of its own CPU time, fractions too):\n"
	"  --guest MS              run in guest mode (10 if no burst is given)\n"
	"  --user MS               run in the VMM, host user mode\n"
	"  --kernel MS             run in system calls, host kernel mode\n"
	"  --sleep MS              sleep (wall-clock time)\n"
	"  --exit io|kernel|cpuid  what interrupts guest bursts: port output that the\n"
	"                          VMM handles (default) or an ioeventfd, or cpuid\n"
	"  --exits-per-second N    such exits per second of guest time (0)\n"
	"  --kernel-exits N        exits handled in the kernel per guest burst (0)\n"
	"\n"
	"How many, and how they look:\n"
	"  --vms N                 virtual machines at once, each a process (1)\n"
	"  --vcpus N               vCPUs of each (1)\n"
	"  --duration SEC          how long they run (10)\n"
	"  --start-stop N          start and stop N VMs in all, --vms at a time, each\n"
	"                          of which lives for --duration\n"
	"  --name NAME             VMs are NAME1, NAME2, ... (kvmload)\n"
	"  --style STYLE           names as of qemu, qemu-nodebug, firecracker,\n"
	"                          kvmtool, cloud-hypervisor or plain (qemu)\n"
	"  --pin CPULIST           all threads on these CPUs, each vCPU on one, in turn\n"
	"  --privilege 3|0         the guest's privilege level (3)\n"
	"  --gap-us US             a longer step of the guest's clock isn't guest time\n"
	"                          (20)\n"
	"  --stall-us US           such a step longer than this is told apart, as a stall: no\n"
	"                          interrupt takes so long, but under an emulator the\n"
	"                          machine itself may stand still (500)\n"
	"\n"
	"I/O threads, network and disk:\n"
	"  --iothreads N           I/O threads of each VM (0)\n"
	"  --iothread-user MS, --iothread-kernel MS, --iothread-sleep MS\n"
	"                          what each does, over and over (0, 0, 10)\n"
	"  --tap NAME[,NAME]...    attach taps, made if missing: a single VM takes all;\n"
	"                          of several, each takes one, or NAME1, NAME2, ...\n"
	"                          when there is one name\n"
	"  --tap-packets-per-second N, --tap-bytes B\n"
	"                          frames each guest sends, and their size (0, 60)\n"
	"  --disk FILE             a file that stands for each guest's disk, read past the\n"
	"                          page cache\n"
	"  --disk-reads-per-second N\n"
	"                          pages that each reads there, at random places (1000)\n"
	"\n"
	"Output:\n"
	"  --truth-interval SEC    also print the counters so far, a line of JSON each\n"
	"  --truth-file FILE       where to (standard error)\n"
	"  --ready-fd N            write a byte to descriptor N when all guests run\n"
	"  --quiet                 no message on standard error\n"
	"  --help                  this text\n"
	"\n"
	"Ends early, with the truth, on SIGINT and SIGTERM. Exit status: 0 success,\n"
	"1 failure, 2 wrong usage, 3 no KVM or no right to use it.\n";

enum option_id {
	OPT_GUEST = 1,
	OPT_USER,
	OPT_KERNEL,
	OPT_SLEEP,
	OPT_EXIT,
	OPT_EXITS_PER_SECOND,
	OPT_KERNEL_EXITS,
	OPT_VMS,
	OPT_VCPUS,
	OPT_DURATION,
	OPT_START_STOP,
	OPT_NAME,
	OPT_STYLE,
	OPT_PIN,
	OPT_PRIVILEGE,
	OPT_GAP_US,
	OPT_STALL_US,
	OPT_IOTHREADS,
	OPT_IOTHREAD_USER,
	OPT_IOTHREAD_KERNEL,
	OPT_IOTHREAD_SLEEP,
	OPT_TAP,
	OPT_TAP_PACKETS,
	OPT_TAP_BYTES,
	OPT_DISK,
	OPT_DISK_READS,
	OPT_TRUTH_INTERVAL,
	OPT_TRUTH_FILE,
	OPT_READY_FD,
	OPT_QUIET,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"guest", required_argument, NULL, OPT_GUEST},
	{"user", required_argument, NULL, OPT_USER},
	{"kernel", required_argument, NULL, OPT_KERNEL},
	{"sleep", required_argument, NULL, OPT_SLEEP},
	{"exit", required_argument, NULL, OPT_EXIT},
	{"exits-per-second", required_argument, NULL, OPT_EXITS_PER_SECOND},
	{"kernel-exits", required_argument, NULL, OPT_KERNEL_EXITS},
	{"vms", required_argument, NULL, OPT_VMS},
	{"vcpus", required_argument, NULL, OPT_VCPUS},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"start-stop", required_argument, NULL, OPT_START_STOP},
	{"name", required_argument, NULL, OPT_NAME},
	{"style", required_argument, NULL, OPT_STYLE},
	{"pin", required_argument, NULL, OPT_PIN},
	{"privilege", required_argument, NULL, OPT_PRIVILEGE},
	{"gap-us", required_argument, NULL, OPT_GAP_US},
	{"stall-us", required_argument, NULL, OPT_STALL_US},
	{"iothreads", required_argument, NULL, OPT_IOTHREADS},
	{"iothread-user", required_argument, NULL, OPT_IOTHREAD_USER},
	{"iothread-kernel", required_argument, NULL, OPT_IOTHREAD_KERNEL},
	{"iothread-sleep", required_argument, NULL, OPT_IOTHREAD_SLEEP},
	{"tap", required_argument, NULL, OPT_TAP},
	{"tap-packets-per-second", required_argument, NULL, OPT_TAP_PACKETS},
	{"tap-bytes", required_argument, NULL, OPT_TAP_BYTES},
	{"disk", required_argument, NULL, OPT_DISK},
	{"disk-reads-per-second", required_argument, NULL, OPT_DISK_READS},
	{"truth-interval", required_argument, NULL, OPT_TRUTH_INTERVAL},
	{"truth-file", required_argument, NULL, OPT_TRUTH_FILE},
	{"ready-fd", required_argument, NULL, OPT_READY_FD},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

/* What was said, before it is put together. */
struct said {
	bool burst; /* one of --guest, --user, --kernel, --sleep */
	double exits_per_second;
	double kernel_exits;
	const char *taps;
};

static const char *option_name(int id)
{
	for (const struct option *option = long_options; option->name; option++)
		if (option->val == id)
			return option->name;
	return "?";
}

static int bad_value(int id, struct error *error)
{
	return error_set(error, -EINVAL, "bad value for --%s: '%s'", option_name(id), optarg);
}

static int parse_real(int id, double low, double high, double *value, struct error *error)
{
	char *end;

	errno = 0;
	*value = strtod(optarg, &end);
	if (errno || end == optarg || *end || !isfinite(*value) || *value < low ||
	    *value > high)
		return bad_value(id, error);
	return 0;
}

static int parse_ns(int id, double unit_ns, double high, uint64_t *ns, struct error *error)
{
	double value;
	int status = parse_real(id, 0, high, &value, error);

	if (status == 0)
		*ns = (uint64_t)(value * unit_ns);
	return status;
}

static int parse_count(int id, long low, long high, unsigned *value, struct error *error)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(optarg, &end, 10);
	if (errno || end == optarg || *end || number < low || number > high)
		return bad_value(id, error);
	*value = (unsigned)number;
	return 0;
}

static int parse_exit_kind(enum exit_kind *kind, struct error *error)
{
	if (strcmp(optarg, "io") == 0)
		*kind = EXIT_KIND_IO;
	else if (strcmp(optarg, "kernel") == 0)
		*kind = EXIT_KIND_KICK;
	else if (strcmp(optarg, "cpuid") == 0)
		*kind = EXIT_KIND_CPUID;
	else
		return bad_value(OPT_EXIT, error);
	return 0;
}

static int parse_pin(struct plan *plan, struct error *error)
{
	int *cpus;
	size_t count;
	int status = cpus_parse(optarg, &cpus, &count);

	if (status < 0 || count > PLAN_MAX_CPUS) {
		if (status == 0)
			free(cpus);
		return bad_value(OPT_PIN, error);
	}
	for (size_t i = 0; i < count; i++)
		plan->cpus[i] = (unsigned)cpus[i];
	plan->cpu_count = (unsigned)count;
	free(cpus);
	return 0;
}

static int parse_name(struct plan *plan, struct error *error)
{
	/* Room for the number that is appended. */
	if (!*optarg || strlen(optarg) > PLAN_NAME_SIZE - 8)
		return bad_value(OPT_NAME, error);
	strcpy(plan->name, optarg);
	return 0;
}

static int parse_ready_fd(struct options *options, struct error *error)
{
	unsigned fd;
	int status = parse_count(OPT_READY_FD, 0, INT_MAX, &fd, error);

	if (status == 0 && fcntl((int)fd, F_GETFD) < 0)
		status = error_set(error, -EINVAL, "--ready-fd: descriptor %u is not open", fd);
	if (status == 0)
		options->ready_fd = (int)fd;
	return status;
}

static int parse_option(struct options *options, struct said *said, int id, struct error *error)
{
	struct plan *plan = &options->plan;
	const double ms = NS_PER_MS;
	const double second = NS_PER_S;
	unsigned level;
	int status;

	switch (id) {
	case OPT_GUEST:
		said->burst = true;
		return parse_ns(id, ms, MAX_MS, &plan->vcpu.guest_ns, error);
	case OPT_USER:
		said->burst = true;
		return parse_ns(id, ms, MAX_MS, &plan->vcpu.user_ns, error);
	case OPT_KERNEL:
		said->burst = true;
		return parse_ns(id, ms, MAX_MS, &plan->vcpu.kernel_ns, error);
	case OPT_SLEEP:
		said->burst = true;
		return parse_ns(id, ms, MAX_MS, &plan->vcpu.sleep_ns, error);
	case OPT_EXIT: return parse_exit_kind(&plan->exit_kind, error);
	case OPT_EXITS_PER_SECOND:
		return parse_real(id, 0, MAX_RATE, &said->exits_per_second, error);
	case OPT_KERNEL_EXITS: return parse_real(id, 0, MAX_RATE, &said->kernel_exits, error);
	case OPT_VMS: return parse_count(id, 1, MAX_VMS, &options->vms, error);
	case OPT_VCPUS: return parse_count(id, 1, VMM_MAX_VCPUS, &plan->vcpus, error);
	case OPT_DURATION:
		return parse_ns(id, second, MAX_SECONDS, &options->duration_ns, error);
	case OPT_START_STOP:
		options->start_stop = true;
		return parse_count(id, 1, MAX_VMS, &options->total, error);
	case OPT_NAME: return parse_name(plan, error);
	case OPT_STYLE: return style_parse(optarg, &plan->style) < 0 ? bad_value(id, error) : 0;
	case OPT_PIN: return parse_pin(plan, error);
	case OPT_PRIVILEGE:
		status = parse_count(id, 0, 3, &level, error);
		if (status == 0 && level != 0 && level != 3)
			status = bad_value(id, error);
		plan->supervisor = level == 0;
		return status;
	case OPT_STALL_US: return parse_ns(id, 1e3, 1e6, &plan->stall_ns, error);
	case OPT_GAP_US: return parse_ns(id, 1e3, 1e6, &plan->gap_ns, error);
	case OPT_IOTHREADS:
		return parse_count(id, 0, PLAN_MAX_IOTHREADS, &plan->iothreads, error);
	case OPT_IOTHREAD_USER: return parse_ns(id, ms, MAX_MS, &plan->iothread.user_ns, error);
	case OPT_IOTHREAD_KERNEL:
		return parse_ns(id, ms, MAX_MS, &plan->iothread.kernel_ns, error);
	case OPT_IOTHREAD_SLEEP:
		return parse_ns(id, ms, MAX_MS, &plan->iothread.sleep_ns, error);
	case OPT_TAP: said->taps = optarg; return 0;
	case OPT_TAP_PACKETS:
		return parse_real(id, 0, MAX_RATE, &plan->tap_packets_per_second, error);
	case OPT_TAP_BYTES:
		return parse_count(id, MIN_FRAME, MAX_FRAME, &plan->tap_bytes, error);
	case OPT_DISK:
		if (!realpath(optarg, plan->disk))
			return error_set(error, -errno, "--disk %s: %m", optarg);
		return 0;
	case OPT_DISK_READS:
		return parse_real(id, 0, MAX_RATE, &plan->disk_reads_per_second, error);
	case OPT_TRUTH_INTERVAL:
		return parse_ns(id, second, MAX_SECONDS, &options->truth_interval_ns, error);
	case OPT_TRUTH_FILE: options->truth_file = optarg; return 0;
	case OPT_READY_FD: return parse_ready_fd(options, error);
	case OPT_QUIET: options->quiet = true; return 0;
	case OPT_HELP: options->help = true; return 0;
	default: return -EINVAL;
	}
}

static int take_taps(struct plan *plan, const char *list, struct error *error)
{
	while (*list) {
		size_t length = strcspn(list, ",");

		if (length == 0 || length >= IFNAMSIZ || plan->tap_count == PLAN_MAX_TAPS)
			return error_set(error, -EINVAL,
					 "--tap takes 1 to %d names of 1 to %d characters",
					 PLAN_MAX_TAPS, IFNAMSIZ - 1);
		memcpy(plan->taps[plan->tap_count++], list, length);
		list += length;
		if (*list == ',')
			list++;
	}
	return 0;
}

static int check(struct options *options, const struct said *said, struct error *error)
{
	struct plan *plan = &options->plan;

	if (!said->burst)
		plan->vcpu.guest_ns = 10 * NS_PER_MS;
	if (plan->vcpu.guest_ns + plan->vcpu.user_ns + plan->vcpu.kernel_ns +
		    plan->vcpu.sleep_ns ==
	    0)
		return error_set(error, -EINVAL, "nothing to do: all bursts are 0 ms");
	if (options->duration_ns == 0)
		return error_set(error, -EINVAL, "--duration must be more than 0");
	if (options->truth_file && options->truth_interval_ns == 0)
		return error_set(error, -EINVAL, "--truth-file needs --truth-interval");
	if (plan->gap_ns == 0)
		return error_set(error, -EINVAL, "--gap-us must be more than 0");
	if (said->kernel_exits > 0 && said->exits_per_second > 0)
		return error_set(error, -EINVAL,
				 "--kernel-exits and --exits-per-second exclude each other");
	if (said->kernel_exits > 0 && plan->exit_kind == EXIT_KIND_IO)
		plan->exit_kind = EXIT_KIND_KICK;
	plan->exits_per_burst = said->kernel_exits + said->exits_per_second *
							     (double)plan->vcpu.guest_ns /
							     (double)NS_PER_S;
	if (!options->start_stop)
		options->total = options->vms;
	if (options->start_stop)
		plan->run_ns = options->duration_ns;
	if (said->taps && options->total > 1 && plan->tap_count > 1 &&
	    plan->tap_count != options->total)
		return error_set(error, -EINVAL, "%u VMs need as many taps, or one name",
				 options->total);
	if (plan->tap_packets_per_second > 0 && plan->tap_count == 0)
		return error_set(error, -EINVAL, "--tap-packets-per-second needs --tap");
	if ((plan->tap_count > 0 || plan->disk[0]) && plan->iothreads == 0)
		plan->iothreads = 1;
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
	struct said said = {0};
	int id, status = 0;

	*options = (struct options){
		.plan = {.name = "kvmload",
			 .style = STYLE_QEMU,
			 .vcpus = 1,
			 .gap_ns = 20000,
			 .stall_ns = 500000,
			 .iothread = {.sleep_ns = 10 * NS_PER_MS},
			 .tap_bytes = MIN_FRAME,
			 .disk_reads_per_second = 1000},
		.vms = 1,
		.duration_ns = 10 * NS_PER_S,
		.ready_fd = -1,
	};
	opterr = 0;
	while (status == 0 && (id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (id == '?')
			status = error_set(error, -EINVAL, "unknown option '%s'; see --help",
					   argv[optind - 1]);
		else if (id == ':')
			status =
				error_set(error, -EINVAL, "%s needs a value", argv[optind - 1]);
		else
			status = parse_option(options, &said, id, error);
	}
	if (status == 0 && optind < argc)
		status = error_set(error, -EINVAL, "unexpected argument '%s'; see --help",
				   argv[optind]);
	if (status == 0 && said.taps)
		status = take_taps(&options->plan, said.taps, error);
	return status < 0 || options->help ? status : check(options, &said, error);
}
