/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* FNV-1a */
static size_t hash(const char *text, size_t length)
{
	uint64_t value = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < length; i++)
		value = (value ^ (unsigned char)text[i]) * 0x100000001b3ULL;
	return (size_t)(value ^ value >> 32);
}

static size_t place_of(const struct names *names, const char *text, size_t length)
{
	size_t mask = names->place_count - 1;
	size_t place = hash(text, length) & mask;

	for (; names->places[place]; place = (place + 1) & mask) {
		const char *known = names->texts[names->places[place] - 1];
		if (strncmp(known, text, length) == 0 && known[length] == '\0')
			break;
	}
	return place;
}

static int grow(struct names *names)
{
	struct names larger = *names;

	larger.place_count = names->place_count ? 2 * names->place_count : 256;
	larger.places = calloc(larger.place_count, sizeof(*larger.places));
	if (!larger.places)
		return -1;
	for (size_t i = 0; i < names->count; i++)
		larger.places[place_of(&larger, names->texts[i], strlen(names->texts[i]))] =
			(uint32_t)i + 1;
	free(names->places);
	*names = larger;
	return 0;
}

uint32_t names_intern(struct names *names, const char *text, size_t length)
{
	length = strnlen(text, length);
	if (2 * (names->count + 1) > names->place_count && grow(names))
		return NAME_NONE;
	size_t place = place_of(names, text, length);
	if (names->places[place])
		return names->places[place] - 1;
	if (array_reserve(&names->texts, &names->room, names->count + 1, sizeof(*names->texts)))
		return NAME_NONE;
	char *copy = strndup(text, length);
	if (!copy)
		return NAME_NONE;
	names->texts[names->count++] = copy;
	names->places[place] = (uint32_t)names->count;
	return (uint32_t)names->count - 1;
}

uint32_t names_find(const struct names *names, const char *text, size_t length)
{
	if (!names->place_count)
		return NAME_NONE;
	uint32_t place = names->places[place_of(names, text, strnlen(text, length))];
	return place ? place - 1 : NAME_NONE;
}

void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->texts[i]);
	free(names->texts);
	free(names->places);
	*names = (struct names){0};
}
