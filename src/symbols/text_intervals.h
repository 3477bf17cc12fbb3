/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_TEXT_INTERVALS_H
#define KVMPERF_SYMBOLS_TEXT_INTERVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/kernel_names.h"
#include "symbols/range_list.h"

/*
 * The linker lays functions out by directory, in the order of the makefiles, anew in each text
 * section. So what stands between two known functions of one subsystem belongs to it too.
 */

/* A function of the kernel's own text, or a mark between text sections. */
struct text_symbol {
	uint64_t address;
	uint16_t subsystem; /* when match is not KERNEL_NAME_UNKNOWN */
	uint8_t match;	    /* enum kernel_name_match of its name */
	bool section_mark;  /* like __sched_text_start: intervals don't cross it */
};

/*
 * Appends to list the ranges of the symbols (in rising order): a run of known functions of one
 * subsystem, with the unknown ones in between, is a KERNEL_MAP_INTERVAL; one alone is a
 * KERNEL_MAP_PREFIX; the rest is core. One or two functions known by prefix inside a run of
 * another subsystem are taken for header functions compiled there and don't count. Returns 0 or
 * -ENOMEM.
 */
int text_intervals(struct range_list *list, const struct text_symbol *symbols, size_t count,
		   uint16_t core);

#endif
