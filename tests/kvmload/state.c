/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define MAGIC 0x6b766d6cU

static size_t whole_pages(size_t size)
{
	return (size + VMM_PAGE_SIZE - 1) / VMM_PAGE_SIZE * VMM_PAGE_SIZE;
}

size_t state_size(unsigned vcpus)
{
	return whole_pages(sizeof(struct vm_state)) + (size_t)vcpus * VMM_PAGE_SIZE;
}

void *state_mailboxes(struct vm_state *state)
{
	return (char *)state + whole_pages(sizeof(*state));
}

static struct vm_state *map(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int state_new(struct vm_state **out, const struct plan *plan, int *fd, struct error *error)
{
	size_t size = state_size(plan->vcpus);

	*fd = memfd_create("kvmload", MFD_CLOEXEC);
	if (*fd < 0)
		return error_set(error, -errno, "cannot make a memfd: %m");
	if (ftruncate(*fd, (off_t)size) < 0 || !(*out = map(*fd, size))) {
		error_set(error, -errno, "no memory to share with a VM: %m");
		close(*fd);
		return error->code;
	}
	(*out)->magic = MAGIC;
	(*out)->plan = *plan;
	(*out)->go_fd = (*out)->status_fd = -1;
	return 0;
}

int state_attach(struct vm_state **out, int fd, struct error *error)
{
	struct vm_state *state;
	struct stat file;
	size_t size;

	if (fstat(fd, &file) < 0 || file.st_size < (off_t)sizeof(*state))
		return error_set(error, -EBADMSG, "--kvmload-fd is for kvmload's own use");
	size = (size_t)file.st_size;
	state = map(fd, size);
	if (!state)
		return error_set(error, -errno,
				 "cannot map the memory shared with kvmload: %m");
	if (state->magic != MAGIC || size != state_size(state->plan.vcpus)) {
		munmap(state, size);
		return error_set(error, -EBADMSG, "--kvmload-fd is for kvmload's own use");
	}
	*out = state;
	return 0;
}

void state_free(struct vm_state *state)
{
	if (state)
		munmap(state, state_size(state->plan.vcpus));
}

enum vm_phase state_phase(const struct vm_state *state)
{
	return __atomic_load_n(&state->phase, __ATOMIC_ACQUIRE);
}

void state_set_phase(struct vm_state *state, enum vm_phase phase)
{
	const char byte = 0;

	__atomic_store_n(&state->phase, phase, __ATOMIC_RELEASE);
	/* Full means that the reader has been told already. */
	while (write(state->status_fd, &byte, 1) < 0 && errno == EINTR)
		;
}

void account_add(uint64_t *field, uint64_t amount)
{
	__atomic_store_n(field, *field + amount, __ATOMIC_RELAXED);
}

static uint64_t load(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_RELAXED);
}

static void read_account(const struct thread_account *from, struct thread_account *to)
{
	to->tid = from->tid;
	to->role = from->role;
	to->index = from->index;
	memcpy(to->name, from->name, sizeof(to->name));
	to->user_ns = load(&from->user_ns);
	to->user_gap_ns = load(&from->user_gap_ns);
	to->kernel_ns = load(&from->kernel_ns);
	to->sleep_ns = load(&from->sleep_ns);
	to->io_exits = load(&from->io_exits);
	to->tap_packets = load(&from->tap_packets);
	to->tap_dropped = load(&from->tap_dropped);
	to->disk_reads = load(&from->disk_reads);
	to->end_cpu_ns = to->end_ready_ns = 0;
	to->ended = __atomic_load_n(&from->ended, __ATOMIC_ACQUIRE);
	if (to->ended) {
		to->end_cpu_ns = from->end_cpu_ns;
		to->end_ready_ns = from->end_ready_ns;
	}
}

static void read_mailbox(const struct vm_state *state, const struct vmm_mailbox *mailbox,
			 struct thread_truth *truth)
{
	double ns = (double)NS_PER_S / state->tsc_hz;

	truth->guest_ns = (uint64_t)((double)load(&mailbox->guest_ticks) * ns);
	truth->guest_gap_ns = (uint64_t)((double)load(&mailbox->gap_sum) * ns);
	truth->guest_stall_ns = (uint64_t)((double)load(&mailbox->stall_sum) * ns);
	truth->exit_ns = (uint64_t)((double)load(&mailbox->exit_ticks) * ns);
	truth->kernel_exits = load(&mailbox->kernel_exits);
	truth->steps = load(&mailbox->steps);
}

void state_read(struct vm_state *state, struct vm_truth *truth)
{
	struct vmm_mailbox *mailbox;
	const char *mailboxes = state_mailboxes(state);

	truth->start = state->start;
	truth->time = clock_wall_s();
	truth->cpu_known = false;
	truth->cpu_ns = 0;
	truth->thread_count = state->thread_count;
	for (unsigned i = 0; i < state->thread_count; i++) {
		struct thread_truth *thread = &truth->threads[i];

		memset(thread, 0, sizeof(*thread));
		read_account(&state->threads[i], &thread->account);
		if (thread->account.role != THREAD_VCPU || state->tsc_hz <= 0)
			continue;
		mailbox = (void *)(mailboxes + (size_t)thread->account.index * VMM_PAGE_SIZE);
		read_mailbox(state, mailbox, thread);
	}
}

void state_begin_reading(struct vm_state *state)
{
	__atomic_store_n(&state->reading, state->reading + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void state_end_reading(struct vm_state *state)
{
	__atomic_store_n(&state->reading, state->reading + 1, __ATOMIC_RELEASE);
}

uint64_t state_readings(const struct vm_state *state)
{
	return __atomic_load_n(&state->reading, __ATOMIC_ACQUIRE) / 2;
}

bool state_copy_reading(const struct vm_state *state, struct vm_truth *truth)
{
	uint64_t before = __atomic_load_n(&state->reading, __ATOMIC_ACQUIRE);

	if (before == 0 || before % 2)
		return false;
	memcpy(truth, &state->truth, offsetof(struct vm_truth, threads));
	memcpy(truth->threads, state->truth.threads,
	       truth->thread_count * sizeof(truth->threads[0]));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&state->reading, __ATOMIC_RELAXED) == before;
}
