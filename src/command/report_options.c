/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/report_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "command/option_values.h"
#include "view/sorting.h"

const char report_options_help[] =
	"usage: kvmperf report [OPTIONS]\n\n"
	"Accounts for the time of a recording that perf or kvmperf record made, per VM, or of\n"
	"any profiler's samples.\n\n"
	"  -i, --input FILE       the recording (default perf.data); - is standard input\n"
	"      --samples FILE     samples in the form of docs/samples-format.md instead\n"
	"  -e, --event NAME       the event to count (default: the first that counts time)\n"
	"      --time START,STOP  only this stretch, in seconds as perf script shows them,\n"
	"                         either may be left out; or 10%-20%\n"
	"      --vm NAME|ID|PID   show only this VM (repeatable); the others count as "
	"processes\n"
	"      --by vm|thread|module|symbol\n"
	"                         rows of table and CSV (default vm)\n"
	"      --sort KEY         order of the VMs: name, total, guest, vmm, kernel, shared "
	"or\n"
	"                         hypervisor (default name)\n"
	"      --folded           write stacks for flame graphs instead\n"
	"      --pprof            write a profile for pprof instead (-o FILE: it is binary)\n"
	"      --kallsyms FILE    copy of the host's /proc/kallsyms\n"
	"      --modules FILE     copy of the host's /proc/modules\n"
	"      --guest-kallsyms [VM=]FILE, --guest-modules [VM=]FILE\n"
	"                         the same of a VM, or of all VMs (repeatable)\n"
	"      --net BEFORE,AFTER two copies of the host's /proc/net/dev\n"
	"      --tap VM=NAME      a network interface of a VM, for --net (repeatable)\n"
	"      --apportion affine|bytes|packets|none\n"
	"                         how shared work is charged to VMs (default affine)\n"
	"      --correction auto|none\n"
	"                         of what VM exits run with interrupts off, which samples\n"
	"                         take for guest time (default auto: by what kvmperf record\n"
	"                         stored)\n"
	"  -f, --format table|csv|json\n"
	"  -o, --output FILE      write there instead of standard output\n"
	"  -h, --help\n\n"
	"Table figures are percent of one CPU. See kvmperf(8).\n";

enum long_option {
	OPTION_VM = 256,
	OPTION_BY,
	OPTION_SORT,
	OPTION_TIME,
	OPTION_FOLDED,
	OPTION_PPROF,
	OPTION_SAMPLES,
	OPTION_KALLSYMS,
	OPTION_MODULES,
	OPTION_GUEST_KALLSYMS,
	OPTION_GUEST_MODULES,
	OPTION_NET,
	OPTION_TAP,
	OPTION_APPORTION,
	OPTION_CORRECTION,
};

static int add_value(const char *option, const char *text, bool vm_needed,
		     struct vm_values *values, struct error *error)
{
	const char *equals = strchr(text, '=');

	if (*text == '\0' || equals == text || (equals && !equals[1]) || (vm_needed && !equals))
		return error_set(error, -EINVAL, "%s takes %sVM=%s%s, not '%s'", option,
				 vm_needed ? "" : "[", vm_needed ? "NAME" : "]FILE", "", text);
	if (array_reserve(&values->items, &values->room, values->count + 1,
			  sizeof(*values->items)))
		return error_set(error, -ENOMEM, "no memory for the options");
	struct vm_value *value = &values->items[values->count];
	*value = (struct vm_value){.value = equals ? equals + 1 : text};
	if (equals) {
		value->vm = strndup(text, (size_t)(equals - text));
		if (!value->vm)
			return error_set(error, -ENOMEM, "no memory for the options");
	}
	values->count++;
	return 0;
}

static int parse_net(struct report_options *options, const char *text, struct error *error)
{
	const char *comma = strchr(text, ',');

	if (!comma || comma == text || !comma[1] || strchr(comma + 1, ','))
		return error_set(error, -EINVAL,
				 "--net takes two files, BEFORE,AFTER, not '%s'", text);
	free(options->net_before);
	free(options->net_after);
	options->net_before = strndup(text, (size_t)(comma - text));
	options->net_after = strdup(comma + 1);
	if (!options->net_before || !options->net_after)
		return error_set(error, -ENOMEM, "no memory for the options");
	return 0;
}

static int parse_option(struct report_options *options, int option, const char *text,
			struct error *error)
{
	static const char *const formats[] = {"table", "csv", "json", NULL};
	static const char *const groupings[] = {"vm", "thread", "module", "symbol", NULL};
	static const char *const policies[] = {"affine", "bytes", "packets", "none", NULL};
	static const char *const corrections[] = {"auto", "none", NULL};
	static const enum view_grouping grouping_of[] = {VIEW_BY_VM, VIEW_BY_THREAD,
							 VIEW_BY_MODULE, VIEW_BY_SYMBOL};
	static const enum shared_policy policy_of[] = {POLICY_AFFINE, POLICY_BYTES,
						       POLICY_PACKETS, POLICY_NONE};
	int choice = 0, code = 0;

	switch (option) {
	case 'i': options->input = text; break;
	case 'e': options->event = text; break;
	case 'o': options->output = text; break;
	case 'h': options->help = true; break;
	case 'f':
		code = option_choice("--format", text, formats, &choice, error);
		options->format = (enum report_format)choice;
		break;
	case OPTION_BY:
		code = option_choice("--by", text, groupings, &choice, error);
		options->by = grouping_of[choice];
		break;
	case OPTION_SORT:
		code = option_choice("--sort", text, interval_sort_keys, &choice, error);
		options->sort = text;
		break;
	case OPTION_APPORTION:
		code = option_choice("--apportion", text, policies, &choice, error);
		options->apportion = policy_of[choice];
		break;
	case OPTION_CORRECTION:
		code = option_choice("--correction", text, corrections, &choice, error);
		options->uncorrected = choice == 1;
		break;
	case OPTION_VM:
		code = option_add_vm(text, &options->vms, &options->vm_count, error);
		break;
	case OPTION_TIME: options->time = text; break;
	case OPTION_FOLDED: options->folded = true; break;
	case OPTION_PPROF: options->pprof = true; break;
	case OPTION_SAMPLES: options->samples = text; break;
	case OPTION_KALLSYMS: options->kallsyms = text; break;
	case OPTION_MODULES: options->modules = text; break;
	case OPTION_GUEST_KALLSYMS:
		code = add_value("--guest-kallsyms", text, false, &options->guest_kallsyms,
				 error);
		break;
	case OPTION_GUEST_MODULES:
		code = add_value("--guest-modules", text, false, &options->guest_modules,
				 error);
		break;
	case OPTION_TAP: code = add_value("--tap", text, true, &options->taps, error); break;
	case OPTION_NET: code = parse_net(options, text, error); break;
	default: break;
	}
	return code;
}

static int check(const struct report_options *options, int argc, char **argv,
		 struct error *error)
{
	if (optind < argc)
		return error_set(error, -EINVAL,
				 "unexpected '%s': the recording is given by -i", argv[optind]);
	if (options->input && options->samples)
		return error_set(error, -EINVAL, "--input and --samples exclude each other");
	if (options->folded && options->pprof)
		return error_set(error, -EINVAL, "--folded and --pprof exclude each other");
	if ((options->folded || options->pprof) && options->format != REPORT_TABLE)
		return error_set(error, -EINVAL, "%s has a form of its own: no --format",
				 options->folded ? "--folded" : "--pprof");
	if (options->modules && !options->kallsyms)
		return error_set(error, -EINVAL, "--modules needs --kallsyms");
	if (options->taps.count && !options->net_before)
		return error_set(error, -EINVAL, "--tap needs --net");
	for (size_t i = 0; i < options->guest_modules.count; i++) {
		const char *vm = options->guest_modules.items[i].vm;
		bool found = false;
		for (size_t j = 0; j < options->guest_kallsyms.count; j++) {
			const char *other = options->guest_kallsyms.items[j].vm;
			found |= vm == other || (vm && other && strcmp(vm, other) == 0);
		}
		if (!found)
			return error_set(error, -EINVAL,
					 "--guest-modules needs --guest-kallsyms of %s",
					 vm ? vm : "all VMs");
	}
	return 0;
}

int report_options_parse(struct report_options *options, int argc, char **argv,
			 struct error *error)
{
	static const struct option names[] = {
		{"input", required_argument, NULL, 'i'},
		{"event", required_argument, NULL, 'e'},
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{"vm", required_argument, NULL, OPTION_VM},
		{"by", required_argument, NULL, OPTION_BY},
		{"sort", required_argument, NULL, OPTION_SORT},
		{"time", required_argument, NULL, OPTION_TIME},
		{"folded", no_argument, NULL, OPTION_FOLDED},
		{"pprof", no_argument, NULL, OPTION_PPROF},
		{"samples", required_argument, NULL, OPTION_SAMPLES},
		{"kallsyms", required_argument, NULL, OPTION_KALLSYMS},
		{"modules", required_argument, NULL, OPTION_MODULES},
		{"guest-kallsyms", required_argument, NULL, OPTION_GUEST_KALLSYMS},
		{"guest-modules", required_argument, NULL, OPTION_GUEST_MODULES},
		{"net", required_argument, NULL, OPTION_NET},
		{"tap", required_argument, NULL, OPTION_TAP},
		{"apportion", required_argument, NULL, OPTION_APPORTION},
		{"correction", required_argument, NULL, OPTION_CORRECTION},
		{NULL, 0, NULL, 0},
	};
	int option, code;

	*options = (struct report_options){0};
	optind = 0;
	opterr = 0;
	while (!(code = option_next(argc, argv, "+:i:e:f:o:h", names, &option, error)) &&
	       option != -1) {
		code = parse_option(options, option, optarg, error);
		if (code)
			return code;
	}
	if (code || options->help)
		return code;
	code = check(options, argc, argv, error);
	if (!options->input && !options->samples)
		options->input = "perf.data";
	return code;
}

static void clear_values(struct vm_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		free(values->items[i].vm);
	free(values->items);
}

void report_options_clear(struct report_options *options)
{
	clear_values(&options->guest_kallsyms);
	clear_values(&options->guest_modules);
	clear_values(&options->taps);
	free(options->net_before);
	free(options->net_after);
	free((void *)options->vms);
}
