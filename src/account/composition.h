/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_COMPOSITION_H
#define KVMPERF_ACCOUNT_COMPOSITION_H

#include "account/ledger.h"

/* What the time of a thread (or of a pool of threads) was made of: samples by cell. */
struct cell {
	enum account_mode mode;
	enum shared_work work;
	uint32_t label; /* 0 for guest and user */
	uint64_t samples;
};

struct composition {
	struct cell *cells;
	size_t count;
	uint64_t samples;	      /* the sum over the cells */
	uint64_t in_mode[MODE_COUNT]; /* the same by mode */
	uint64_t entries[MODE_COUNT]; /* of these, see account_count.entries */
	/* Exact times of the threads it speaks of, without interrupts; 0 where not known. */
	uint64_t exact_run_ns;
	uint64_t exact_host_ns; /* the part that is not guest mode */
};

/* Adds samples to a cell. -ENOMEM leaves the composition as it was. */
int composition_add(struct composition *composition, enum account_mode mode,
		    enum shared_work work, uint32_t label, uint64_t samples);

/* Adds all cells of another composition. */
int composition_merge(struct composition *into, const struct composition *from);

void composition_free(struct composition *composition);

#endif
