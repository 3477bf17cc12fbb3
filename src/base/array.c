/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int array_reserve(void *items_pointer, size_t *room, size_t need, size_t size)
{
	void *items;

	if (need <= *room)
		return 0;
	size_t more = *room + *room / 2 + 8;
	if (more < need)
		more = need;
	memcpy(&items, items_pointer, sizeof(items));
	items = reallocarray(items, more, size);
	if (!items)
		return -ENOMEM;
	memset((char *)items + *room * size, 0, (more - *room) * size);
	memcpy(items_pointer, &items, sizeof(items));
	*room = more;
	return 0;
}

size_t array_place(const void *items, size_t count, size_t size, size_t offset, pid_t pid)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		pid_t other;
		memcpy(&other, (const char *)items + middle * size + offset, sizeof(other));
		if (other < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
