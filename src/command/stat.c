/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/child.h"
#include "command/stat_options.h"
#include "command/stop_signals.h"
#include "view/interval_csv.h"
#include "view/interval_json.h"
#include "view/interval_table.h"

/* The time limit of an interval that lasts as long as the command. */
#define UNLIMITED_NS (UINT64_MAX / 4)

struct stat_run {
	struct stat_options options;
	struct session *session;
	struct child child;
	FILE *output;
	struct interval sum; /* for the table's summary */
	uint64_t summed;     /* intervals of it */
	uint64_t intervals;  /* of all */
	int stop_fd;
	bool stopped;
	bool said_inexact;
	bool had_selected; /* VMs asked for by --vm were there */
};

static int report(const struct error *error)
{
	fprintf(stderr, "kvmperf stat: %s\n", error->message);
	return (int)error_exit_code(error);
}

static void note(const char *text)
{
	fprintf(stderr, "kvmperf stat: %s\n", text);
}

static void show_progress(void *context, double elapsed_s, double duration_s)
{
	(void)context;
	if (duration_s < 1e9)
		fprintf(stderr, "\rmeasuring: %.0f of %.0f s ", elapsed_s, duration_s);
	else
		fprintf(stderr, "\rmeasuring: %.0f s ", elapsed_s);
}

static void clear_progress(const struct stat_run *run)
{
	if (run->options.session.progress)
		fputs("\r\033[K", stderr);
}

static int open_output(struct stat_run *run, struct error *error)
{
	run->output = stdout;
	if (!run->options.output)
		return 0;
	run->output = fopen(run->options.output, "we");
	if (run->output)
		return 0;
	/* Not a privilege that kvmperf needs, whatever the errno is. */
	return error_set(error, -EIO, "cannot write %s: %m", run->options.output);
}

static int write_interval(struct stat_run *run, const struct interval *interval,
			  struct error *error)
{
	int code = 0;

	switch (run->options.format) {
	case STAT_JSON: code = interval_write_json(run->output, interval); break;
	case STAT_CSV:
		code = interval_write_csv(run->output, interval, run->options.by,
					  run->intervals == 0);
		break;
	case STAT_TABLE:
		code = interval_write_table(run->output, interval, run->options.by, NULL);
		break;
	}
	if (code == -ENOMEM)
		return error_set(error, code, "no memory for the output");
	if (code)
		return error_set(error, -EIO, "cannot write %s: %s",
				 run->options.output ? run->options.output : "standard output",
				 strerror(errno));
	return 0;
}

static int write_summary(struct stat_run *run, struct error *error)
{
	char title[64];

	if (run->options.format != STAT_TABLE || run->summed < 2)
		return 0;
	snprintf(title, sizeof(title), "summary of %llu intervals",
		 (unsigned long long)run->summed);
	if (interval_write_table(run->output, &run->sum, run->options.by, title))
		return error_set(error, -EIO, "cannot write the summary: %m");
	return 0;
}

/* Says once that there is traffic that nobody is charged for since it is not seen. */
static void note_unseen(const struct interval *interval)
{
	const struct interval_vm *first = NULL;
	size_t count = 0;
	unsigned paths = 0;

	for (size_t i = 0; i < interval->ledger.vm_count; i++) {
		if (!interval->vms[i].selected || !interval->vms[i].unseen)
			continue;
		if (count++ == 0)
			first = &interval->vms[i];
		paths |= interval->vms[i].unseen;
	}
	if (!count)
		return;
	fprintf(stderr, "kvmperf stat: not seen, so charged to nobody: traffic of %s",
		first->name);
	if (count > 1)
		fprintf(stderr, " and %zu more VMs", count - 1);
	for (unsigned n = 0, named = 0; n < UNSEEN_PATH_COUNT; n++)
		if (paths & 1u << n)
			fprintf(stderr, "%s%s", named++ ? ", " : " through ",
				unseen_path_name(n));
	fputc('\n', stderr);
}

/* Says when a VM that was asked for has ended; with the last of them the measurement ends. */
static void watch_selected(struct stat_run *run, const struct interval *interval)
{
	size_t selected;

	if (run->options.session.vm_count == 0)
		return;
	for (size_t i = 0; i < interval->ledger.vm_count; i++)
		if (interval->vms[i].selected) {
			run->had_selected = true;
			if (interval->vms[i].ended)
				fprintf(stderr, "kvmperf stat: VM %s has ended\n",
					interval->vms[i].name);
		}
	session_vm_count(run->session, &selected);
	if (run->had_selected && selected == 0)
		run->stopped = true;
}

/* Says once why the figures are not exact. */
static void say_inexact(struct stat_run *run)
{
	const char *reason = session_inexact_reason(run->session);

	if (reason && !run->said_inexact)
		fprintf(stderr,
			"kvmperf stat: exact mode is unavailable, sampling instead: %s\n",
			reason);
	run->said_inexact = reason != NULL;
}

/* Fewer samples than asked for: with the first figures, so that an error is one line. */
static void say_rate(const struct interval_source *source)
{
	if (source->frequency_hz < source->frequency_asked_hz)
		fprintf(stderr,
			"kvmperf stat: %u samples a second and CPU instead of %u: one costs "
			"%.1f us here (see --budget)\n",
			source->frequency_hz, source->frequency_asked_hz,
			source->sample_cost_s * 1e6);
}

/* CPUs came or went, as the error says: a new session counts those that there are now. */
static int begin_anew(struct stat_run *run, struct error *error)
{
	clear_progress(run);
	fprintf(stderr,
		"kvmperf stat: %s: measuring begins anew, and this interval is left out\n",
		error->message);
	int code = write_summary(run, error);
	interval_free(&run->sum);
	run->summed = 0;
	session_close(run->session);
	run->session = NULL;
	return code ? code : session_open(&run->session, &run->options.session, error);
}

static int measure(struct stat_run *run, struct error *error)
{
	uint64_t duration_ns = run->options.interval_ns;
	int code = 0;

	if (duration_ns == 0)
		duration_ns = run->options.command ? UNLIMITED_NS : NS_PER_S;
	while (!code && !run->stopped &&
	       (run->options.count == 0 || run->intervals < run->options.count)) {
		struct interval interval;
		enum session_event event;
		code = session_next(run->session, duration_ns, run->stop_fd, &interval, &event,
				    error);
		if (code == -ESTALE) {
			code = begin_anew(run, error);
			continue;
		}
		if (code)
			break;
		clear_progress(run);
		say_inexact(run);
		if (event == SESSION_STOPPED && stop_signals_take(run->stop_fd, &run->child))
			run->stopped = true;
		code = write_interval(run, &interval, error);
		run->intervals++;
		if (!code && run->options.format == STAT_TABLE &&
		    interval_add(&run->sum, &interval))
			code = error_set(error, -ENOMEM, "no memory for the summary");
		run->summed++;
		if (!code && run->intervals == 1) {
			say_rate(&interval.source);
			note_unseen(&interval);
		}
		watch_selected(run, &interval);
		interval_free(&interval);
	}
	return code ? code : write_summary(run, error);
}

/* What the user should know before the first figures come. */
static int check_vms(struct stat_run *run, struct error *error)
{
	size_t selected, count = session_vm_count(run->session, &selected);
	const char *reason = session_fallback_reason(run->session);

	if (reason)
		fprintf(stderr, "kvmperf stat: the perf collector is used: %s\n", reason);
	say_inexact(run);
	reason = session_tagging_refusal(run->session);
	if (reason)
		fprintf(stderr, "kvmperf stat: shared work is apportioned as by affine: %s\n",
			reason);
	reason = session_uncorrected_reason(run->session);
	if (reason && count)
		fprintf(stderr, "kvmperf stat: guest times are upper bounds: %s\n", reason);
	if (run->options.session.vm_count && selected == 0 && !run->options.command)
		return error_set(error, -ENOENT,
				 "no VM has the name, id or pid '%s' (see kvmperf list)",
				 run->options.session.vms[0]);
	if (count == 0 && access("/dev/kvm", F_OK) < 0)
		return error_set(
			error, -EOPNOTSUPP,
			"no VM runs and there is no /dev/kvm: load kvm_intel or kvm_amd, "
			"or enable virtualization in the firmware");
	if (count == 0 && !run->options.command)
		note("no VM runs on this host now; the host's own accounts follow");
	return 0;
}

static int run_stat(struct stat_run *run, struct error *error)
{
	int code = stop_signals_open(&run->stop_fd, error);

	if (!code)
		code = open_output(run, error);
	if (!code && run->options.format == STAT_TABLE && isatty(STDERR_FILENO))
		run->options.session.progress = show_progress;
	if (!code && run->options.command)
		code = child_prepare(&run->child, run->options.command, error);
	if (!code)
		code = session_open(&run->session, &run->options.session, error);
	if (!code)
		code = check_vms(run, error);
	if (!code && run->options.command)
		code = child_go(&run->child, run->options.command[0], error);
	if (!code)
		code = measure(run, error);
	return code;
}

int command_stat(int argc, char **argv)
{
	struct stat_run run = {.stop_fd = -1, .child = {.pid = -1}};
	struct error error = {0};
	int status = EXIT_OK;

	int code = stat_options_parse(&run.options, argc, argv, &error);
	if (!code && run.options.help)
		fputs(stat_options_help, stdout);
	else if (!code)
		code = run_stat(&run, &error);
	if (code)
		status = report(&error);
	else if (run.options.command)
		child_say_status(&run.child, "kvmperf stat", run.options.command[0]);

	child_end(&run.child);
	if (run.output && run.output != stdout && fclose(run.output) && status == EXIT_OK) {
		error_set(&error, -EIO, "cannot write %s: %m", run.options.output);
		status = report(&error);
	}
	interval_free(&run.sum);
	session_close(run.session);
	if (run.stop_fd >= 0)
		close(run.stop_fd);
	free((void *)run.options.session.vms);
	return status;
}
