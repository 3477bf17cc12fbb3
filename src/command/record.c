/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/child.h"
#include "command/record_options.h"
#include "command/stop_signals.h"
#include "measure/session.h"
#include "record/counters.h"
#include "record/recorder.h"

struct record_run {
	struct record_options options;
	struct session *session;
	struct recorder *recorder; /* owned by the session */
	struct counters *counters;
	struct child child;
	int signal_fd;
	int stop_fd; /* readable for a signal, and for the recorder's wake_fd */
	bool stopped;
	bool progress;
	uint64_t start_ns;
	uint64_t end_ns; /* by --duration; UINT64_MAX: none */
};

static void show_progress(void *context, double elapsed_s, double duration_s)
{
	const struct record_run *run = context;
	struct record_totals totals;

	(void)elapsed_s;
	(void)duration_s;
	if (!run->progress || !run->recorder)
		return;
	recorder_totals(run->recorder, &totals);
	fprintf(stderr, "\rrecording: %.0f s, %llu samples, %.1f MB \033[K",
		(double)(clock_monotonic_ns() - run->start_ns) / 1e9,
		(unsigned long long)totals.samples, (double)totals.bytes / 1e6);
}

static int make_recorder(struct collector **out, const struct collector_options *options,
			 void *context, struct error *error)
{
	struct record_run *run = context;
	int code = recorder_new(&run->recorder, &run->options.recorder, options, error);

	if (!code)
		*out = recorder_base(run->recorder);
	return code;
}

static int watch(struct record_run *run, int fd, struct error *error)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(run->stop_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return error_set(error, -errno, "cannot wait for signals: %m");
	return 0;
}

static int open_signals(struct record_run *run, struct error *error)
{
	int code = stop_signals_open(&run->signal_fd, error);

	if (code)
		return code;
	run->stop_fd = epoll_create1(EPOLL_CLOEXEC);
	if (run->stop_fd < 0)
		return error_set(error, -errno, "cannot wait for signals: %m");
	return watch(run, run->signal_fd, error);
}

static int open_session(struct record_run *run, struct error *error)
{
	struct session_options options = {
		.correction = run->options.correction,
		.apportion = POLICY_NONE,
		.frequency_hz = run->options.frequency_hz,
		.vms = run->options.vms,
		.vm_count = run->options.vm_count,
		.progress = show_progress,
		.new_collector = make_recorder,
		.context = run,
	};
	struct counters_source source = {
		.frequency_hz = run->options.frequency_hz,
		.selected = run->options.vms,
		.selected_count = run->options.vm_count,
	};

	run->counters = counters_new(&source);
	if (!run->counters)
		return error_set(error, -ENOMEM, "no memory for the counters");
	int code = session_open(&run->session, &options, error);
	if (code) {
		run->recorder = NULL; /* it went with the session */
		return code;
	}
	counters_set_calibration(run->counters, session_calibration(run->session));
	run->start_ns = clock_monotonic_ns();
	run->end_ns = run->options.duration_ns ? run->start_ns + run->options.duration_ns
					       : UINT64_MAX;
	return watch(run, recorder_wake_fd(run->recorder), error);
}

static int check_vms(const struct record_run *run, struct error *error)
{
	size_t selected, count = session_vm_count(run->session, &selected);
	const char *uncorrected = session_uncorrected_reason(run->session);
	struct recorder_reading reading;

	recorder_last_reading(run->recorder, &reading);
	if (uncorrected && count)
		fprintf(stderr,
			"kvmperf record: the guest times recorded are upper bounds: %s\n",
			uncorrected);
	if (reading.fallback)
		fprintf(stderr, "kvmperf record: exact times come from /proc: %s\n",
			reading.fallback);
	if (run->options.vm_count && selected == 0)
		return error_set(error, -ENOENT,
				 "no VM has the name, id or pid '%s' (see kvmperf list)",
				 run->options.vms[0]);
	if (count == 0 && !run->options.command)
		fprintf(stderr, "kvmperf record: no VM runs on this host now\n");
	return 0;
}

/* Takes the interval into the counters, and writes it into the data for a file that is cut. */
static int keep_interval(struct record_run *run, const struct interval *interval,
			 struct error *error)
{
	struct recorder_reading reading;
	size_t length;

	recorder_last_reading(run->recorder, &reading);
	int code = counters_add(run->counters, interval, &reading);
	char *text = code ? NULL : counters_last_text(run->counters, &length);
	if (!text)
		return error_set(error, -ENOMEM, "no memory for the counters");
	if (!recorder_failure(run->recorder))
		code = recorder_write_text(run->recorder, text, length, error);
	free(text);
	return code;
}

static char *section_text(struct record_run *run, size_t *length)
{
	return counters_text(run->counters, recorder_tally(run->recorder), length);
}

static int rotate(struct record_run *run, struct error *error)
{
	size_t length = 0;
	int code = recorder_drain(run->recorder, false, error);
	char *text = section_text(run, &length);

	if (!code)
		code = recorder_rotate(run->recorder, text, length, error);
	free(text);
	counters_begin_file(run->counters);
	return code;
}

static int record_interval(struct record_run *run, struct error *error)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t left = run->end_ns > now ? run->end_ns - now : 1;
	uint64_t length = run->options.interval_ns;
	struct interval interval;
	enum session_event event;

	int code = session_next(run->session, left < length ? left : length, run->stop_fd,
				&interval, &event, error);
	if (code == -ESTALE) {
		struct error reason = *error;
		return error_set(error, code, "%s: the recording ends here; start another one",
				 reason.message);
	}
	if (code)
		return code;
	if (event == SESSION_STOPPED && stop_signals_take(run->signal_fd, &run->child))
		run->stopped = true;
	if (clock_monotonic_ns() >= run->end_ns)
		run->stopped = true;
	code = keep_interval(run, &interval, error);
	interval_free(&interval);
	const struct error *failure = recorder_failure(run->recorder);
	if (!code && failure)
		code = error_set(error, failure->code, "%s", failure->message);
	if (!code && !run->stopped && recorder_full(run->recorder))
		code = rotate(run, error);
	return code;
}

/* Ends the file in every case; the first error is the one that is told. */
static int end_recording(struct record_run *run, int code, struct error *error)
{
	struct error second = {0};
	size_t length = 0;

	if (!run->recorder)
		return code;
	int drain_code = recorder_drain(run->recorder, true, &second);
	char *text = section_text(run, &length);
	int end_code = recorder_end(run->recorder, text, length, drain_code ? NULL : &second);
	free(text);
	if (code || (!drain_code && !end_code))
		return code;
	return error_set(error, second.code, "%s", second.message);
}

static void say_totals(const struct record_run *run, bool failed)
{
	struct record_totals totals;

	recorder_totals(run->recorder, &totals);
	if (run->progress)
		fputs("\r\033[K", stderr);
	if (run->progress && !failed)
		fprintf(stderr, "kvmperf record: %llu samples in %s (%.1f MB)\n",
			(unsigned long long)totals.samples, run->options.recorder.path,
			(double)totals.bytes / 1e6);
	if (totals.lost && !failed)
		fprintf(stderr,
			"kvmperf record: %llu records were lost: the disk or the reader is too "
			"slow for this -F\n",
			(unsigned long long)totals.lost);
}

static int run_record(struct record_run *run, struct error *error)
{
	int code = open_signals(run, error);

	run->progress = isatty(STDERR_FILENO);
	if (!code && run->options.command)
		code = child_prepare(&run->child, run->options.command, error);
	if (!code)
		code = open_session(run, error);
	if (!code)
		code = check_vms(run, error);
	if (!code && run->options.command)
		code = child_go(&run->child, run->options.command[0], error);
	while (!code && !run->stopped)
		code = record_interval(run, error);
	code = end_recording(run, code, error);
	if (run->recorder)
		say_totals(run, code != 0);
	return code;
}

int command_record(int argc, char **argv)
{
	struct record_run run = {.signal_fd = -1, .stop_fd = -1, .child = {.pid = -1}};
	struct error error = {0};
	enum exit_code status = EXIT_OK;

	int code = record_options_parse(&run.options, argc, argv, &error);
	/* argv[0] of the whole command is the word before: main() calls us with the rest. */
	run.options.recorder.command_line = argv - 1;
	if (!code && run.options.help)
		fputs(record_options_help, stdout);
	else if (!code)
		code = run_record(&run, &error);
	if (code) {
		fprintf(stderr, "kvmperf record: %s\n", error.message);
		status = error_exit_code(&error);
	} else if (run.options.command) {
		child_say_status(&run.child, "kvmperf record", run.options.command[0]);
	}
	child_end(&run.child);
	session_close(run.session);
	counters_free(run.counters);
	if (run.stop_fd >= 0)
		close(run.stop_fd);
	if (run.signal_fd >= 0)
		close(run.signal_fd);
	free((void *)run.options.vms);
	return (int)status;
}
