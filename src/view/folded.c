/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/folded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/collect_profile.h"

struct line {
	uint32_t vm;	/* NO_VM: the host's */
	uint32_t owner; /* of the host: comm x 4 + what it is */
	uint32_t mode;
	uint32_t place;
	uint64_t samples;
};

enum { HOST_PROCESS, HOST_KERNEL, HOST_IDLE };

/* Lines being made. */
struct lines {
	const struct report *report;
	const struct profile *profile;
	struct line *lines;
	size_t count, room;
};

static int add_group(void *context, const struct tally_group *group)
{
	struct lines *lines = context;
	const struct report *report = lines->report;
	const struct profile *profile = lines->profile;
	struct group_owner owner = owner_of_group(report, profile, group);
	uint32_t what = owner.idle	      ? HOST_IDLE
			: owner.kernel_thread ? HOST_KERNEL
					      : HOST_PROCESS;

	for (uint32_t c = group->cells; c != CELL_NONE;
	     c = profile->tally.cells[c].next_in_group) {
		const struct tally_cell *cell = &profile->tally.cells[c];
		if (array_reserve(&lines->lines, &lines->room, lines->count + 1,
				  sizeof(*lines->lines)))
			return -ENOMEM;
		lines->lines[lines->count++] = (struct line){
			.vm = owner.vm,
			.owner = owner.vm == NO_VM ? group->comm * 4 + what : 0,
			.mode = cell_mode(cell),
			.place = cell_label(cell),
			.samples = cell->samples,
		};
	}
	return 0;
}

static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	if (a->vm != b->vm)
		return a->vm < b->vm ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (a->mode != b->mode)
		return a->mode < b->mode ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

/* Names may not hold what divides frames. */
static void put_name(FILE *stream, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : *name, stream);
}

static void put_frames(FILE *stream, const struct profile *profile, uint32_t place)
{
	const struct place *at = &profile->places.places[place];

	if (at->parent != PLACE_NONE)
		put_frames(stream, profile, at->parent);
	putc(';', stream);
	put_name(stream, at->symbol != NAME_NONE ? profile->names.texts[at->symbol]
						 : profile->names.texts[at->module]);
}

static void put_line(FILE *stream, const struct report *report, const struct profile *profile,
		     const struct line *line)
{
	static const char *const modes[SAMPLE_MODE_COUNT] = {
		"guest user", "guest kernel", "guest", "user", "kernel", "softirq", "hardirq",
	};
	static const char *const owners[] = {"host processes;", "host kernel;", ""};
	const struct place *leaf = &profile->places.places[line->place];

	if (line->vm != NO_VM) {
		put_name(stream, report->vms.list.vms[line->vm].name);
	} else {
		fputs(owners[line->owner % 4], stream);
		put_name(stream, line->owner % 4 == HOST_IDLE
					 ? "idle"
					 : profile->names.texts[line->owner / 4]);
	}
	fprintf(stream, ";%s;",
		line->mode == SAMPLE_USER && line->vm != NO_VM ? "vmm" : modes[line->mode]);
	put_name(stream, profile->names.texts[leaf->module]);
	put_frames(stream, profile, line->place);
	fprintf(stream, " %llu\n", (unsigned long long)line->samples);
}

static bool is_selected(const struct report_input *input, const struct report *report,
			uint32_t vm)
{
	if (input->vm_count == 0)
		return true;
	for (size_t i = 0; vm != NO_VM && i < input->vm_count; i++)
		if (vm_matches(&report->vms.list.vms[vm], input->vms[i]))
			return true;
	return false;
}

int folded_write(FILE *stream, const struct report *report, const struct report_input *input)
{
	const struct profile *profile = input->profile;
	struct lines lines = {.report = report, .profile = profile};
	int code = profile_each_group(profile, add_group, &lines);

	if (lines.count)
		qsort(lines.lines, lines.count, sizeof(*lines.lines), compare_lines);
	for (size_t i = 0; !code && i < lines.count; i++) {
		struct line line = lines.lines[i];
		while (i + 1 < lines.count && compare_lines(&line, &lines.lines[i + 1]) == 0)
			line.samples += lines.lines[++i].samples;
		if (is_selected(input, report, line.vm))
			put_line(stream, report, profile, &line);
	}
	free(lines.lines);
	if (code)
		return code;
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}
