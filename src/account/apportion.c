/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/apportion.h"

#include <string.h>

bool apportion(uint64_t total, const uint64_t *weights, size_t n, uint64_t *parts)
{
	unsigned __int128 sum = 0;

	memset(parts, 0, n * sizeof(*parts));
	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	if (sum == 0)
		return false;

	/*
	 * Cumulative rounding: part i ends where the exact boundary, rounded, lies. Every part
	 * is within one unit of its proportion, the sum is exact, and one pass is enough.
	 */
	unsigned __int128 before = 0;
	uint64_t given = 0;
	for (size_t i = 0; i < n; i++) {
		before += weights[i];
		uint64_t boundary = (uint64_t)((before * total + sum / 2) / sum);
		if (weights[i] == 0)
			continue;
		parts[i] = boundary - given;
		given = boundary;
	}
	return true;
}
