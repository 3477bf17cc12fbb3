/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SAMPLE_MEMO_H
#define KVMPERF_REPORT_SAMPLE_MEMO_H

#include <stdint.h>

#include "report/sample_mode.h"

#define MEMO_BITS    15
#define MEMO_THREADS 4

/*
 * What a profile remembers of an address and mode: the place, and where samples were counted,
 * of some threads. One line of the cache, since a long recording's samples mostly need nothing
 * else.
 */
struct sample_memo {
	uint64_t address;
	uint32_t mode;	/* and kind of work, as in struct queued, + 1; 0: free */
	uint32_t space; /* version of what told the place */
	uint32_t place; /* PLACE_NONE: not known, or not the same for all threads */
	struct {
		uint32_t group; /* group_serial; 0: free */
		uint32_t cell;
	} threads[MEMO_THREADS]; /* by the last bits of group */
} __attribute__((aligned(64)));

/* The number of the memo of such samples. mode: and kind of work. */
static inline uint32_t sample_memo_number(uint64_t address, uint32_t pid, uint32_t mode)
{
	/* Processes have other things at the same addresses. */
	uint64_t space = mode == SAMPLE_USER ? pid : 0;
	uint64_t mixed = address ^ space << 32 ^ (uint64_t)mode << 56;

	return (uint32_t)(mixed * 0x9e3779b97f4a7c15ULL >> (64 - MEMO_BITS));
}

#endif
