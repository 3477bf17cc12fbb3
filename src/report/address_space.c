/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/address_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The kernel's default limit of mappings a process (vm.max_map_count) and some more. */
#define MAPPINGS_MAX 100000

/* The first mapping that ends above the address. */
static size_t place_of(const struct address_space *space, uint64_t address)
{
	size_t low = 0, high = space->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (space->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A copy of its own for a user that is about to change it. */
static int make_own(struct address_space **space)
{
	struct address_space *from = *space;

	if (from && from->users == 1)
		return 0;
	struct address_space *copy = calloc(1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	copy->users = 1;
	if (from && from->count) {
		if (array_reserve(&copy->mappings, &copy->room, from->count,
				  sizeof(*copy->mappings))) {
			free(copy);
			return -ENOMEM;
		}
		memcpy(copy->mappings, from->mappings, from->count * sizeof(*copy->mappings));
		copy->count = from->count;
	}
	address_space_release(from);
	*space = copy;
	return 0;
}

static void insert(struct address_space *space, size_t at, const struct mapping *mapping)
{
	memmove(&space->mappings[at + 1], &space->mappings[at],
		(space->count - at) * sizeof(*space->mappings));
	space->mappings[at] = *mapping;
	space->count++;
}

int address_space_add(struct address_space **space_pointer, const struct mapping *mapping,
		      uint32_t *serial)
{
	if (mapping->end <= mapping->start)
		return 0;
	int code = make_own(space_pointer);
	struct address_space *space = *space_pointer;
	if (code)
		return code;
	if (space->count >= MAPPINGS_MAX)
		return 0;
	/* One is added, and one that it stands in the middle of becomes two. */
	if (array_reserve(&space->mappings, &space->room, space->count + 2,
			  sizeof(*space->mappings)))
		return -ENOMEM;
	space->serial = ++*serial;
	space->last = 0;
	size_t at = place_of(space, mapping->start);
	if (at < space->count && space->mappings[at].start < mapping->start) {
		struct mapping rest = space->mappings[at];
		space->mappings[at].end = mapping->start;
		at++;
		if (rest.end > mapping->end) {
			rest.offset += mapping->end - rest.start;
			rest.start = mapping->end;
			insert(space, at, &rest);
		}
	}
	size_t after = at;
	while (after < space->count && space->mappings[after].end <= mapping->end)
		after++;
	if (after < space->count && space->mappings[after].start < mapping->end) {
		space->mappings[after].offset += mapping->end - space->mappings[after].start;
		space->mappings[after].start = mapping->end;
	}
	memmove(&space->mappings[at], &space->mappings[after],
		(space->count - after) * sizeof(*space->mappings));
	space->count -= after - at;
	insert(space, at, mapping);
	return 0;
}

const struct mapping *address_space_find(struct address_space *space, uint64_t address)
{
	if (!space || !space->count)
		return NULL;
	const struct mapping *last = &space->mappings[space->last];
	if (address >= last->start && address < last->end)
		return last;
	size_t at = place_of(space, address);
	if (at == space->count || space->mappings[at].start > address)
		return NULL;
	space->last = at;
	return &space->mappings[at];
}

struct address_space *address_space_use(struct address_space *space)
{
	if (space)
		space->users++;
	return space;
}

void address_space_release(struct address_space *space)
{
	if (!space || --space->users)
		return;
	free(space->mappings);
	free(space);
}
