/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/stat_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <string.h>

#include "command/option_values.h"

#define DEFAULT_FREQUENCY_HZ 250
#define DEFAULT_BUDGET	     0.005 /* of each CPU */
#define BUDGET_MIN	     0.01  /* percent */
#define BUDGET_MAX	     100.0
#define FREQUENCY_MAX_HZ     20000
#define INTERVAL_MIN_S	     0.01
#define INTERVAL_MAX_S	     86400.0

const char stat_options_help[] =
	"usage: kvmperf stat [OPTIONS] [-- COMMAND [ARGUMENT...]]\n\n"
	"Accounts for every CPU second of this host, per VM, once an interval until Ctrl-C,\n"
	"for a number of intervals, or while COMMAND runs.\n\n"
	"  -i, --interval SEC     length of an interval (default 1; with COMMAND: all its "
	"time)\n"
	"  -n, --count N          stop after N intervals\n"
	"      --vm NAME|ID|PID   show only this VM (repeatable); the others count as "
	"processes\n"
	"      --by vm|thread|module|exit\n"
	"                         rows of table and CSV (default vm); exit implies --exact\n"
	"      --error            with the half width of the 95 % interval of each estimate\n"
	"  -F, --frequency HZ     samples a second and CPU (default 250)\n"
	"      --apportion affine|bytes|packets|causal|none\n"
	"                         how shared work is charged to VMs (default affine)\n"
	"      --collector bpf|perf\n"
	"                         where the samples come from (default bpf, else perf)\n"
	"      --exact            guest, interrupt and thread times by events, not samples, "
	"and\n"
	"                         VM exits by reason\n"
	"      --budget PERCENT|none\n"
	"                         of each CPU that kvmperf may cost (default 0.5): its "
	"samples\n"
	"                         are fewer than asked for, events looked at in a part of "
	"the\n"
	"                         time, when they cost more\n"
	"      --correction auto|none\n"
	"                         of what VM exits run with interrupts off, which samples\n"
	"                         take for guest time (default auto: calibrated)\n"
	"  -f, --format table|csv|json\n"
	"  -o, --output FILE      write there instead of standard output\n"
	"  -h, --help\n\n"
	"Table figures are percent of one CPU. See kvmperf(8).\n";

/* Options without a short form. */
enum long_option {
	OPTION_VM = 256,
	OPTION_BY,
	OPTION_APPORTION,
	OPTION_COLLECTOR,
	OPTION_CORRECTION,
	OPTION_ERROR,
	OPTION_EXACT,
	OPTION_BUDGET
};

static int parse_option(struct stat_options *options, int option, const char *text,
			struct error *error)
{
	static const char *const formats[] = {"table", "csv", "json", NULL};
	static const char *const groupings[] = {"vm", "thread", "module", "exit", NULL};
	static const char *const collectors[] = {"bpf", "perf", NULL};
	static const char *const corrections[] = {"auto", "none", NULL};
	static const char *const policies[] = {"affine", "bytes", "packets",
					       "causal", "none",  NULL};
	double value = 0;
	int choice = 0, code = 0;

	switch (option) {
	case 'i':
		code = option_seconds("--interval", text, INTERVAL_MIN_S, INTERVAL_MAX_S,
				      &options->interval_ns, error);
		break;
	case 'n':
		code = option_whole("--count", text, 1e15, &value, error);
		options->count = (uint64_t)value;
		break;
	case 'F':
		code = option_whole("--frequency", text, FREQUENCY_MAX_HZ, &value, error);
		options->session.frequency_hz = (unsigned)value;
		break;
	case 'f':
		code = option_choice("--format", text, formats, &choice, error);
		options->format = (enum stat_format)choice;
		break;
	case 'o': options->output = text; break;
	case 'h': options->help = true; break;
	case OPTION_VM:
		code = option_add_vm(text, &options->session.vms, &options->session.vm_count,
				     error);
		break;
	case OPTION_BY:
		code = option_choice("--by", text, groupings, &choice, error);
		options->by = (enum view_grouping)choice;
		options->session.exact |= options->by == VIEW_BY_EXIT;
		break;
	case OPTION_COLLECTOR:
		code = option_choice("--collector", text, collectors, &choice, error);
		options->session.collector =
			choice ? SESSION_COLLECTOR_PERF : SESSION_COLLECTOR_BPF;
		break;
	case OPTION_ERROR: options->errors = true; break;
	case OPTION_CORRECTION:
		code = option_choice("--correction", text, corrections, &choice, error);
		options->session.correction =
			choice ? SESSION_CORRECTION_NONE : SESSION_CORRECTION_AUTO;
		break;
	case OPTION_APPORTION:
		code = option_choice("--apportion", text, policies, &choice, error);
		options->session.apportion = (enum shared_policy)choice;
		break;
	case OPTION_EXACT: options->session.exact = true; break;
	case OPTION_BUDGET:
		if (strcmp(text, "none") == 0 || strcmp(text, "0") == 0)
			value = INFINITY;
		else
			code = option_real("--budget", text, BUDGET_MIN, BUDGET_MAX, &value,
					   error);
		options->session.budget = value / 100;
		break;
	default: break;
	}
	return code;
}

int stat_options_parse(struct stat_options *options, int argc, char **argv, struct error *error)
{
	static const struct option names[] = {
		{"interval", required_argument, NULL, 'i'},
		{"count", required_argument, NULL, 'n'},
		{"frequency", required_argument, NULL, 'F'},
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{"vm", required_argument, NULL, OPTION_VM},
		{"by", required_argument, NULL, OPTION_BY},
		{"apportion", required_argument, NULL, OPTION_APPORTION},
		{"collector", required_argument, NULL, OPTION_COLLECTOR},
		{"correction", required_argument, NULL, OPTION_CORRECTION},
		{"error", no_argument, NULL, OPTION_ERROR},
		{"exact", no_argument, NULL, OPTION_EXACT},
		{"budget", required_argument, NULL, OPTION_BUDGET},
		{NULL, 0, NULL, 0},
	};
	int option, code;

	*options = (struct stat_options){
		.session = {.frequency_hz = DEFAULT_FREQUENCY_HZ, .budget = DEFAULT_BUDGET},
	};
	optind = 0;
	opterr = 0;
	while (!(code = option_next(argc, argv, "+:i:n:F:f:o:h", names, &option, error)) &&
	       option != -1) {
		code = parse_option(options, option, optarg, error);
		if (code)
			return code;
	}
	if (!code && options->session.exact &&
	    options->session.collector == SESSION_COLLECTOR_PERF)
		return error_set(error, -EINVAL,
				 "--exact works on the BPF collector, not on --collector perf");
	if (!code && options->errors && options->by != VIEW_BY_VM)
		return error_set(error, -EINVAL, "--error goes with --by vm");
	if (options->errors)
		options->by = VIEW_BY_VM_WITH_ERRORS;
	return code ? code : option_command(argc, argv, "measure", &options->command, error);
}
