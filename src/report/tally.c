/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/tally.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static size_t place_of(const struct tally *tally, uint32_t group, uint32_t key)
{
	uint64_t both = (uint64_t)group << 32 | key;

	return (size_t)(both * 0x9e3779b97f4a7c15ULL >> 32) & (tally->place_count - 1);
}

uint32_t tally_add_group(struct tally *tally, uint32_t process, uint32_t tid, uint32_t comm)
{
	uint32_t index = tally->free_group;

	/* Number 0 is never given out, so that lists end with it. */
	if (index) {
		tally->free_group = tally->groups[index].next;
	} else {
		if (tally->group_count == 0)
			tally->group_count = 1;
		if (array_reserve(&tally->groups, &tally->group_room, tally->group_count + 1,
				  sizeof(*tally->groups)))
			return GROUP_NONE;
		index = (uint32_t)tally->group_count++;
	}
	tally->groups[index] = (struct tally_group){.process = process,
						    .thread = UINT32_MAX,
						    .tid = tid,
						    .comm = comm,
						    .cells = CELL_NONE};
	return index;
}

static int grow(struct tally *tally)
{
	size_t count = tally->place_count ? 2 * tally->place_count : 1024;
	uint32_t *places = calloc(count, sizeof(*places));

	if (!places)
		return -ENOMEM;
	free(tally->places);
	tally->places = places;
	tally->place_count = count;
	for (size_t i = 0; i < tally->cell_count; i++) {
		struct tally_cell *cell = &tally->cells[i];
		if (cell->group == GROUP_NONE)
			continue;
		uint32_t *place = &places[place_of(tally, cell->group, cell->key)];
		cell->next_in_place = *place;
		*place = (uint32_t)i + 1;
	}
	return 0;
}

uint32_t tally_find_cell(const struct tally *tally, uint32_t group, uint32_t key)
{
	if (!tally->place_count)
		return CELL_NONE;
	for (uint32_t i = tally->places[place_of(tally, group, key)]; i;
	     i = tally->cells[i - 1].next_in_place)
		if (tally->cells[i - 1].group == group && tally->cells[i - 1].key == key)
			return i - 1;
	return CELL_NONE;
}

uint32_t tally_cell(struct tally *tally, uint32_t group, uint32_t key)
{
	uint32_t index = tally_find_cell(tally, group, key);

	if (index != CELL_NONE)
		return index;
	if (tally->used >= tally->place_count && grow(tally))
		return CELL_NONE;
	uint32_t *place = &tally->places[place_of(tally, group, key)];
	index = tally->free_cell;
	if (index) {
		tally->free_cell = tally->cells[--index].next_in_group;
	} else {
		if (array_reserve(&tally->cells, &tally->cell_room, tally->cell_count + 1,
				  sizeof(*tally->cells)))
			return CELL_NONE;
		index = (uint32_t)tally->cell_count++;
	}
	tally->cells[index] = (struct tally_cell){
		.group = group,
		.key = key,
		.next_in_place = *place,
		.next_in_group = tally->groups[group].cells,
	};
	tally->groups[group].cells = index;
	*place = index + 1;
	tally->used++;
	return index;
}

static void free_cell(struct tally *tally, uint32_t index)
{
	struct tally_cell *cell = &tally->cells[index];
	uint32_t *link = &tally->places[place_of(tally, cell->group, cell->key)];

	while (*link != index + 1)
		link = &tally->cells[*link - 1].next_in_place;
	*link = cell->next_in_place;
	*cell = (struct tally_cell){.group = GROUP_NONE, .next_in_group = tally->free_cell};
	tally->free_cell = index + 1;
	tally->used--;
}

int tally_fold(struct tally *tally, uint32_t from, uint32_t into)
{
	for (uint32_t index = tally->groups[from].cells, next; index != CELL_NONE;
	     index = next) {
		uint32_t to = tally_cell(tally, into, tally->cells[index].key);
		if (to == CELL_NONE)
			return -ENOMEM;
		next = tally->cells[index].next_in_group;
		tally->cells[to].samples += tally->cells[index].samples;
		tally->cells[to].time += tally->cells[index].time;
		tally->groups[from].cells = next;
		free_cell(tally, index);
	}
	tally->groups[from] = (struct tally_group){.next = tally->free_group};
	tally->free_group = from;
	return 0;
}

void tally_clear(struct tally *tally)
{
	free(tally->groups);
	free(tally->cells);
	free(tally->places);
	*tally = (struct tally){0};
}
