/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_LEDGER_INTERNAL_H
#define KVMPERF_ACCOUNT_LEDGER_INTERNAL_H

/* What the parts of the ledger share: ledger.c, ledger_shared.c, ledger_errors.c. */

#include "account/composition.h"
#include "account/label_times.h"
#include "account/ledger.h"

/* Variances (ns squared) of a VM's estimated parts, summed over its threads and pools. */
struct ledger_variances {
	double guest;
	double vmm;
	double kernel;
	double hypervisor;
};

/* The work on one ledger. */
struct ledger_work {
	const struct account_input *input;
	struct ledger *ledger;
	struct composition *own;		       /* of each thread */
	struct composition by_role[ACCOUNT_ROLES_MAX]; /* of all VMs' threads of a role */
	struct composition interrupts;	     /* all interrupt samples, where they stand apart */
	struct ledger_variances *variances;  /* of each VM */
	struct label_times pool[WORK_COUNT]; /* shared work by subsystem */
	uint64_t exact_hardirq_ns;	     /* of all threads, in exact mode */
	uint64_t exact_softirq_ns;
	uint64_t *parts; /* room for the apportionment of one thread's time */
	uint64_t *weights;
	size_t room;
};

static inline bool is_interrupt(enum account_mode mode)
{
	return mode == MODE_SOFTIRQ || mode == MODE_HARDIRQ;
}

/* Interrupt work of which nobody told the kind is still an interrupt's. */
static inline enum shared_work work_of(const struct cell *cell)
{
	return cell->work == WORK_NONE ? WORK_OTHER : cell->work;
}

/* Is what a thread of no VM did in its own context done for others? */
static inline bool is_shared(enum account_owner owner, const struct cell *cell)
{
	return owner == OWNER_SHARED || (owner == OWNER_KERNEL && cell->work != WORK_NONE);
}

/* Makes room for count parts and weights. -ENOMEM. */
int ledger_reserve_parts(struct ledger_work *work, size_t count);

/* Spreads ns over the cells of a composition; the result is in work->parts. -ENOMEM. */
int ledger_spread(struct ledger_work *work, const struct composition *composition, uint64_t ns);

/*
 * Divides a thread's charged time as its exact times are divided. What interrupts took is left
 * for ledger_charge_interrupts(), unless the thread's time is without them anyway.
 */
struct exact_times ledger_divide_exactly(struct ledger_work *work, size_t index);

/* Adds the time of an interrupt's or shared work's cell to the pool. -ENOMEM. */
int ledger_add_to_pool(struct ledger_work *work, const struct cell *cell, uint64_t ns);

/* Takes what interrupts did while the CPUs were idle from the idle time. -ENOMEM. */
int ledger_charge_idle(struct ledger_work *work);

/* Adds the interrupt time to the pool that is known exactly and was in no thread. -ENOMEM. */
int ledger_charge_interrupts(struct ledger_work *work);

/* Gives the pool to the VMs, and what no VM owns to nobody. -ENOMEM. */
int ledger_apportion_pool(struct ledger_work *work);

/* Adds the variance of a VM's parts whose run_ns was divided by a composition of samples. */
void ledger_add_variance(const struct ledger_work *work, struct ledger_variances *variances,
			 uint64_t run_ns, const struct composition *composition);

/* Makes the VMs' error bars of their variances. The pool has been given to them. */
void ledger_estimate_errors(struct ledger_work *work);

#endif
