/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_WORKER_H
#define KVMLOAD_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "disk.h"
#include "state.h"
#include "tap.h"
#include "vmm/vmm.h"

struct machine;

/* A thread of the VM that works: a vCPU or an I/O thread. */
struct worker {
	struct machine *machine;
	struct thread_account *account;
	pthread_t thread;
	clockid_t clock;
	uint64_t base_cpu_ns; /* of the thread's clock and run-queue wait at the start */
	uint64_t base_ready_ns;
};

struct machine {
	struct vm_state *state;
	struct vmm *vmm;
	struct taps taps; /* the first I/O thread's */
	struct disk disk; /* the same */
	int stop_fd;	  /* eventfd, readable when all shall stop */
	bool stop;	  /* the same, atomic */
	unsigned begun;	  /* workers that have begun, atomic */
	pthread_mutex_t error_lock;
	pthread_barrier_t go;
	unsigned worker_count;
	struct worker workers[VMM_MAX_VCPUS + PLAN_MAX_IOTHREADS];
};

/* Creates the thread of account number 1 + index; it waits for machine->go. */
int worker_create(struct machine *machine, unsigned index, struct error *error);

/* Asks all workers to stop; safe from any thread. */
void machine_stop(struct machine *machine);

#endif
