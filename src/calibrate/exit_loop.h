/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_EXIT_LOOP_H
#define KVMPERF_CALIBRATE_EXIT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct vmm;

/* A guest that makes exits of one kind in rounds, with its own time known. */
struct exit_loop {
	struct vmm *vmm;
	double ticks_per_ns; /* of the guest's TSC */
	uint64_t random;     /* state of the generator */
};

/* What went on in a round, or in several. */
struct exit_loop_sum {
	uint64_t run_ns;       /* CPU time of the calling thread */
	double guest_ns;       /* truly in guest mode */
	double gap_ns;	       /* in the guest's steps that something came between */
	uint64_t exits;	       /* all that KVM counted */
	uint64_t kernel_exits; /* ordered */
	uint64_t user_exits;   /* ordered */
	uint64_t preemptions;  /* the thread had to leave its CPU */
};

/* Makes the guest; exit_loop_close() also after failure. Errors: as of vmm_new(). */
int exit_loop_open(struct exit_loop *loop, struct error *error);
void exit_loop_close(struct exit_loop *loop);

/* Exits in a round. */
#define EXIT_LOOP_ROUND 16

/*
 * One round of exits in the calling thread: EXIT_LOOP_ROUND that the kernel handles and one
 * return to user space, or with user EXIT_LOOP_ROUND such returns. Before each exit the guest
 * runs a time drawn anew for each round, uniform up to guest_max_ns, so that no timer keeps
 * step with the exits. *round is overwritten.
 */
int exit_loop_round(struct exit_loop *loop, bool user, uint64_t guest_max_ns,
		    struct exit_loop_sum *round, struct error *error);

/* One burst of guest_ns of guest time that only interrupts break. */
int exit_loop_burst(struct exit_loop *loop, uint64_t guest_ns, struct exit_loop_sum *round,
		    struct error *error);

void exit_loop_add(struct exit_loop_sum *sum, const struct exit_loop_sum *round);

#endif
