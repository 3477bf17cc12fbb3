/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/text_intervals.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* So many functions may be strangers in a run, known by prefix only. */
#define STRANGERS_MAX 2

/* Known functions of one subsystem that follow each other in one section. */
struct run {
	size_t first; /* indices of symbols */
	size_t last;
	size_t known; /* symbols with a label */
	size_t section;
	uint16_t subsystem;
	bool whole; /* one of them is known by its whole name */
};

struct runs {
	struct run *items;
	size_t count;
	size_t room;
};

static bool continues(const struct run *run, const struct run *next)
{
	return run->subsystem == next->subsystem && run->section == next->section;
}

static void join(struct run *run, const struct run *next)
{
	run->last = next->last;
	run->known += next->known;
	run->whole |= next->whole;
}

/* A stranger between two parts of a run that outweigh it. */
static bool is_stranger(const struct run *before, const struct run *run,
			const struct run *after)
{
	return continues(before, after) && before->section == run->section && !run->whole &&
	       run->known <= STRANGERS_MAX && before->known + after->known > run->known;
}

/* Joins the last runs as far as they belong together. */
static void settle(struct runs *runs)
{
	while (runs->count >= 2) {
		struct run *end = &runs->items[runs->count];
		if (continues(end - 2, end - 1)) {
			join(end - 2, end - 1);
			runs->count--;
		} else if (runs->count >= 3 && is_stranger(end - 3, end - 2, end - 1)) {
			join(end - 3, end - 1);
			runs->count -= 2;
		} else {
			break;
		}
	}
}

static int collect_runs(struct runs *runs, const struct text_symbol *symbols, size_t count)
{
	size_t section = 0;

	for (size_t i = 0; i < count; i++) {
		const struct text_symbol *symbol = &symbols[i];
		section += symbol->section_mark;
		if (symbol->match == KERNEL_NAME_UNKNOWN)
			continue;
		struct run run = {i,
				  i,
				  1,
				  section,
				  symbol->subsystem,
				  symbol->match == KERNEL_NAME_WHOLE};
		if (runs->count && continues(&runs->items[runs->count - 1], &run)) {
			join(&runs->items[runs->count - 1], &run);
			continue;
		}
		settle(runs);
		if (array_reserve(&runs->items, &runs->room, runs->count + 1,
				  sizeof(*runs->items)))
			return -ENOMEM;
		runs->items[runs->count++] = run;
	}
	settle(runs);
	return 0;
}

int text_intervals(struct range_list *list, const struct text_symbol *symbols, size_t count,
		   uint16_t core)
{
	struct runs runs = {0};
	int code = collect_runs(&runs, symbols, count);

	for (size_t i = 0; !code && i < runs.count; i++) {
		const struct run *run = &runs.items[i];
		size_t after = run->last + 1;
		code = range_list_add(list, symbols[run->first].address, run->subsystem,
				      run->known > 1 ? KERNEL_MAP_INTERVAL : KERNEL_MAP_PREFIX);
		while (after < count && symbols[after].address == symbols[run->last].address)
			after++;
		bool gap = after < count &&
			   (i + 1 == runs.count || runs.items[i + 1].first > after);
		if (!code && gap)
			code = range_list_add(list, symbols[after].address, core,
					      KERNEL_MAP_CORE);
	}
	free(runs.items);
	return code;
}
