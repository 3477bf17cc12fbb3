/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/label_times.h"

#include <errno.h>
#include <stdlib.h>

int label_times_add(struct label_times *times, uint32_t label, uint64_t ns)
{
	if (ns == 0)
		return 0;
	size_t i = 0;
	while (i < times->count && times->items[i].label != label)
		i++;
	if (i == times->count) {
		/* Grows at powers of two. */
		if ((times->count & (times->count - 1)) == 0) {
			size_t room = times->count ? times->count * 2 : 1;
			struct label_time *items =
				realloc(times->items, room * sizeof(*times->items));
			if (!items)
				return -ENOMEM;
			times->items = items;
		}
		times->items[times->count++] = (struct label_time){.label = label};
	}
	times->items[i].ns += ns;
	times->total_ns += ns;
	return 0;
}

static int compare_labels(const void *left, const void *right)
{
	const struct label_time *a = left, *b = right;

	return (a->label > b->label) - (a->label < b->label);
}

void label_times_sort(struct label_times *times)
{
	if (times->count > 1)
		qsort(times->items, times->count, sizeof(*times->items), compare_labels);
}

void label_times_free(struct label_times *times)
{
	free(times->items);
	*times = (struct label_times){0};
}
