/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/confidence.h"

#include <math.h>

/* The normal distribution's 97.5 % point. */
static const double quantile = 1.959963984540054;

double confidence_variance(uint64_t run_ns, uint64_t hits, uint64_t samples)
{
	double run = (double)run_ns;

	if (samples == 0)
		return run * run / (quantile * quantile);
	double n = (double)samples + 4.0;
	double p = ((double)hits + 2.0) / n;
	return run * run * p * (1.0 - p) / n;
}

double confidence_half_width(double variance)
{
	return variance > 0.0 ? quantile * sqrt(variance) : 0.0;
}

double confidence_half_width_variance(double half_width)
{
	return half_width * half_width / (quantile * quantile);
}
