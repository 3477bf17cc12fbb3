/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/module_text.h"

#include <errno.h>

#include "base/array.h"

/*
 * Module memory is handed out in pages of 4 KiB at least, so that rounding can't take from
 * another module. So many bytes without a function mean that another area begins.
 */
#define PAGE_MASK (~UINT64_C(0xfff))
#define AREA_GAP  0x10000

/* The start of an area: its first function's page or the module's base, not below limit. */
static uint64_t area_start(const struct module_symbol *first, const struct module_base *bases,
			   size_t base_count, uint64_t limit)
{
	uint64_t start = first->address & PAGE_MASK;

	for (size_t i = 0; i < base_count; i++) {
		if (bases[i].subsystem == first->subsystem && bases[i].address &&
		    bases[i].address < start && start - bases[i].address < AREA_GAP)
			start = bases[i].address;
	}
	return start > limit ? start : limit;
}

int module_text(struct range_patch **patches, size_t *patch_count,
		const struct module_symbol *symbols, size_t count,
		const struct module_base *bases, size_t base_count)
{
	size_t room = 0, next;
	uint64_t done = 0;

	for (size_t i = 0; i < count; i = next) {
		const struct module_symbol *first = &symbols[i];
		for (next = i + 1;
		     next < count && symbols[next].subsystem == first->subsystem &&
		     symbols[next].address - symbols[next - 1].address < AREA_GAP;)
			next++;
		uint64_t end = (symbols[next - 1].address & PAGE_MASK) - PAGE_MASK;
		/* JIT programs are smaller than a page and share it with what follows. */
		if (next < count && symbols[next].address < end)
			end = symbols[next].address;
		uint64_t start = area_start(first, bases, base_count, done);
		if (end <= start)
			continue;
		if (array_reserve(patches, &room, *patch_count + 1, sizeof(**patches)))
			return -ENOMEM;
		(*patches)[(*patch_count)++] =
			(struct range_patch){start, end, first->subsystem};
		done = end;
	}
	return 0;
}
