/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_RANDOM_H
#define KVMPERF_BASE_RANDOM_H

#include <stdint.h>

/* Random numbers for what only has to be in step with nothing: xorshift64star (Vigna 2016). */

/* A state to begin with, from the kernel's own random numbers. */
uint64_t random_state_new(void);

/* The next number, of all 64 bits. */
uint64_t random_next(uint64_t *state);

/* The next number, from 0 to below 1. */
double random_fraction(uint64_t *state);

#endif
