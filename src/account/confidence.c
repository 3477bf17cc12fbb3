/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/confidence.h"

#include <math.h>

/* Changes that are added to those seen: where none was there may have been some. */
#define CHANGES_MORE 2

/*
 * Periods from half to one and a half of the nominal one, the same for about 7 samples, make
 * samples lie denser here than there. Phases longer than that see it as if they were sampled at
 * random: 7 times the squared variation of the density, 1/9, were it not for their edges.
 */
#define UNEVEN 0.6

/*
 * The number of changes of independent samples has a standard deviation of 1/sqrt(samples) of
 * its mean. This part of it is taken for chance: all of it makes intervals some 4 % too wide
 * where neighbours do differ, none of it some 3 % too narrow where they don't (simulated, 125
 * samples).
 */
#define CHANCE_PART 0.5

/*
 * Where the changes are so many times those of independent samples, the correlation of
 * neighbours is 1 less that, and the variance that of a first-order autoregressive process:
 * (1 + correlation) / (1 - correlation), but not trusted beyond this.
 */
#define ALTERNATING	 0.3
#define ALTERNATING_MOST (2 / (1 + ALTERNATING))

double confidence_design_effect(const struct confidence_samples *samples)
{
	if (samples->changes == CONFIDENCE_INDEPENDENT || samples->all == 0)
		return 1;
	double hits = (double)samples->hits;
	double independent = 2 * hits * (1 - hits / (double)samples->all);
	double effect =
		((double)samples->changes + CHANGES_MORE) / (independent + CHANGES_MORE);
	double chance = CHANCE_PART / sqrt((double)samples->all);

	if (effect < 1)
		return UNEVEN + (1 - UNEVEN) * fmin(effect + chance, 1);
	/* Neighbours that differ more often than by chance make up for each other. */
	effect -= chance;
	if (effect <= 1)
		return 1;
	return effect < ALTERNATING_MOST ? (2 - effect) / effect : ALTERNATING;
}

double confidence_share(const struct confidence_samples *samples, double z)
{
	if (samples->all == 0)
		return 1;
	double n = (double)samples->all / confidence_design_effect(samples);
	double p = (double)samples->hits / (double)samples->all;
	double more = n + z * z;
	double shrunk = (n * p + z * z / 2) / more;
	return z * sqrt(shrunk * (1 - shrunk) / more);
}

double confidence_quantile(unsigned classes)
{
	/* Square roots of the chi-squared distribution's 1 - 0.05 / classes points. */
	static const double quantiles[] = {1.959963984540054, 2.241402727604947,
					   2.393979800486510, 2.497705474412374};
	unsigned last = sizeof(quantiles) / sizeof(quantiles[0]);

	return quantiles[(classes < 1 ? 1 : classes > last ? last : classes) - 1];
}

double confidence_variance(uint64_t run_ns, const struct confidence_samples *samples)
{
	return confidence_half_width_variance(
		(double)run_ns * confidence_share(samples, confidence_quantile(1)));
}

double confidence_half_width(double variance)
{
	return variance > 0.0 ? confidence_quantile(1) * sqrt(variance) : 0.0;
}

double confidence_half_width_variance(double half_width)
{
	double deviation = half_width / confidence_quantile(1);

	return deviation * deviation;
}
