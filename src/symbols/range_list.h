/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_RANGE_LIST_H
#define KVMPERF_SYMBOLS_RANGE_LIST_H

#include "symbols/kernel_map.h"

/* Ranges of addresses that grow at the end; zero-initialized it is empty. */
struct range_list {
	struct kernel_range *ranges;
	size_t count;
	size_t room;
};

/*
 * Lets a range begin at start, which is not below the last range's start; one that began at
 * the same address is replaced. Neighbours that are alike become one. Returns 0 or -ENOMEM.
 */
int range_list_add(struct range_list *list, uint64_t start, uint16_t subsystem,
		   enum kernel_map_method method);

/* The range of the address; the list's first range must begin at or below it. */
const struct kernel_range *range_list_find(const struct kernel_range *ranges, size_t count,
					   uint64_t address);

/* Addresses of one subsystem, from start up to end, to be laid over a list. */
struct range_patch {
	uint64_t start;
	uint64_t end;
	uint16_t subsystem;
};

/*
 * Lays patches (rising, without overlap; of the given method) over the ranges of base and makes
 * out (empty before) of both. Returns 0 or -ENOMEM.
 */
int range_list_patch(struct range_list *out, const struct range_list *base,
		     const struct range_patch *patches, size_t count,
		     enum kernel_map_method method);

/* Frees what the list owns and empties it. */
void range_list_clear(struct range_list *list);

#endif
