/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "collect/interrupt_context.h"
#include "command/report_options.h"
#include "report/net_copies.h"
#include "report/recording.h"
#include "report/recording_times.h"
#include "report/report.h"
#include "report/same_boot.h"
#include "report/samples_file.h"
#include "report/symbol_rows.h"
#include "symbols/file_symbols.h"
#include "view/folded.h"
#include "view/interval_csv.h"
#include "view/interval_json.h"
#include "view/interval_table.h"
#include "view/pprof.h"
#include "view/sorting.h"
#include "view/symbol_view.h"

struct report_run {
	struct report_options options;
	struct profile profile;
	struct recording recording;
	struct samples_file samples;
	struct recording_times times;
	struct interrupt_context *interrupts;
	struct report report;
	struct report_traffic *traffic;
	FILE *output;
};

static int fail(const struct error *error)
{
	fprintf(stderr, "kvmperf report: %s\n", error->message);
	return (int)error_exit_code(error);
}

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "no memory for the report");
}

static void show_progress(double done)
{
	if (done >= 0)
		fprintf(stderr, "\rreading: %.0f %% ", done * 100);
}

/* Is the process the VM that was named? Its name may be known from kvmperf record. */
static bool is_vm(void *context, uint32_t pid, const char *selector)
{
	const struct report_run *run = context;
	const struct vm *recorded = recorded_facts_vm(run->times.facts, pid);
	char name[24];

	if (recorded && vm_matches(recorded, selector))
		return true;
	snprintf(name, sizeof(name), "vm-%u", pid);
	return strcmp(selector, name) == 0 || strcmp(selector, name + 3) == 0;
}

static const char *value_of(const struct vm_values *values, const char *vm)
{
	for (size_t i = 0; i < values->count; i++) {
		const char *other = values->items[i].vm;
		if (vm == other || (vm && other && strcmp(vm, other) == 0))
			return values->items[i].value;
	}
	return NULL;
}

/* Stacks are written instead of accounts. */
static bool shows_stacks(const struct report_options *options)
{
	return options->folded || options->pprof;
}

/* The symbols that options name. */
static int load_symbols(struct report_run *run, struct error *error)
{
	const struct report_options *options = &run->options;
	struct resolver *resolver = &run->profile.resolver;
	int code = 0;

	if (shows_stacks(options))
		resolver->detail = PLACE_BY_STACK;
	else if (options->by == VIEW_BY_SYMBOL)
		resolver->detail = PLACE_BY_SYMBOL;
	resolver->is_vm = is_vm;
	resolver->is_vm_context = run;
	if (options->kallsyms)
		code = resolver_use_kallsyms(resolver, options->kallsyms, options->modules,
					     error);
	if (!code && options->kallsyms) {
		/* A kernel without the functions that tell is no failure. */
		struct error reason = {0};
		if (interrupt_context_new(&run->interrupts, options->kallsyms, &reason))
			run->interrupts = NULL;
	}
	for (size_t i = 0; !code && i < options->guest_kallsyms.count; i++) {
		const struct vm_value *value = &options->guest_kallsyms.items[i];
		code = resolver_use_guest(resolver, value->vm, value->value,
					  value_of(&options->guest_modules, value->vm), error);
	}
	return code;
}

/* The running kernel's symbols will do when the recording is of this boot. */
static int use_running_kernel(struct report_run *run, struct error *error)
{
	if (run->options.kallsyms || strcmp(run->options.input, "-") == 0 ||
	    !same_boot(run->options.input, perf_data_features(run->recording.data)))
		return 0;
	run->options.kallsyms = "/proc/kallsyms";
	run->options.modules = "/proc/modules";
	return load_symbols(run, error);
}

static int read_recording(struct report_run *run, struct error *error)
{
	struct recording *recording = &run->recording;

	recording->profile = &run->profile;
	recording->event = run->options.event;
	recording->keeps_stacks = shows_stacks(&run->options);
	if (isatty(STDERR_FILENO) && !(run->options.output == NULL && !isatty(STDOUT_FILENO)))
		recording->progress = show_progress;
	int code = recording_open(recording, run->options.input, error);
	if (!code)
		code = recording_times_open(&run->times, recording, run->options.time, error);
	if (!code)
		code = use_running_kernel(run, error);
	if (code)
		return code;
	const struct perf_data_features *features = perf_data_features(recording->data);
	char host[sizeof(features->hostname)] = "";
	gethostname(host, sizeof(host) - 1);
	if (run->profile.resolver.detail != PLACE_BY_MODULE) {
		run->profile.resolver.files = file_symbols_new(
			features->hostname[0] && strcmp(host, features->hostname) == 0);
		if (!run->profile.resolver.files)
			return no_memory(error);
		run->profile.resolver.build_id = recording_build_id;
		run->profile.resolver.build_id_context = recording;
	}
	recording->interrupts = run->interrupts;
	code = recording_read(recording, error);
	if (recording->progress)
		fputs("\r\033[K", stderr);
	return code;
}

/* What else the user should know of the recording. */
static void note_recording(const struct report_run *run)
{
	const struct recording *recording = &run->recording;
	const char *warning = perf_data_warning(recording->data);

	if (warning)
		fprintf(stderr, "kvmperf report: %s: this is what it has\n", warning);
	if (run->times.left_out.code)
		fprintf(stderr, "kvmperf report: %s; it is left out\n",
			run->times.left_out.message);
	if (run->profile.anchor == ANCHOR_SHARES)
		fprintf(stderr,
			"kvmperf report: %s doesn't count time: the figures are shares of its "
			"samples\n",
			recording->event_name);
	if (recording->other_samples)
		fprintf(stderr,
			"kvmperf report: %llu samples of other events than %s are left out "
			"(see --event)\n",
			(unsigned long long)recording->other_samples, recording->event_name);
	if (!recording->system_wide)
		fprintf(stderr, "kvmperf report: not recorded with -a: what was not recorded "
				"counts as idle\n");
}

static int add_traffic(struct report_run *run, const struct net_copies *copies,
		       struct report_input *input, const struct vm *vm, struct error *error)
{
	struct report_traffic traffic = {.pid = (uint32_t)vm->pid};
	bool any = false;
	int code = 0;

	for (size_t i = 0; !code && i < run->options.taps.count; i++)
		if (vm_matches(vm, run->options.taps.items[i].vm)) {
			code = net_copies_add(copies, run->options.taps.items[i].value,
					      &traffic.traffic, error);
			any = true;
		}
	for (size_t i = 0; !code && !any && i < vm->tap_count; i++)
		code = net_copies_add(copies, vm->taps[i].name, &traffic.traffic, error);
	if (!code && (any || vm->tap_count))
		run->traffic[input->traffic_count++] = traffic;
	return code;
}

static int read_traffic(struct report_run *run, struct report_input *input, struct error *error)
{
	const struct vm_list *list = &run->report.vms.list;
	struct net_copies *copies;
	struct traffic_use vms = {0};

	if (!run->options.net_before)
		return 0;
	int code = net_copies_read(&copies, run->options.net_before, run->options.net_after,
				   error);
	if (code)
		return code;
	run->traffic = calloc(list->count + 1, sizeof(*run->traffic));
	if (!run->traffic)
		code = no_memory(error);
	for (size_t v = 0; !code && v < list->count; v++)
		code = add_traffic(run, copies, input, &list->vms[v], error);
	if (!code) {
		struct host_traffic host = net_copies_host(copies);
		for (size_t i = 0; i < input->traffic_count; i++) {
			const struct traffic *traffic = &run->traffic[i].traffic;
			vms.counts[TRAFFIC_TAP][TRAFFIC_RECEIVED].bytes += traffic->rx_bytes;
			vms.counts[TRAFFIC_TAP][TRAFFIC_SENT].bytes += traffic->tx_bytes;
		}
		input->unowned = host_traffic_unowned(&host, &vms);
		input->traffic = run->traffic;
		if (input->traffic_count == 0)
			fprintf(stderr, "kvmperf report: no VM's interface is known: name them "
					"with --tap VM=NAME\n");
	}
	net_copies_free(copies);
	return code;
}

static bool has_vm(const struct vm_list *list, const char *selector)
{
	for (size_t v = 0; v < list->count; v++)
		if (vm_matches(&list->vms[v], selector))
			return true;
	return false;
}

/* A VM that was named and isn't there is a mistake of the user's. */
static int check_vms(const struct report_run *run, struct error *error)
{
	const struct report_options *options = &run->options;
	const struct vm_list *list = &run->report.vms.list;
	const char *missing = NULL;

	for (size_t i = 0; i < options->vm_count; i++)
		if (!has_vm(list, options->vms[i]))
			missing = options->vms[i];
	for (size_t i = 0; i < options->guest_kallsyms.count; i++)
		if (options->guest_kallsyms.items[i].vm &&
		    !has_vm(list, options->guest_kallsyms.items[i].vm))
			missing = options->guest_kallsyms.items[i].vm;
	for (size_t i = 0; i < options->taps.count; i++)
		if (!has_vm(list, options->taps.items[i].vm))
			missing = options->taps.items[i].vm;
	if (!missing)
		return 0;
	return error_set(error, -ENOENT, "the recording has no VM '%s'%s%s", missing,
			 list->count ? ", but for example " : "",
			 list->count ? list->vms[0].name : "");
}

static int open_output(struct report_run *run, struct error *error)
{
	run->output = stdout;
	if (!run->options.output)
		return 0;
	run->output = fopen(run->options.output, "we");
	return run->output ? 0
			   : error_set(error, -EIO, "cannot write %s: %m", run->options.output);
}

static int write_symbols(struct report_run *run, const struct report_input *input)
{
	struct symbol_rows rows = {0};
	int code = symbol_rows_make(&rows, &run->report, input);

	if (!code)
		switch (run->options.format) {
		case REPORT_TABLE:
			code = symbol_view_table(run->output, &run->report.interval, &rows);
			break;
		case REPORT_CSV:
			code = symbol_view_csv(run->output, &run->report.interval, &rows);
			break;
		case REPORT_JSON:
			code = symbol_view_json(run->output, &run->report.interval, &rows);
			break;
		}
	symbol_rows_clear(&rows);
	return code;
}

static int write_report(struct report_run *run, const struct report_input *input,
			struct error *error)
{
	const struct report_options *options = &run->options;
	const struct interval *interval = &run->report.interval;
	int code = 0;

	/* All three refer to the VMs in the order in which they were found. */
	if (options->folded)
		code = folded_write(run->output, &run->report, input);
	else if (options->pprof)
		code = pprof_write(run->output, &run->report, input);
	else if (options->by == VIEW_BY_SYMBOL)
		code = write_symbols(run, input);
	else
		code = interval_sort(&run->report.interval, options->sort);
	if (!code && (shows_stacks(options) || options->by == VIEW_BY_SYMBOL))
		return 0;
	if (!code && options->format == REPORT_JSON)
		code = interval_write_json(run->output, interval);
	else if (!code && options->format == REPORT_CSV)
		code = interval_write_csv(run->output, interval, options->by, true);
	else if (!code)
		code = interval_write_table(run->output, interval, options->by, NULL);
	if (code == -ENOMEM)
		return no_memory(error);
	return code ? error_set(error, -EIO, "cannot write %s: %s",
				options->output ? options->output : "standard output",
				strerror(errno))
		    : 0;
}

/* Reading can take long: what can't be written is refused before. */
static int check_output(const struct report_options *options, struct error *error)
{
	if (!options->pprof || options->output || !isatty(STDOUT_FILENO))
		return 0;
	return error_set(error, -EINVAL,
			 "a pprof profile is binary and not for terminals: use -o FILE");
}

static int no_samples(const struct report_run *run, struct error *error)
{
	const struct report_options *options = &run->options;
	const char *warning = options->samples ? NULL : perf_data_warning(run->recording.data);
	const char *when = options->time ? " in that time" : "";

	if (warning)
		return error_set(error, -ENODATA, "%s: it has no samples%s", warning, when);
	return error_set(error, -ENODATA, "%s has no samples%s",
			 options->samples ? options->samples : options->input, when);
}

static int run_report(struct report_run *run, struct error *error)
{
	struct report_input input = {
		.profile = &run->profile,
		.policy = run->options.apportion,
		.vms = run->options.vms,
		.vm_count = run->options.vm_count,
	};
	int code = resolver_init(&run->profile.resolver, &run->profile.names,
				 &run->profile.places);

	if (code || profile_init(&run->profile))
		return no_memory(error);
	code = load_symbols(run, error);
	if (!code && run->options.samples)
		code = samples_file_read(&run->samples, &run->profile, run->options.samples,
					 run->options.time, error);
	else if (!code)
		code = read_recording(run, error);
	if (code)
		return code;
	if (run->profile.samples == 0)
		return no_samples(run, error);
	if (run->options.samples) {
		code = samples_file_describe(&run->samples, &run->profile, &input, error);
	} else {
		note_recording(run);
		code = recording_times_describe(&run->times, &input, error);
		if (run->options.uncorrected)
			input.calibration = NULL;
	}
	if (code)
		return code;
	if (report_find_vms(&run->report, &input))
		return no_memory(error);
	code = check_vms(run, error);
	if (!code)
		code = read_traffic(run, &input, error);
	if (!code && report_build(&run->report, &input))
		code = no_memory(error);
	if (!code)
		code = open_output(run, error);
	return code ? code : write_report(run, &input, error);
}

int command_report(int argc, char **argv)
{
	struct report_run run = {0};
	struct error error = {0};
	int status = EXIT_OK;

	int code = report_options_parse(&run.options, argc, argv, &error);
	if (!code && !run.options.help)
		code = check_output(&run.options, &error);
	if (!code && run.options.help)
		fputs(report_options_help, stdout);
	else if (!code)
		code = run_report(&run, &error);
	if (code)
		status = fail(&error);
	if (run.output && run.output != stdout && fclose(run.output) && status == EXIT_OK) {
		error_set(&error, -EIO, "cannot write %s: %m", run.options.output);
		status = fail(&error);
	}
	report_clear(&run.report);
	recording_close(&run.recording);
	interrupt_context_free(run.interrupts);
	recording_times_clear(&run.times);
	profile_clear(&run.profile);
	free(run.traffic);
	report_options_clear(&run.options);
	return status;
}
