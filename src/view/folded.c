/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/folded.h"

#include <errno.h>

#include "report/stacks.h"

/* Names may not hold what divides frames. */
static void put_name(FILE *stream, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : *name, stream);
}

static void put_frames(FILE *stream, const struct stacks *stacks, uint32_t place)
{
	uint32_t parent = stacks->profile->places.places[place].parent;

	if (parent != PLACE_NONE)
		put_frames(stream, stacks, parent);
	putc(';', stream);
	put_name(stream, stack_place_name(stacks, place));
}

static void put_line(FILE *stream, const struct stacks *stacks, const struct stack *stack)
{
	const char *outer[STACK_OUTER_FRAMES];
	size_t count = stack_outer_frames(stacks, stack, outer);

	for (size_t i = 0; i < count; i++) {
		put_name(stream, outer[i]);
		putc(';', stream);
	}
	put_name(stream, stack_module_name(stacks, stack->place));
	put_frames(stream, stacks, stack->place);
	fprintf(stream, " %llu\n", (unsigned long long)stack->samples);
}

int folded_write(FILE *stream, const struct report *report, const struct report_input *input)
{
	struct stacks stacks;
	int code = stacks_make(&stacks, report, input);

	for (size_t i = 0; !code && i < stacks.count; i++)
		put_line(stream, &stacks, &stacks.items[i]);
	stacks_clear(&stacks);
	if (code)
		return code;
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}
