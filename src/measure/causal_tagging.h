/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_CAUSAL_TAGGING_H
#define KVMPERF_MEASURE_CAUSAL_TAGGING_H

#include "account/affine_fit.h"
#include "base/error.h"
#include "discover/vm.h"
#include "measure/shared_causes.h"

/*
 * Causal tagging in the course of a session: when it runs, and what is made of it. With
 * POLICY_AFFINE it runs for a second in twenty and fits the model anew each time; with
 * POLICY_CAUSAL for a part of every second. Either way it runs less where packets are so many
 * that it would cost more than its part of the budget.
 */
struct causal_tagging;

/* *out is owned by the caller (causal_tagging_free). Errors: of causal_new(). */
int causal_tagging_new(struct causal_tagging **out, enum shared_policy policy, size_t cpus,
		       struct error *error);

/*
 * Who owns what from now on: to be called with every VM after causal_tagging_clear_vms(), then
 * causal_tagging_use_vms(). owner: a number of the VM's own, from 1 on, for the whole session.
 */
void causal_tagging_clear_vms(struct causal_tagging *tagging);
int causal_tagging_add_vm(struct causal_tagging *tagging, const struct vm *vm,
			  const struct vm_causes *causes, uint32_t owner);
int causal_tagging_use_vms(struct causal_tagging *tagging);

/* Takes in what was tagged and begins or ends a window, when it's time; every 100 ms or so. */
void causal_tagging_tick(struct causal_tagging *tagging, uint64_t now_ns,
			 struct affine_model *model);

/* Moves what was measured of an owner (0: nobody) since the last call to a user. */
void causal_tagging_take(struct causal_tagging *tagging, uint32_t owner,
			 struct shared_use *user);

/* What to say of it in the output. */
struct causal_tagging_state {
	struct affine_fit_result fit; /* the last */
	uint64_t lost;		      /* batches, since the last call */
	double on_s;		      /* time for which it ran, since the last call */
	uint64_t packets;	      /* that were tagged in this time */
};

struct causal_tagging_state causal_tagging_state(struct causal_tagging *tagging);

/* NULL is allowed. */
void causal_tagging_free(struct causal_tagging *tagging);

#endif
