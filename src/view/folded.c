/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/folded.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "account/apportion.h"
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

/* Sorts, and makes one line of those of the same stack. */
static void merge_lines(struct lines *lines)
{
	size_t kept = 0;

	if (lines->count)
		qsort(lines->lines, lines->count, sizeof(*lines->lines), compare_lines);
	for (size_t i = 0; i < lines->count; i++) {
		if (kept && compare_lines(&lines->lines[kept - 1], &lines->lines[i]) == 0)
			lines->lines[kept - 1].samples += lines->lines[i].samples;
		else
			lines->lines[kept++] = lines->lines[i];
	}
	lines->count = kept;
}

/*
 * What the correction took from a VM's guest time was sampled as guest: takes as large a part
 * of the samples of its count guest lines, which is *moved.
 */
static int move_world_switches(const struct ledger_vm *ledger, struct line *lines, size_t count,
			       uint64_t *moved)
{
	uint64_t *weights = calloc(count + 1, sizeof(*weights));
	uint64_t *parts = calloc(count + 1, sizeof(*parts));
	double sampled_ns = (double)ledger->guest_ns + (double)ledger->corrected_ns;
	uint64_t samples = 0;
	int code = weights && parts ? 0 : -ENOMEM;

	for (size_t i = 0; !code && i < count; i++)
		samples += weights[i] = lines[i].samples;
	*moved = 0;
	if (!code && samples)
		*moved = (uint64_t)llround((double)samples * (double)ledger->corrected_ns /
					   sampled_ns);
	if (*moved)
		apportion(*moved, weights, count, parts);
	for (size_t i = 0; !code && i < count; i++)
		lines[i].samples -= parts[i];
	free(weights);
	free(parts);
	return code;
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
	if (vm == NO_VM)
		return input->vm_count == 0;
	return vm_is_selected(&report->vms.list.vms[vm], input->vms, input->vm_count);
}

/* The lines of one VM, count of them, guest lines first; or those of the host. */
static int put_lines(FILE *stream, const struct report *report, const struct profile *profile,
		     struct line *lines, size_t count)
{
	uint32_t vm = lines[0].vm;
	const struct ledger_vm *ledger = vm == NO_VM ? NULL : &report->interval.ledger.vms[vm];
	uint64_t moved = 0;
	size_t guest = 0;
	int code = 0;

	while (guest < count && lines[guest].mode <= SAMPLE_GUEST)
		guest++;
	if (ledger && ledger->corrected_ns)
		code = move_world_switches(ledger, lines, guest, &moved);
	for (size_t i = 0; !code && i < count; i++)
		if (lines[i].samples)
			put_line(stream, report, profile, &lines[i]);
	if (moved) {
		put_name(stream, report->vms.list.vms[vm].name);
		fprintf(stream, ";kernel;kvm/world-switch;kvm/world-switch %llu\n",
			(unsigned long long)moved);
	}
	return code;
}

int folded_write(FILE *stream, const struct report *report, const struct report_input *input)
{
	const struct profile *profile = input->profile;
	struct lines lines = {.report = report, .profile = profile};
	int code = profile_each_group(profile, add_group, &lines);

	merge_lines(&lines);
	for (size_t i = 0, count; !code && i < lines.count; i += count) {
		uint32_t vm = lines.lines[i].vm;
		for (count = 1; i + count < lines.count && lines.lines[i + count].vm == vm;)
			count++;
		if (is_selected(input, report, vm))
			code = put_lines(stream, report, profile, &lines.lines[i], count);
	}
	free(lines.lines);
	if (code)
		return code;
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}
