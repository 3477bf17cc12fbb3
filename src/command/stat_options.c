/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/stat_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define DEFAULT_FREQUENCY_HZ 250
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
	"      --by vm|thread|module\n"
	"                         rows of table and CSV (default vm)\n"
	"  -F, --frequency HZ     samples a second and CPU (default 250)\n"
	"      --apportion bytes|none\n"
	"                         how shared network work is charged to VMs (default bytes)\n"
	"      --collector bpf|perf\n"
	"                         where the samples come from (default bpf, else perf)\n"
	"  -f, --format table|csv|json\n"
	"  -o, --output FILE      write there instead of standard output\n"
	"  -h, --help\n\n"
	"Table figures are percent of one CPU. See kvmperf(8).\n";

/* One of several words; the index is stored in *choice. */
static int parse_choice(const char *option, const char *text, const char *const *words,
			int *choice, struct error *error)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0) {
			*choice = i;
			return 0;
		}
	}
	char list[128] = "";
	for (int i = 0; words[i]; i++) {
		strcat(list, i ? ", " : "");
		strcat(list, words[i]);
	}
	return error_set(error, -EINVAL, "%s takes one of: %s; not '%s'", option, list, text);
}

static int parse_real(const char *option, const char *text, double low, double high,
		      double *value, struct error *error)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (errno || end == text || *end || !isfinite(*value) || *value < low || *value > high)
		return error_set(error, -EINVAL, "%s takes a number from %g to %g, not '%s'",
				 option, low, high, text);
	return 0;
}

static int parse_whole(const char *option, const char *text, double high, double *value,
		       struct error *error)
{
	int code = parse_real(option, text, 1, high, value, error);

	if (!code && *value != floor(*value))
		code = error_set(error, -EINVAL, "%s takes a whole number, not '%s'", option,
				 text);
	return code;
}

static int add_vm(struct session_options *session, const char *name, struct error *error)
{
	const char **vms =
		reallocarray((void *)session->vms, session->vm_count + 1, sizeof(*vms));

	if (*name == '\0') {
		session->vms = vms ? vms : session->vms;
		return error_set(error, -EINVAL, "--vm takes a VM's name, id or pid");
	}
	if (!vms)
		return error_set(error, -ENOMEM, "no memory for the options");
	vms[session->vm_count++] = name;
	session->vms = vms;
	return 0;
}

/* Options without a short form. */
enum long_option {
	OPTION_VM = 256,
	OPTION_BY,
	OPTION_APPORTION,
	OPTION_COLLECTOR,
	OPTION_EXACT
};

static int parse_option(struct stat_options *options, int option, const char *text,
			struct error *error)
{
	static const char *const formats[] = {"table", "csv", "json", NULL};
	static const char *const groupings[] = {"vm", "thread", "module", NULL};
	static const char *const collectors[] = {"bpf", "perf", NULL};
	static const char *const policies[] = {"bytes", "none", NULL};
	double value = 0;
	int choice = 0, code = 0;

	switch (option) {
	case 'i':
		code = parse_real("--interval", text, INTERVAL_MIN_S, INTERVAL_MAX_S, &value,
				  error);
		options->interval_ns = (uint64_t)llround(value * (double)NS_PER_S);
		break;
	case 'n':
		code = parse_whole("--count", text, 1e15, &value, error);
		options->count = (uint64_t)value;
		break;
	case 'F':
		code = parse_whole("--frequency", text, FREQUENCY_MAX_HZ, &value, error);
		options->session.frequency_hz = (unsigned)value;
		break;
	case 'f':
		code = parse_choice("--format", text, formats, &choice, error);
		options->format = (enum stat_format)choice;
		break;
	case 'o': options->output = text; break;
	case 'h': options->help = true; break;
	case OPTION_VM: code = add_vm(&options->session, text, error); break;
	case OPTION_BY:
		code = parse_choice("--by", text, groupings, &choice, error);
		options->by = (enum view_grouping)choice;
		break;
	case OPTION_COLLECTOR:
		code = parse_choice("--collector", text, collectors, &choice, error);
		options->session.collector =
			choice ? SESSION_COLLECTOR_PERF : SESSION_COLLECTOR_BPF;
		break;
	case OPTION_APPORTION:
		code = parse_choice("--apportion", text, policies, &choice, error);
		options->session.apportion =
			choice ? SESSION_APPORTION_NONE : SESSION_APPORTION_BYTES;
		break;
	case OPTION_EXACT:
		code = error_set(
			error, -EOPNOTSUPP,
			"--exact is not available in this version: leave it out to sample");
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
		{"exact", no_argument, NULL, OPTION_EXACT},
		{NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct stat_options){.session.frequency_hz = DEFAULT_FREQUENCY_HZ};
	optind = 0;
	opterr = 0;
	/* '+': options end at the first word that is none; ':': a missing argument is told
	 * apart. */
	while ((option = getopt_long(argc, argv, "+:i:n:F:f:o:h", names, NULL)) != -1) {
		const char *given = argv[optind - 1];
		if (option == ':')
			return error_set(error, -EINVAL, "%s takes an argument (see --help)",
					 given);
		if (option == '?' && optopt && optopt < 256 && optopt != '?')
			return error_set(error, -EINVAL, "unknown option -%c (see --help)",
					 optopt);
		if (option == '?')
			return error_set(error, -EINVAL, "unknown option %s (see --help)",
					 given);
		int code = parse_option(options, option, optarg, error);
		if (code)
			return code;
	}
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return error_set(error, -EINVAL,
				 "unexpected '%s': a command to measure follows after --",
				 argv[optind]);
	if (optind < argc)
		options->command = argv + optind;
	return 0;
}
