/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_CONFIDENCE_H
#define KVMPERF_ACCOUNT_CONFIDENCE_H

#include <stdint.h>

/*
 * The variance (ns squared) of a part estimated as run_ns x hits / samples, for independent
 * samples. Two hits and two misses are added before the proportion is taken (Agresti and Coull,
 * "Approximate is better than exact", 1998), so that no part looks certain from few samples.
 * Without samples the part is anything between nothing and all: run_ns squared over 1.96
 * squared, so that the 95 % half width is run_ns.
 */
double confidence_variance(uint64_t run_ns, uint64_t hits, uint64_t samples);

/* The variance (ns squared) that belongs to a 95 % half width (ns). */
double confidence_half_width_variance(double half_width);

/* The 95 % half width (ns) that belongs to a variance (ns squared). */
double confidence_half_width(double variance);

#endif
