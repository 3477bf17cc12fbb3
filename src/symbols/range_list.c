/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/range_list.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"

static bool alike(const struct kernel_range *range, uint16_t subsystem,
		  enum kernel_map_method method)
{
	return range->subsystem == subsystem && range->method == method;
}

int range_list_add(struct range_list *list, uint64_t start, uint16_t subsystem,
		   enum kernel_map_method method)
{
	if (list->count && list->ranges[list->count - 1].start == start)
		list->count--;
	if (list->count && alike(&list->ranges[list->count - 1], subsystem, method))
		return 0;
	int code = array_reserve(&list->ranges, &list->room, list->count + 1,
				 sizeof(*list->ranges));
	if (!code)
		list->ranges[list->count++] =
			(struct kernel_range){start, subsystem, (uint16_t)method};
	return code;
}

const struct kernel_range *range_list_find(const struct kernel_range *ranges, size_t count,
					   uint64_t address)
{
	size_t low = 0, high = count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (ranges[middle].start <= address)
			low = middle;
		else
			high = middle;
	}
	return &ranges[low];
}

int range_list_patch(struct range_list *out, const struct range_list *base,
		     const struct range_patch *patches, size_t count,
		     enum kernel_map_method method)
{
	uint64_t covered = 0; /* addresses below are done by a patch */
	size_t next = 0;
	int code = 0;

	for (size_t i = 0; !code && i < base->count; i++) {
		const struct kernel_range *range = &base->ranges[i];
		uint64_t end = i + 1 < base->count ? range[1].start : UINT64_MAX;
		uint64_t at = range->start > covered ? range->start : covered;
		while (!code && at < end) {
			bool patched = next < count && patches[next].start < end;
			if (!patched || at < patches[next].start)
				code = range_list_add(out, at, range->subsystem, range->method);
			if (!patched)
				break;
			const struct range_patch *patch = &patches[next++];
			if (!code)
				code = range_list_add(out, patch->start, patch->subsystem,
						      method);
			at = covered = patch->end;
		}
	}
	return code;
}

void range_list_clear(struct range_list *list)
{
	free(list->ranges);
	*list = (struct range_list){0};
}
