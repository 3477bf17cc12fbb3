/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/record_options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/clock.h"
#include "command/option_values.h"

#define DEFAULT_FREQUENCY_HZ 250
#define FREQUENCY_MAX_HZ     20000
#define INTERVAL_MIN_S	     0.01
#define INTERVAL_MAX_S	     86400.0
#define DURATION_MAX_S	     1e9
#define MAX_SIZE_MIN	     (1024 * 1024)
#define DEFAULT_MAX_FILES    5
#define MAX_FILES_LIMIT	     10000

const char record_options_help[] =
	"usage: kvmperf record [OPTIONS] [-- COMMAND [ARGUMENT...]]\n\n"
	"Records samples of all CPUs, guest and host, until Ctrl-C or while COMMAND runs, in\n"
	"a file that kvmperf report, perf report, perf script and perf kvm report read.\n\n"
	"  -o, --output FILE      the file (default perf.data; an older one becomes "
	"FILE.old);\n"
	"                         -: to standard output, in perf's pipe format\n"
	"  -F, --frequency HZ     samples a second and CPU (default 250)\n"
	"  -d, --duration SEC     stop after that time\n"
	"  -g, --call-graph       callchains in the samples\n"
	"      --vm NAME|ID|PID   the VM that it is about (repeatable): it must run, and\n"
	"                         kvmperf report shows it alone; all CPUs are recorded\n"
	"      --max-size SIZE    begin a new file at that size (100M, 2G): FILE becomes\n"
	"                         FILE.1, FILE.1 becomes FILE.2, ...\n"
	"      --max-files N      keep N files (default 5); the oldest is overwritten\n"
	"  -i, --interval SEC     of the exact times and counters that are stored beside the\n"
	"                         samples (default 1)\n"
	"      --collector bpf|perf\n"
	"                         exact times by BPF, or from /proc (default bpf, else perf)\n"
	"      --correction auto|none\n"
	"                         store what kvmperf report corrects guest times by "
	"(default\n"
	"                         auto: where it can be calibrated)\n"
	"  -h, --help\n\n"
	"See kvmperf(8).\n";

/* Options without a short form. */
enum long_option {
	OPTION_VM = 256,
	OPTION_MAX_SIZE,
	OPTION_MAX_FILES,
	OPTION_COLLECTOR,
	OPTION_CORRECTION,
};

static int parse_option(struct record_options *options, int option, const char *text,
			struct error *error)
{
	static const char *const collectors[] = {"bpf", "perf", NULL};
	static const char *const corrections[] = {"auto", "none", NULL};
	double value = 0;
	int choice = 0, code = 0;

	switch (option) {
	case 'o': options->recorder.path = text; break;
	case 'F':
		code = option_whole("--frequency", text, FREQUENCY_MAX_HZ, &value, error);
		options->frequency_hz = (unsigned)value;
		break;
	case 'd':
		code = option_seconds("--duration", text, INTERVAL_MIN_S, DURATION_MAX_S,
				      &options->duration_ns, error);
		break;
	case 'g': options->recorder.callchains = true; break;
	case 'i':
		code = option_seconds("--interval", text, INTERVAL_MIN_S, INTERVAL_MAX_S,
				      &options->interval_ns, error);
		break;
	case 'h': options->help = true; break;
	case OPTION_VM:
		code = option_add_vm(text, &options->vms, &options->vm_count, error);
		break;
	case OPTION_MAX_SIZE:
		code = option_size("--max-size", text, MAX_SIZE_MIN,
				   &options->recorder.max_size, error);
		break;
	case OPTION_MAX_FILES:
		code = option_whole("--max-files", text, MAX_FILES_LIMIT, &value, error);
		options->recorder.max_files = (unsigned)value;
		break;
	case OPTION_COLLECTOR:
		code = option_choice("--collector", text, collectors, &choice, error);
		options->recorder.times = choice ? RECORDER_TIMES_PROC : RECORDER_TIMES_BPF;
		break;
	case OPTION_CORRECTION:
		code = option_choice("--correction", text, corrections, &choice, error);
		options->correction =
			choice ? SESSION_CORRECTION_NONE : SESSION_CORRECTION_AUTO;
		break;
	default: break;
	}
	return code;
}

int record_options_parse(struct record_options *options, int argc, char **argv,
			 struct error *error)
{
	static const struct option names[] = {
		{"output", required_argument, NULL, 'o'},
		{"frequency", required_argument, NULL, 'F'},
		{"duration", required_argument, NULL, 'd'},
		{"call-graph", no_argument, NULL, 'g'},
		{"interval", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{"vm", required_argument, NULL, OPTION_VM},
		{"max-size", required_argument, NULL, OPTION_MAX_SIZE},
		{"max-files", required_argument, NULL, OPTION_MAX_FILES},
		{"collector", required_argument, NULL, OPTION_COLLECTOR},
		{"correction", required_argument, NULL, OPTION_CORRECTION},
		{NULL, 0, NULL, 0},
	};
	int option, code;

	*options = (struct record_options){
		.recorder.path = "perf.data",
		.recorder.max_files = DEFAULT_MAX_FILES,
		.frequency_hz = DEFAULT_FREQUENCY_HZ,
		.interval_ns = NS_PER_S,
	};
	optind = 0;
	opterr = 0;
	while (!(code = option_next(argc, argv, "+:o:F:d:gi:h", names, &option, error)) &&
	       option != -1) {
		code = parse_option(options, option, optarg, error);
		if (code)
			return code;
	}
	if (!code)
		code = option_command(argc, argv, "record", &options->command, error);
	if (!code && options->recorder.max_size && strcmp(options->recorder.path, "-") == 0)
		code = error_set(error, -EINVAL,
				 "--max-size needs a file: standard output has no second one");
	return code;
}
