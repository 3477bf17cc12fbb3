/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_APPORTION_H
#define KVMPERF_ACCOUNT_APPORTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Splits total (ns) over n parts in proportion to their weights, in whole numbers that sum to
 * total exactly; no part is further than one unit from its exact proportion, and a part of
 * weight 0 gets 0. weights and parts have n entries and may not overlap. The weights' sum may
 * not exceed 2^64 - 1.
 * False, and all parts 0, when the weights sum to 0: the total then is still the caller's.
 */
bool apportion(uint64_t total, const uint64_t *weights, size_t n, uint64_t *parts);

#endif
