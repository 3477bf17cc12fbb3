/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/composition.h"

#include <errno.h>
#include <stdlib.h>

int composition_add(struct composition *composition, enum account_mode mode,
		    enum shared_work work, uint32_t label, uint64_t samples)
{
	if (samples == 0)
		return 0;
	size_t i = 0;
	while (i < composition->count &&
	       (composition->cells[i].mode != mode || composition->cells[i].work != work ||
		composition->cells[i].label != label))
		i++;
	if (i == composition->count) {
		if ((composition->count & (composition->count - 1)) == 0) {
			size_t room = composition->count ? composition->count * 2 : 1;
			struct cell *cells =
				realloc(composition->cells, room * sizeof(*composition->cells));
			if (!cells)
				return -ENOMEM;
			composition->cells = cells;
		}
		composition->cells[composition->count++] =
			(struct cell){.mode = mode, .work = work, .label = label};
	}
	composition->cells[i].samples += samples;
	composition->samples += samples;
	composition->in_mode[mode] += samples;
	return 0;
}

int composition_merge(struct composition *into, const struct composition *from)
{
	for (size_t i = 0; i < from->count; i++) {
		int error = composition_add(into, from->cells[i].mode, from->cells[i].work,
					    from->cells[i].label, from->cells[i].samples);
		if (error)
			return error;
	}
	into->exact_run_ns += from->exact_run_ns;
	into->exact_host_ns += from->exact_host_ns;
	for (int mode = 0; mode < MODE_COUNT; mode++)
		into->entries[mode] += from->entries[mode];
	return 0;
}

void composition_free(struct composition *composition)
{
	free(composition->cells);
	*composition = (struct composition){0};
}
