/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_BUDGET_H
#define KVMPERF_ACCOUNT_BUDGET_H

#include <stdint.h>

/* Keeps what kvmperf itself costs under a part of the CPUs' time, by the rate of its samples.
 */
struct budget {
	double share;	       /* of each CPU's time; INFINITY: no limit */
	double sample_cost_ns; /* whole cost of one sample; 0: unknown, as if it were free */
	unsigned asked_hz;     /* samples a second and CPU that were asked for */
};

/* Fewer samples than this tell nothing; they are taken whatever the budget says. */
#define BUDGET_LEAST_HZ 25

/* The rate to begin with: what was asked for, or what the whole budget allows. */
unsigned budget_first_rate(const struct budget *budget);

/*
 * The rate for the next interval after one in which kvmperf ran self_ns at rate_hz, with
 * capacity_ns of CPU time in all: what the budget leaves beside its own time. Never more than
 * was asked for, and no more than twice rate_hz.
 */
unsigned budget_next_rate(const struct budget *budget, unsigned rate_hz, uint64_t self_ns,
			  uint64_t capacity_ns);

/* What all of it cost, ns. */
double budget_overhead_ns(const struct budget *budget, uint64_t self_ns, uint64_t samples);

#endif
