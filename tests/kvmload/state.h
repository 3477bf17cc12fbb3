/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_STATE_H
#define KVMLOAD_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "discover/vm.h"
#include "plan.h"
#include "vmm/vmm.h"

/* Memory that kvmload and one VM's process share: a memfd, its descriptor told by argument. */

#define STATE_MAX_THREADS (1 + VMM_MAX_VCPUS + PLAN_MAX_IOTHREADS)

enum vm_phase {
	PHASE_FAILED = -1,
	PHASE_NEW,
	PHASE_READY,   /* set up, waits for the start */
	PHASE_RUNNING, /* every thread has begun */
	PHASE_ENDED,
};

/* A thread's work so far, in ns; the thread alone writes it, atomically field by field. */
struct thread_account {
	pid_t tid;
	enum thread_role role;
	int index; /* vCPU or I/O thread number; -1 for the main thread */
	char name[16];
	uint64_t user_ns;     /* thread CPU time of user bursts */
	uint64_t user_gap_ns; /* wall-clock time of gaps in them: interrupts, preemption */
	uint64_t kernel_ns;   /* thread CPU time of kernel bursts, of tap and disk I/O */
	uint64_t sleep_ns; /* wall-clock time of sleeps, with the wait for a CPU after them */
	uint64_t io_exits; /* exits handled by the VMM */
	uint64_t tap_packets; /* frames sent */
	uint64_t tap_dropped; /* frames the tap refused */
	uint64_t disk_reads;
	uint64_t end_cpu_ns; /* since the start, told at the thread's end; else 0 */
	uint64_t end_ready_ns;
	uint64_t ended;
};

/* One reading of a thread. */
struct thread_truth {
	struct thread_account account;
	uint64_t guest_ns;	 /* vCPUs: time in guest mode, gap-free */
	uint64_t guest_gap_ns;	 /* wall-clock time of the gaps in guest bursts */
	uint64_t guest_stall_ns; /* of these, gaps longer than plan.stall_ns */
	uint64_t kernel_exits;	 /* exits handled in the kernel */
	uint64_t exit_ns;	 /* wall-clock time of those as the guest saw it */
	uint64_t steps;		 /* the guest's progress */
	uint64_t kvm_exits;	 /* as KVM counts them; UINT64_MAX: not known */
	uint64_t cpu_ns;	 /* thread CPU time since the start */
	uint64_t ready_ns;	 /* run-queue wait since the start */
};

/* One reading of a VM; all times since its start. */
struct vm_truth {
	double start;	/* of the run, seconds since 1970; 0 before */
	double time;	/* of this reading */
	bool cpu_known; /* cpu, ready and kvm_exits: not of a VM that was killed */
	uint64_t cpu_ns;
	unsigned thread_count;
	struct thread_truth threads[STATE_MAX_THREADS];
};

struct vm_state {
	uint32_t magic;
	struct plan plan;
	int go_fd;     /* at end of file when the run shall start; -1: at once */
	int status_fd; /* a byte for each change of phase */
	pid_t parent;
	enum vm_phase phase;
	struct error error; /* why the VM failed */
	double tsc_hz;
	double start;
	unsigned thread_count;
	struct thread_account threads[STATE_MAX_THREADS];
	uint64_t reading; /* odd while truth is written, else twice the number of readings */
	struct vm_truth truth;
};

/* The mailboxes, one page a vCPU, follow the state. */
size_t state_size(unsigned vcpus);
void *state_mailboxes(struct vm_state *state);

/*
 * Makes the memory for a VM; *fd belongs to the caller. The state is mapped and filled in with
 * the plan.
 */
int state_new(struct vm_state **out, const struct plan *plan, int *fd, struct error *error);

/* Maps the state behind the descriptor that a VM's process was given. */
int state_attach(struct vm_state **out, int fd, struct error *error);

void state_free(struct vm_state *state);

enum vm_phase state_phase(const struct vm_state *state);
void state_set_phase(struct vm_state *state, enum vm_phase phase);

/* Adds to a field of the calling thread's own account. */
void account_add(uint64_t *field, uint64_t amount);

/* Reads what the threads and guests have done. Leaves the fields from cpu_ns on at 0. */
void state_read(struct vm_state *state, struct vm_truth *truth);

/* The VM's process brackets each change of state->truth with these. */
void state_begin_reading(struct vm_state *state);
void state_end_reading(struct vm_state *state);

/* The number of readings so far that are complete. */
uint64_t state_readings(const struct vm_state *state);

/* Copies the last reading; false when there is none, or a new one is being made. */
bool state_copy_reading(const struct vm_state *state, struct vm_truth *truth);

#endif
