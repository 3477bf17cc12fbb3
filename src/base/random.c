/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/random.h"

#include <sys/random.h>

#include "base/clock.h"

uint64_t random_state_new(void)
{
	uint64_t state;

	if (getrandom(&state, sizeof(state), 0) != sizeof(state) || state == 0)
		state = clock_monotonic_ns() | 1;
	return state;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

double random_fraction(uint64_t *state)
{
	/* The upper 53 bits: as many as a double has. */
	return (double)(random_next(state) >> 11) / 9007199254740992.0;
}
