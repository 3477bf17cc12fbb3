/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_PLACES_H
#define KVMPERF_REPORT_PLACES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where a sample was taken: a module or shared object, or a function of it, or a whole stack of
 * functions: then each place has the caller's as its parent.
 */
struct place {
	uint32_t parent; /* PLACE_NONE: outermost, or stacks are not kept */
	uint32_t module; /* names */
	uint32_t symbol; /* NAME_NONE: not looked for */
};

#define PLACE_NONE UINT32_MAX

/* There are fewer. */
#define PLACES_MAX (1U << 26)

struct places {
	struct place *places;
	size_t count, room;
	uint32_t *slots; /* hash table of number + 1 */
	size_t slot_count;
};

/* The number of a place, made if need be; PLACE_NONE without memory. */
uint32_t places_intern(struct places *places, uint32_t parent, uint32_t module,
		       uint32_t symbol);

/* The same, but PLACE_NONE if there is no such place yet. */
uint32_t places_find(const struct places *places, uint32_t parent, uint32_t module,
		     uint32_t symbol);

void places_clear(struct places *places);

#endif
