/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_CONFIDENCE_H
#define KVMPERF_ACCOUNT_CONFIDENCE_H

#include <stdint.h>

/* Samples of one thread, or of several that are alike. */
struct confidence_samples {
	uint64_t all;
	uint64_t hits; /* in the class in question */
	/*
	 * How often a sample was in the class and the thread's one before was not, or the other
	 * way about; CONFIDENCE_INDEPENDENT: as often as with independent samples.
	 */
	uint64_t changes;
};
#define CONFIDENCE_INDEPENDENT UINT64_MAX

/*
 * The design effect: the variance of the share of hits, in parts of that of as many independent
 * samples. From successive differences (Wolter, Introduction to Variance Estimation, 2nd ed.,
 * section 8.2, estimator v2): half of the changes over the samples, where independent samples
 * would have share x (1 - share). Samples are taken all along, so that work whose phases are
 * long against their distance is known better than from samples drawn at random; means of
 * batches would see its phases as noise. How much better is bounded by the jitter of the
 * periods. With more changes than independent samples have, phases are of the order of the
 * distance of samples, which then alternate: an autoregressive process of the first order.
 */
double confidence_design_effect(const struct confidence_samples *samples);

/*
 * The half width that belongs to the share of hits, with as many samples as the design effect
 * leaves; 1 without samples. It is that of the interval of Agresti and Coull (1998), which has
 * Wilson's centre (Wilson 1927) but is wider near 0 and 1: the figure it belongs to is the
 * share itself and not that centre, and Wilson's half width around that held the truth in 84 to
 * 93 % of windows where 3 % of few samples were hits.
 */
double confidence_share(const struct confidence_samples *samples, double quantile);

/* The quantile of one class at 95 %, and of each of so many classes at once (Goodman 1965). */
double confidence_quantile(unsigned classes);

/*
 * The variance (ns squared) of a part estimated as run_ns x hits / samples, such that the 95 %
 * half width is that of confidence_share().
 */
double confidence_variance(uint64_t run_ns, const struct confidence_samples *samples);

/* The variance (ns squared) that belongs to a 95 % half width (ns). */
double confidence_half_width_variance(double half_width);

/* The 95 % half width (ns) that belongs to a variance (ns squared). */
double confidence_half_width(double variance);

#endif
