/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "burn.h"
#include "style.h"
#include "worker.h"

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The main thread's base is kept apart: it has no struct worker. */
struct base {
	uint64_t process_cpu_ns;
	uint64_t main_cpu_ns;
	uint64_t main_ready_ns;
};

static void take_base(struct machine *machine, struct base *base)
{
	for (unsigned i = 0; i < machine->worker_count; i++) {
		struct worker *worker = &machine->workers[i];

		worker->base_cpu_ns = clock_ns(worker->clock);
		worker->base_ready_ns = burn_ready_ns(worker->account->tid);
	}
	base->main_ready_ns = burn_ready_ns(getpid());
	base->main_cpu_ns = clock_thread_ns();
	base->process_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void read_worker(struct machine *machine, const struct worker *worker,
			struct thread_truth *truth)
{
	const struct thread_account *account = &truth->account;

	if (account->ended) {
		truth->cpu_ns = account->end_cpu_ns;
		truth->ready_ns = account->end_ready_ns;
	} else {
		truth->cpu_ns = clock_ns(worker->clock) - worker->base_cpu_ns;
		truth->ready_ns = burn_ready_ns(account->tid) - worker->base_ready_ns;
	}
	if (account->role == THREAD_VCPU &&
	    vmm_exits(machine->vmm, (unsigned)account->index, &truth->kvm_exits, NULL) < 0)
		truth->kvm_exits = UINT64_MAX;
}

/* Makes a reading and tells kvmload that it is there. */
static void make_reading(struct machine *machine, const struct base *base)
{
	struct vm_state *state = machine->state;
	struct vm_truth *truth = &state->truth;

	state_begin_reading(state);
	state_read(state, truth);
	truth->threads[0].cpu_ns = clock_thread_ns() - base->main_cpu_ns;
	truth->threads[0].ready_ns = burn_ready_ns(getpid()) - base->main_ready_ns;
	for (unsigned i = 0; i < machine->worker_count; i++)
		read_worker(machine, &machine->workers[i], &truth->threads[1 + i]);
	truth->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - base->process_cpu_ns;
	truth->cpu_known = true;
	state_end_reading(state);
}

static void ignore_signal(int signal)
{
	(void)signal;
}

/* SIGTERM and SIGUSR1 are read from the descriptor; SIGUSR2 interrupts KVM_RUN. */
static int set_up_signals(int *signal_fd, struct error *error)
{
	struct sigaction kick = {.sa_handler = ignore_signal};
	sigset_t set;

	signal(SIGINT, SIG_IGN); /* of the terminal: kvmload gets it too and tells us */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0 || sigaction(SIGUSR2, &kick, NULL) < 0)
		return error_set(error, -errno, "cannot set up signals: %m");
	*signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*signal_fd < 0)
		return error_set(error, -errno, "cannot make a signalfd: %m");
	return 0;
}

static int set_affinity(const struct plan *plan, struct error *error)
{
	cpu_set_t set;

	if (plan->cpu_count == 0)
		return 0;
	CPU_ZERO(&set);
	for (unsigned i = 0; i < plan->cpu_count; i++) {
		if (plan->cpus[i] >= CPU_SETSIZE)
			return error_set(error, -EINVAL, "--pin: no CPU %u", plan->cpus[i]);
		CPU_SET(plan->cpus[i], &set);
	}
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return error_set(error, -errno, "--pin: cannot use these CPUs: %m");
	return 0;
}

static int create_workers(struct machine *machine, struct error *error)
{
	const struct plan *plan = &machine->state->plan;
	unsigned count = plan->vcpus + plan->iothreads;
	int status;

	status = pthread_barrier_init(&machine->go, NULL, count + 1);
	if (status != 0)
		return error_set(error, -status, "cannot make a barrier: %s", strerror(status));
	for (unsigned i = 0; i < count; i++) {
		status = worker_create(machine, i, error);
		if (status < 0)
			return status;
		machine->worker_count++;
	}
	pthread_barrier_wait(&machine->go); /* all are there: names and tids are known */
	for (unsigned i = 0; i < count; i++) {
		struct worker *worker = &machine->workers[i];

		if (!worker->account->name[0])
			strcpy(worker->account->name, machine->state->threads[0].name);
		if (pthread_getcpuclockid(worker->thread, &worker->clock) != 0)
			return error_set(error, -ESRCH, "a thread has no CPU clock");
	}
	machine->state->thread_count = 1 + count;
	return 0;
}

static int set_up(struct machine *machine, struct error *error)
{
	struct vm_state *state = machine->state;
	struct thread_account *self = &state->threads[0];
	struct vmm_options options = {
		.vcpus = state->plan.vcpus,
		.supervisor = state->plan.supervisor,
		.mailboxes = state_mailboxes(state),
	};
	int status;

	self->tid = getpid();
	self->role = THREAD_VMM;
	self->index = -1;
	strcpy(self->name, style_comm(state->plan.style));
	(void)prctl(PR_SET_NAME, self->name);
	machine->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (machine->stop_fd < 0)
		return error_set(error, -errno, "cannot make an eventfd: %m");
	status = set_affinity(&state->plan, error);
	if (status == 0)
		status = vmm_new(&machine->vmm, &options, error);
	if (status == 0 && state->plan.exit_kind == EXIT_KIND_CPUID)
		status = vmm_try_kernel_exit(machine->vmm, 0, VMM_EXIT_CPUID, error);
	if (status == 0)
		status = taps_open(&machine->taps, &state->plan, error);
	if (status == 0)
		status = disk_open(&machine->disk, &state->plan, error);
	if (status < 0)
		return status;
	state->tsc_hz = vmm_tsc_hz(machine->vmm);
	return create_workers(machine, error);
}

/* Reads the waiting signals: true when the VM shall end. */
static bool take_signals(struct machine *machine, int signal_fd, const struct base *base)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			return true;
		if (base)
			make_reading(machine, base);
	}
	return false;
}

/* Waits until kvmload lets the run start; false when the VM shall end before. */
static bool wait_for_start(struct machine *machine, int signal_fd)
{
	struct pollfd fds[] = {{.fd = machine->state->go_fd, .events = POLLIN},
			       {.fd = signal_fd, .events = POLLIN}};

	while (fds[0].fd >= 0 && !fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		if (take_signals(machine, signal_fd, NULL))
			return false;
	}
	return true;
}

static void run(struct machine *machine, int signal_fd, const struct base *base)
{
	uint64_t run_ns = machine->state->plan.run_ns;
	uint64_t end = clock_monotonic_ns() + run_ns;
	struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
			       {.fd = machine->stop_fd, .events = POLLIN}};

	do {
		struct timespec timeout = {0};
		uint64_t now = clock_monotonic_ns();

		if (run_ns && now >= end)
			return;
		if (run_ns) {
			timeout.tv_sec = (time_t)((end - now) / NS_PER_S);
			timeout.tv_nsec = (long)((end - now) % NS_PER_S);
		}
		if (ppoll(fds, 2, run_ns ? &timeout : NULL, NULL) < 0 && errno != EINTR)
			return;
	} while (!fds[1].revents && !take_signals(machine, signal_fd, base));
}

static void stop_workers(struct machine *machine)
{
	machine_stop(machine);
	for (unsigned i = 0; i < machine->worker_count; i++) {
		struct worker *worker = &machine->workers[i];

		if (worker->account->role == THREAD_VCPU)
			vmm_interrupt(machine->vmm, (unsigned)worker->account->index);
		(void)pthread_kill(worker->thread, SIGUSR2);
	}
	for (unsigned i = 0; i < machine->worker_count; i++)
		pthread_join(machine->workers[i].thread, NULL);
}

static int live(struct machine *machine, struct error *error)
{
	struct vm_state *state = machine->state;
	struct base base;
	int signal_fd = -1;
	int status = set_up_signals(&signal_fd, error);

	if (status == 0)
		status = set_up(machine, error);
	if (status < 0)
		return status;
	state_set_phase(state, PHASE_READY);
	if (!wait_for_start(machine, signal_fd))
		machine_stop(machine);
	take_base(machine, &base);
	state->start = clock_wall_s();
	pthread_barrier_wait(&machine->go);
	run(machine, signal_fd, &base);
	stop_workers(machine);
	make_reading(machine, &base);
	return state->error.code;
}

int machine_main(int fd)
{
	struct error error = {0};
	struct machine *machine;
	struct vm_state *state;
	int status;

	if (state_attach(&state, fd, &error) < 0) {
		fprintf(stderr, "kvmload: %s\n", error.message);
		return EXIT_USAGE;
	}
	close(fd);
	/* kvmload may have died before the kernel was asked to tell us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	machine = calloc(1, sizeof(*machine));
	if (!machine || getppid() != state->parent) {
		free(machine);
		return EXIT_FAILED;
	}
	machine->state = state;
	machine->stop_fd = -1;
	pthread_mutex_init(&machine->error_lock, NULL);
	status = live(machine, &error);
	if (status < 0 && state->error.code == 0)
		state->error = error;
	state_set_phase(state, status < 0 ? PHASE_FAILED : PHASE_ENDED);
	/* Threads may still wait for a start that failed: leave without taking things down. */
	if (status < 0)
		_exit(EXIT_FAILED);
	taps_close(&machine->taps);
	disk_close(&machine->disk);
	vmm_free(machine->vmm);
	close(machine->stop_fd);
	pthread_barrier_destroy(&machine->go);
	free(machine);
	state_free(state);
	return EXIT_OK;
}
