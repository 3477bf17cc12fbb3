/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/places.h"

#include <stdlib.h>

#include "base/array.h"

static size_t slot_of(const struct places *places, const struct place *wanted)
{
	uint64_t value = (uint64_t)wanted->parent * 0x9e3779b97f4a7c15ULL ^
			 ((uint64_t)wanted->module << 32 | wanted->symbol);
	size_t mask = places->slot_count - 1;
	size_t slot = (size_t)(value * 0x9e3779b97f4a7c15ULL >> 32) & mask;

	for (; places->slots[slot]; slot = (slot + 1) & mask) {
		const struct place *known = &places->places[places->slots[slot] - 1];
		if (known->parent == wanted->parent && known->module == wanted->module &&
		    known->symbol == wanted->symbol)
			break;
	}
	return slot;
}

static int grow(struct places *places)
{
	struct places larger = *places;

	larger.slot_count = places->slot_count ? 2 * places->slot_count : 256;
	larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
	if (!larger.slots)
		return -1;
	for (size_t i = 0; i < places->count; i++)
		larger.slots[slot_of(&larger, &places->places[i])] = (uint32_t)i + 1;
	free(places->slots);
	*places = larger;
	return 0;
}

uint32_t places_intern(struct places *places, uint32_t parent, uint32_t module, uint32_t symbol)
{
	struct place place = {parent, module, symbol};

	if (places->count >= PLACES_MAX ||
	    (2 * (places->count + 1) > places->slot_count && grow(places)))
		return PLACE_NONE;
	size_t slot = slot_of(places, &place);
	if (places->slots[slot])
		return places->slots[slot] - 1;
	if (array_reserve(&places->places, &places->room, places->count + 1,
			  sizeof(*places->places)))
		return PLACE_NONE;
	places->places[places->count++] = place;
	places->slots[slot] = (uint32_t)places->count;
	return (uint32_t)places->count - 1;
}

uint32_t places_find(const struct places *places, uint32_t parent, uint32_t module,
		     uint32_t symbol)
{
	struct place place = {parent, module, symbol};

	if (!places->slot_count)
		return PLACE_NONE;
	uint32_t slot = places->slots[slot_of(places, &place)];
	return slot ? slot - 1 : PLACE_NONE;
}

void places_clear(struct places *places)
{
	free(places->places);
	free(places->slots);
	*places = (struct places){0};
}
