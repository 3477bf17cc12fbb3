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
