/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "spawn.h"
#include "state.h"
#include "truth.h"

/* A VM that doesn't end this long after SIGTERM is killed. */
#define STOP_NS (10 * NS_PER_S)

/* How long an interval's readings may take before the line is written without the late ones. */
#define READING_NS (200 * NS_PER_MS)

struct slot {
	pid_t pid; /* 0: has ended */
	struct vm_state *state;
	uint64_t readings; /* before the one that was asked for */
	json_t *truth;	   /* after the end */
};

struct fleet {
	const struct options *options;
	struct slot *slots;
	unsigned started; /* slots in use */
	unsigned alive;
	int signal_fd;
	int status_fds[2]; /* VMs write a byte when their phase changes */
	int go_fds[2];	   /* VMs start to work when the writing end is closed */
	FILE *truth_file;
	bool released;
	bool stopping;
	uint64_t stop_at;    /* CLOCK_MONOTONIC ns; 0: not known yet */
	uint64_t reading_at; /* likewise */
	double start;	     /* all guests run, seconds since 1970 */
	struct error error;  /* the first one */
	struct vm_truth buffer;
};

static void stop(struct fleet *fleet)
{
	int signal = fleet->stopping ? SIGKILL : SIGTERM;

	for (unsigned i = 0; i < fleet->started; i++)
		if (fleet->slots[i].pid > 0)
			kill(fleet->slots[i].pid, signal);
	fleet->stopping = true;
	fleet->stop_at = clock_monotonic_ns() + STOP_NS;
}

static void fail(struct fleet *fleet, const struct error *error)
{
	if (fleet->error.code == 0)
		fleet->error = *error;
	if (!fleet->stopping)
		stop(fleet);
}

static int set_up_signals(struct fleet *fleet, struct error *error)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set(error, -errno, "cannot block signals: %m");
	fleet->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fleet->signal_fd < 0)
		return error_set(error, -errno, "cannot make a signalfd: %m");
	return 0;
}

static int set_up(struct fleet *fleet, struct error *error)
{
	const struct options *options = fleet->options;

	fleet->slots = calloc(options->total, sizeof(fleet->slots[0]));
	if (!fleet->slots)
		return error_set(error, -ENOMEM, "no memory for %u VMs", options->total);
	if (pipe2(fleet->status_fds, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    pipe2(fleet->go_fds, O_CLOEXEC) < 0)
		return error_set(error, -errno, "cannot make a pipe: %m");
	if (options->truth_interval_ns && options->truth_file) {
		fleet->truth_file = fopen(options->truth_file, "we");
		if (!fleet->truth_file)
			return error_set(error, -EIO, "cannot write %s: %m",
					 options->truth_file);
	}
	if (options->ready_fd >= 0)
		(void)fcntl(options->ready_fd, F_SETFD, FD_CLOEXEC);
	return set_up_signals(fleet, error);
}

static void start_vms(struct fleet *fleet)
{
	const struct options *options = fleet->options;
	struct error error = {0};

	while (!fleet->stopping && fleet->alive < options->vms &&
	       fleet->started < options->total) {
		struct slot *slot = &fleet->slots[fleet->started];
		int go_fd = options->start_stop ? -1 : fleet->go_fds[0];

		if (spawn_vm(options, fleet->started, go_fd, fleet->status_fds[1], &slot->pid,
			     &slot->state, &error) < 0) {
			fail(fleet, &error);
			return;
		}
		fleet->started++;
		fleet->alive++;
	}
}

/* The living VMs that have come to this phase. */
static unsigned count_reached(const struct fleet *fleet, enum vm_phase phase)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fleet->started; i++)
		if (fleet->slots[i].pid > 0 && state_phase(fleet->slots[i].state) >= phase)
			count++;
	return count;
}

/* All guests run (the first, when they come one after the other): the run's clock starts. */
static void begin(struct fleet *fleet)
{
	const struct options *options = fleet->options;
	uint64_t now = clock_monotonic_ns();

	fleet->start = clock_wall_s();
	if (!options->start_stop)
		fleet->stop_at = now + options->duration_ns;
	if (options->truth_interval_ns)
		fleet->reading_at = now + options->truth_interval_ns;
	if (options->ready_fd >= 0)
		(void)!write(options->ready_fd, "", 1);
	if (!options->quiet)
		fprintf(stderr, "kvmload: %u VM%s with %u vCPU%s run\n", fleet->alive,
			fleet->alive == 1 ? "" : "s", options->plan.vcpus,
			options->plan.vcpus == 1 ? "" : "s");
}

static void take_status(struct fleet *fleet)
{
	char bytes[512];

	while (read(fleet->status_fds[0], bytes, sizeof(bytes)) > 0)
		;
	if (fleet->stopping || fleet->alive == 0)
		return;
	if (!fleet->released && count_reached(fleet, PHASE_READY) == fleet->alive) {
		close(fleet->go_fds[1]);
		fleet->go_fds[1] = -1;
		fleet->released = true;
	}
	if (!fleet->released || fleet->start > 0)
		return;
	if (count_reached(fleet, PHASE_RUNNING) >=
	    (fleet->options->start_stop ? 1 : fleet->alive))
		begin(fleet);
}

/* Keeps what is known of a VM that has ended, and judges how it did. */
static void bury(struct fleet *fleet, struct slot *slot, int status, const struct rusage *usage)
{
	struct vm_state *state = slot->state;
	struct vm_end end = {
		.lifetime_cpu_s =
			(double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
			(double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6,
		.killed = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	};
	struct error error = {0};

	if (end.killed && end.killed != SIGKILL && end.killed != SIGTERM) {
		error_set(&error, -ECHILD, "VM %s died: %s", state->plan.name,
			  strsignal(end.killed));
		fail(fleet, &error);
	} else if (!end.killed && WEXITSTATUS(status) != EXIT_OK) {
		if (state->error.code)
			error = state->error;
		else
			error_set(&error, -ECHILD, "VM %s ended at once with status %d",
				  state->plan.name, WEXITSTATUS(status));
		error_prefix(&error, "%s: ", state->plan.name);
		fail(fleet, &error);
	}
	if (end.killed || !state_copy_reading(state, &fleet->buffer))
		state_read(state, &fleet->buffer);
	slot->truth = truth_vm(state, &fleet->buffer, &end);
	slot->pid = 0;
	fleet->alive--;
	state_free(state);
	slot->state = NULL;
}

static void take_children(struct fleet *fleet)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
		for (unsigned i = 0; i < fleet->started; i++)
			if (fleet->slots[i].pid == pid)
				bury(fleet, &fleet->slots[i], status, &usage);
}

static void take_signals(struct fleet *fleet)
{
	struct signalfd_siginfo info;

	while (read(fleet->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD && !fleet->stopping)
			stop(fleet);
	take_children(fleet);
}

static bool readings_complete(const struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->started; i++)
		if (fleet->slots[i].pid > 0 &&
		    state_readings(fleet->slots[i].state) == fleet->slots[i].readings)
			return false;
	return true;
}

/* Asks every VM for a reading and prints a line of them. */
static void print_readings(struct fleet *fleet)
{
	const struct timespec pause = {.tv_nsec = 500000};
	uint64_t limit = clock_monotonic_ns() + READING_NS;
	json_t *line, *vms = json_array();
	double now;

	for (unsigned i = 0; i < fleet->started; i++) {
		if (fleet->slots[i].pid <= 0)
			continue;
		fleet->slots[i].readings = state_readings(fleet->slots[i].state);
		kill(fleet->slots[i].pid, SIGUSR1);
	}
	now = clock_wall_s();
	while (!readings_complete(fleet) && clock_monotonic_ns() < limit)
		nanosleep(&pause, NULL);
	for (unsigned i = 0; i < fleet->started; i++) {
		struct slot *slot = &fleet->slots[i];

		if (slot->pid > 0 && state_readings(slot->state) > slot->readings &&
		    state_copy_reading(slot->state, &fleet->buffer))
			json_array_append_new(vms, truth_vm(slot->state, &fleet->buffer, NULL));
	}
	line = json_pack("{s:f, s:f, s:o}", "time", now, "elapsed_s", now - fleet->start, "vms",
			 vms);
	if (truth_print(line, fleet->truth_file ? fleet->truth_file : stderr, 0) < 0) {
		struct error error = {0};

		error_set(&error, -EIO, "cannot write the truth of an interval");
		fail(fleet, &error);
	}
	json_decref(line);
}

/* Does what is due; returns the ms until something is, -1 for never. */
static int take_time(struct fleet *fleet)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t next;

	if (!fleet->stopping && fleet->reading_at && now >= fleet->reading_at) {
		print_readings(fleet);
		fleet->reading_at += fleet->options->truth_interval_ns;
		now = clock_monotonic_ns();
	}
	if (fleet->stop_at && now >= fleet->stop_at)
		stop(fleet);
	next = fleet->stop_at;
	if (!fleet->stopping && fleet->reading_at && (!next || fleet->reading_at < next))
		next = fleet->reading_at;
	if (!next)
		return -1;
	return next <= now ? 0 : (int)((next - now + NS_PER_MS - 1) / NS_PER_MS);
}

static void run(struct fleet *fleet)
{
	struct pollfd fds[] = {{.fd = fleet->signal_fd, .events = POLLIN},
			       {.fd = fleet->status_fds[0], .events = POLLIN}};

	start_vms(fleet);
	while (fleet->alive > 0) {
		int timeout = take_time(fleet);

		if (poll(fds, 2, timeout) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			take_status(fleet);
		if (fds[0].revents)
			take_signals(fleet);
		start_vms(fleet);
	}
}

static int print_truth(struct fleet *fleet, struct error *error)
{
	double end = clock_wall_s();
	json_t *root, *vms = json_array();
	int status;

	for (unsigned i = 0; i < fleet->started; i++)
		if (fleet->slots[i].truth)
			json_array_append_new(vms, fleet->slots[i].truth);
	root = json_pack("{s:o, s:f, s:f, s:f}", "vms", vms, "start", fleet->start, "end", end,
			 "duration_s", fleet->start > 0 ? end - fleet->start : 0.0);
	status = truth_print(root, stdout, 1);
	json_decref(root);
	return status < 0 ? error_set(error, status, "cannot write the truth") : 0;
}

static void close_pair(const int *fds)
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void tear_down(struct fleet *fleet)
{
	close_pair(fleet->status_fds);
	close_pair(fleet->go_fds);
	if (fleet->signal_fd >= 0)
		close(fleet->signal_fd);
	if (fleet->truth_file)
		fclose(fleet->truth_file);
	free(fleet->slots);
	free(fleet);
}

int fleet_run(const struct options *options, struct error *error)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));
	int status;

	if (!fleet)
		return error_set(error, -ENOMEM, "no memory");
	fleet->options = options;
	fleet->signal_fd = -1;
	fleet->status_fds[0] = fleet->status_fds[1] = -1;
	fleet->go_fds[0] = fleet->go_fds[1] = -1;
	fleet->released = options->start_stop;
	status = set_up(fleet, error);
	if (status == 0) {
		run(fleet);
		if (fleet->error.code) {
			status = fleet->error.code;
			*error = fleet->error;
			for (unsigned i = 0; i < fleet->started; i++)
				json_decref(fleet->slots[i].truth);
		} else {
			status = print_truth(fleet, error);
		}
	}
	tear_down(fleet);
	return status;
}
