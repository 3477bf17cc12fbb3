/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_PROFILE_INTERNAL_H
#define KVMPERF_REPORT_PROFILE_INTERNAL_H

/* For the files that make up struct profile. */

#include <string.h>

#include "report/profile.h"

/* A gap of more periods than this is idle time, and no late sample. */
#define GAP_PERIODS 4

/* struct profile_cpu: the next sample doesn't simply follow a counted one. */
#define FROM_NONE (1ULL << 63)

/* The exponent of the rate and three bits of its mantissa: eight steps an octave, from 2^-32.
 */
#define RATE_BIAS ((1023 - 32) * 8)

static inline void profile_count_rate(struct profile *profile, double gap_ns, uint64_t weight)
{
	double rate = (double)weight / gap_ns;
	uint64_t bits;

	memcpy(&bits, &rate, sizeof(bits));
	uint64_t step = (bits >> 49) - RATE_BIAS;
	if (step < RATE_STEPS)
		profile->rates[step]++;
}

/*
 * What a sample stands for, in the anchor's unit. gap_ns: since the last one of its CPU, 0 when
 * there is none; lost: samples in between were lost.
 */
static inline double profile_stands_for(struct profile *profile, double gap_ns, uint64_t weight,
					bool lost)
{
	switch (profile->anchor) {
	case ANCHOR_GAPS:
		if (gap_ns > 0 && (lost || gap_ns <= GAP_PERIODS * profile->period_ns))
			return gap_ns;
		return profile->period_ns;
	case ANCHOR_CYCLES:
		if (gap_ns > 0 && weight)
			profile_count_rate(profile, gap_ns, weight);
		break;
	case ANCHOR_WEIGHTS:
	case ANCHOR_SHARES: break;
	}
	return (double)weight;
}

#endif
