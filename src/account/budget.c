/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/budget.h"

/* The rate whose samples take this part of each CPU's time. */
static unsigned rate_of_share(const struct budget *budget, double share)
{
	double hz = (double)budget->asked_hz;

	if (budget->sample_cost_ns > 0 && share * 1e9 / budget->sample_cost_ns < hz)
		hz = share * 1e9 / budget->sample_cost_ns;
	if (hz >= BUDGET_LEAST_HZ)
		return (unsigned)hz;
	return budget->asked_hz < BUDGET_LEAST_HZ ? budget->asked_hz : BUDGET_LEAST_HZ;
}

unsigned budget_first_rate(const struct budget *budget)
{
	return rate_of_share(budget, budget->share);
}

unsigned budget_next_rate(const struct budget *budget, unsigned rate_hz, uint64_t self_ns,
			  uint64_t capacity_ns)
{
	double own = capacity_ns ? (double)self_ns / (double)capacity_ns : 0;
	unsigned next = rate_of_share(budget, budget->share - own);

	return next > 2 * rate_hz ? 2 * rate_hz : next;
}

double budget_overhead_ns(const struct budget *budget, uint64_t self_ns, uint64_t samples)
{
	return (double)self_ns + (double)samples * budget->sample_cost_ns;
}
