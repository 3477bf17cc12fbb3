/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "burn.h"
#include "style.h"

#define STACK_SIZE (256 * 1024)

/* Turns of the guest's inner loop between two looks at its clock: about 20 ns. */
#define GUEST_SPIN 32

/* A thread with a tap or a disk looks after it at least this often. */
#define IO_TURN_NS NS_PER_MS

static bool stopped(const struct machine *machine)
{
	return __atomic_load_n(&machine->stop, __ATOMIC_RELAXED);
}

void machine_stop(struct machine *machine)
{
	const uint64_t one = 1;

	__atomic_store_n(&machine->stop, true, __ATOMIC_RELAXED);
	/* It can't fail: nobody ever writes enough to make the counter overflow. */
	(void)!write(machine->stop_fd, &one, sizeof(one));
}

static void fail(struct machine *machine, const struct error *error)
{
	pthread_mutex_lock(&machine->error_lock);
	if (machine->state->error.code == 0)
		machine->state->error = *error;
	pthread_mutex_unlock(&machine->error_lock);
	machine_stop(machine);
}

static uint64_t random_below(uint64_t limit)
{
	uint64_t value;

	if (limit == 0 || getrandom(&value, sizeof(value), 0) != sizeof(value))
		return 0;
	return value % limit;
}

/* VMs that start together shall not sleep and wake together. */
static void sleep_to_random_phase(struct worker *self, const struct bursts *bursts)
{
	burn_sleep(self->account, random_below(bursts->sleep_ns), self->machine->stop_fd);
}

/* One guest burst of the plan, with the exits it asks for; *owed carries their fraction on. */
static void guest_burst(struct worker *self, struct vmm_mailbox *mailbox, double *owed)
{
	struct machine *machine = self->machine;
	const struct plan *plan = &machine->state->plan;
	unsigned vcpu = (unsigned)self->account->index;
	uint64_t ticks = (uint64_t)((double)plan->vcpu.guest_ns * vmm_tsc_hz(machine->vmm) /
				    (double)NS_PER_S);
	struct error error = {0};
	uint64_t slices;

	*owed += plan->exits_per_burst;
	slices = 1 + (uint64_t)*owed;
	*owed -= (double)(slices - 1);
	mailbox->slice_ticks = ticks / slices;
	mailbox->slices = plan->exit_kind == EXIT_KIND_IO ? 1 : slices;

	for (uint64_t run = 0; run < slices / mailbox->slices && !stopped(machine);) {
		int status = vmm_run(machine->vmm, vcpu, &error);

		if (status == 0) {
			account_add(&self->account->io_exits, 1);
			run++;
		} else if (status != -EINTR) {
			fail(machine, &error);
			return;
		}
	}
}

static void work_as_vcpu(struct worker *self)
{
	struct machine *machine = self->machine;
	const struct plan *plan = &machine->state->plan;
	struct vmm_mailbox *mailbox = vmm_mailbox(machine->vmm, (unsigned)self->account->index);
	double owed = 0;

	mailbox->spin = GUEST_SPIN;
	mailbox->gap_ticks = 1 + (uint64_t)((double)plan->gap_ns * vmm_tsc_hz(machine->vmm) /
					    (double)NS_PER_S);
	mailbox->stall_ticks = (uint64_t)((double)plan->stall_ns * vmm_tsc_hz(machine->vmm) /
					  (double)NS_PER_S);
	mailbox->kernel_exit =
		plan->exit_kind == EXIT_KIND_CPUID ? VMM_EXIT_CPUID : VMM_EXIT_KICK;
	sleep_to_random_phase(self, &plan->vcpu);
	while (!stopped(machine)) {
		if (plan->vcpu.guest_ns)
			guest_burst(self, mailbox, &owed);
		burn_user(self->account, plan->vcpu.user_ns, vmm_tsc_hz(machine->vmm),
			  plan->gap_ns, &machine->stop);
		burn_kernel(self->account, plan->vcpu.kernel_ns, &machine->stop);
		if (plan->vcpu.sleep_ns)
			burn_sleep(self->account, plan->vcpu.sleep_ns, machine->stop_fd);
	}
}

static void work_as_iothread(struct worker *self)
{
	struct machine *machine = self->machine;
	const struct plan *plan = &machine->state->plan;
	bool has_taps = self->account->index == 0 && machine->taps.count > 0;
	bool has_disk = self->account->index == 0 && machine->disk.fd >= 0;
	uint64_t sleep_ns = plan->iothread.sleep_ns;

	if ((has_taps || has_disk) && sleep_ns > IO_TURN_NS)
		sleep_ns = IO_TURN_NS;
	sleep_to_random_phase(self, &plan->iothread);
	while (!stopped(machine)) {
		if (has_taps)
			taps_work(&machine->taps, self->account);
		if (has_disk)
			disk_work(&machine->disk, self->account);
		burn_user(self->account, plan->iothread.user_ns, vmm_tsc_hz(machine->vmm),
			  plan->gap_ns, &machine->stop);
		burn_kernel(self->account, plan->iothread.kernel_ns, &machine->stop);
		burn_sleep(self->account, sleep_ns, machine->stop_fd);
	}
}

static void put_on_cpu(const struct worker *self)
{
	const struct plan *plan = &self->machine->state->plan;
	cpu_set_t set;

	if (plan->cpu_count == 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(plan->cpus[(plan->first_vcpu + (unsigned)self->account->index) %
			   plan->cpu_count],
		&set);
	/* The main thread has set the whole list already, so each CPU of it is good. */
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void *worker_main(void *argument)
{
	struct worker *self = argument;
	struct machine *machine = self->machine;
	struct thread_account *account = self->account;
	bool is_vcpu = account->role == THREAD_VCPU;

	account->tid = gettid();
	if (account->name[0])
		(void)pthread_setname_np(pthread_self(), account->name);
	if (is_vcpu)
		put_on_cpu(self);
	pthread_barrier_wait(&machine->go); /* all are there */
	pthread_barrier_wait(&machine->go); /* go */
	if (__atomic_add_fetch(&machine->begun, 1, __ATOMIC_RELAXED) == machine->worker_count)
		state_set_phase(machine->state, PHASE_RUNNING);
	if (is_vcpu)
		work_as_vcpu(self);
	else
		work_as_iothread(self);
	account->end_ready_ns = burn_ready_ns(account->tid) - self->base_ready_ns;
	account->end_cpu_ns = clock_thread_ns() - self->base_cpu_ns;
	__atomic_store_n(&account->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

int worker_create(struct machine *machine, unsigned index, struct error *error)
{
	const struct plan *plan = &machine->state->plan;
	struct worker *worker = &machine->workers[index];
	struct thread_account *account = &machine->state->threads[1 + index];
	pthread_attr_t attributes;
	int status;

	worker->machine = machine;
	worker->account = account;
	if (index < plan->vcpus) {
		account->role = THREAD_VCPU;
		account->index = (int)index;
		style_vcpu_name(plan->style, index, account->name);
	} else {
		account->role = THREAD_IOTHREAD;
		account->index = (int)(index - plan->vcpus);
		style_iothread_name(plan->style, index - plan->vcpus, account->name);
	}
	status = pthread_attr_init(&attributes);
	if (status == 0) {
		(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
		status = pthread_create(&worker->thread, &attributes, worker_main, worker);
		pthread_attr_destroy(&attributes);
	}
	if (status != 0)
		return error_set(error, -status, "cannot make a thread: %s", strerror(status));
	return 0;
}
