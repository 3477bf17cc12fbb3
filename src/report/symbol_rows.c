/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/symbol_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/apportion.h"
#include "base/array.h"
#include "report/collect_profile.h"

/* Owners that are no VM, behind the VMs' numbers. */
#define OWNER_PROCESS_ROWS (UINT32_MAX - 1)
#define OWNER_KERNEL_ROWS  (UINT32_MAX - 2)

/* Samples of one function, mode and owner. */
struct item {
	uint32_t owner;
	uint32_t mode;
	uint32_t module, symbol; /* names; NAME_NONE */
	uint64_t samples;
};

struct items {
	struct item *items;
	size_t count, room;
};

/* Rows being made. */
struct maker {
	struct symbol_rows *rows;
	const struct report *report;
	const struct report_input *input;
	struct items items;
	uint64_t *weights, *parts; /* room for all items */
};

static int add_row(struct maker *maker, const struct symbol_row *row)
{
	struct symbol_rows *rows = maker->rows;

	if (row->ns == 0 && row->samples == 0)
		return 0;
	if (array_reserve(&rows->rows, &rows->room, rows->count + 1, sizeof(*rows->rows)))
		return -ENOMEM;
	rows->rows[rows->count++] = *row;
	return 0;
}

static int add_items_of(void *context, const struct tally_group *group)
{
	struct maker *maker = context;
	const struct profile *profile = maker->input->profile;
	struct group_owner owner = owner_of_group(maker->report, profile, group);
	int code = 0;

	if (owner.idle)
		return 0;
	for (uint32_t c = group->cells; !code && c != CELL_NONE;
	     c = profile->tally.cells[c].next_in_group) {
		const struct tally_cell *cell = &profile->tally.cells[c];
		const struct place *place = &profile->places.places[cell_label(cell)];
		uint32_t mode = cell_mode(cell);
		/* Interrupts are in the pool, which belongs to nobody's functions. */
		if (mode >= SAMPLE_SOFTIRQ)
			continue;
		code = array_reserve(&maker->items.items, &maker->items.room,
				     maker->items.count + 1, sizeof(struct item));
		if (code)
			break;
		maker->items.items[maker->items.count++] = (struct item){
			.owner = owner.vm != NO_VM     ? owner.vm
				 : owner.kernel_thread ? OWNER_KERNEL_ROWS
						       : OWNER_PROCESS_ROWS,
			.mode = mode,
			.module = place->module,
			.symbol = place->symbol,
			.samples = cell->samples,
		};
	}
	return code;
}

static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (a->mode != b->mode)
		return a->mode < b->mode ? -1 : 1;
	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	return (a->symbol > b->symbol) - (a->symbol < b->symbol);
}

static int gather_items(struct maker *maker)
{
	struct items *items = &maker->items;
	size_t kept = 0;
	int code = profile_each_group(maker->input->profile, add_items_of, maker);

	if (code)
		return code;
	if (items->count)
		qsort(items->items, items->count, sizeof(*items->items), compare_items);
	for (size_t i = 0; i < items->count; i++) {
		if (kept && compare_items(&items->items[kept - 1], &items->items[i]) == 0)
			items->items[kept - 1].samples += items->items[i].samples;
		else
			items->items[kept++] = items->items[i];
	}
	items->count = kept;
	maker->weights = calloc(kept + 1, sizeof(*maker->weights));
	maker->parts = calloc(kept + 1, sizeof(*maker->parts));
	return maker->weights && maker->parts ? 0 : -ENOMEM;
}

static const char *name_of(const struct maker *maker, uint32_t name)
{
	return name == NAME_NONE ? NULL : maker->input->profile->names.texts[name];
}

static const char *mode_name(const struct symbol_row *row, uint32_t mode)
{
	static const char *const names[] = {"guest_user", "guest_kernel", "guest", "vmm",
					    "kernel"};

	return mode == SAMPLE_USER && !row->vm ? "user" : names[mode];
}

/* Spreads ns over items that stand together; without any it is one row. */
static int spread(struct maker *maker, const struct symbol_row *like, size_t first,
		  size_t count, uint64_t ns)
{
	int code = 0;

	for (size_t i = 0; i < count; i++)
		maker->weights[i] = maker->items.items[first + i].samples;
	if (!apportion(ns, maker->weights, count, maker->parts)) {
		struct symbol_row row = *like;
		row.ns = ns;
		return add_row(maker, &row);
	}
	for (size_t i = 0; !code && i < count; i++) {
		const struct item *item = &maker->items.items[first + i];
		struct symbol_row row = *like;
		row.mode = mode_name(like, item->mode);
		row.module = name_of(maker, item->module);
		row.symbol = name_of(maker, item->symbol);
		row.samples = item->samples;
		row.ns = maker->parts[i];
		code = add_row(maker, &row);
	}
	return code;
}

/* The first item that doesn't come before such a one. */
static size_t first_from(const struct items *items, uint32_t owner, uint32_t mode,
			 uint32_t module)
{
	const struct item wanted = {.owner = owner, .mode = mode, .module = module};
	size_t low = 0, high = items->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_items(&items->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The items of an owner from mode up to last_mode. */
static size_t find_modes(const struct maker *maker, uint32_t owner, uint32_t mode,
			 uint32_t last_mode, size_t *count)
{
	size_t first = first_from(&maker->items, owner, mode, 0);

	*count = first_from(&maker->items, owner, last_mode + 1, 0) - first;
	return first;
}

/* The items of an owner, mode and module. */
static size_t find_module(const struct maker *maker, uint32_t owner, uint32_t mode,
			  const char *name, size_t *count)
{
	uint32_t module = names_find(&maker->input->profile->names, name, strlen(name));

	*count = 0;
	if (module == NAME_NONE)
		return 0;
	size_t first = first_from(&maker->items, owner, mode, module);
	*count = first_from(&maker->items, owner, mode, module + 1) - first;
	return first;
}

static int spread_labels(struct maker *maker, const struct symbol_row *like, uint32_t owner,
			 uint32_t mode, const struct label_times *times)
{
	int code = 0;

	for (size_t i = 0; !code && i < times->count; i++) {
		struct symbol_row row = *like;
		size_t count;
		row.module = labels_name(maker->report->labels, times->items[i].label);
		size_t first = find_module(maker, owner, mode, row.module, &count);
		code = spread(maker, &row, first, count, times->items[i].ns);
	}
	return code;
}

static int add_vm_rows(struct maker *maker, uint32_t v)
{
	const struct interval *interval = &maker->report->interval;
	const struct ledger_vm *ledger = &interval->ledger.vms[v];
	struct symbol_row row = {.account = "vm", .vm = &interval->vms[v]};
	size_t first, count;
	int code = 0;

	row.mode = "guest";
	if (ledger->guest_split_known) {
		first = find_modes(maker, v, SAMPLE_GUEST_USER, SAMPLE_GUEST_USER, &count);
		row.mode = "guest_user";
		code = spread(maker, &row, first, count, ledger->guest_user_ns);
		first = find_modes(maker, v, SAMPLE_GUEST_KERNEL, SAMPLE_GUEST_KERNEL, &count);
		row.mode = "guest_kernel";
		if (!code)
			code = spread(maker, &row, first, count, ledger->guest_kernel_ns);
	} else {
		first = find_modes(maker, v, SAMPLE_GUEST_USER, SAMPLE_GUEST, &count);
		code = spread(maker, &row, first, count, ledger->guest_ns);
	}
	row.mode = "vmm";
	if (!code)
		code = spread_labels(maker, &row, v, SAMPLE_USER, &ledger->vmm);
	row.mode = "kernel";
	if (!code)
		code = spread_labels(maker, &row, v, SAMPLE_KERNEL, &ledger->kernel);
	row.mode = "shared";
	/* No item is of this mode: one row a module. */
	return code ? code : spread_labels(maker, &row, v, SAMPLE_MODE_COUNT, &ledger->shared);
}

static int compare_rows(const void *left, const void *right)
{
	const struct symbol_row *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return (a->samples < b->samples) - (a->samples > b->samples);
}

int symbol_rows_make(struct symbol_rows *rows, const struct report *report,
		     const struct report_input *input)
{
	const struct ledger *ledger = &report->interval.ledger;
	struct maker maker = {.rows = rows, .report = report, .input = input};
	size_t first, count;
	int code = gather_items(&maker);

	for (uint32_t v = 0; !code && v < ledger->vm_count; v++)
		code = add_vm_rows(&maker, v);
	if (!code) {
		first = find_modes(&maker, OWNER_PROCESS_ROWS, 0, SAMPLE_KERNEL, &count);
		code = spread(&maker, &(struct symbol_row){.account = "processes"}, first,
			      count, ledger->processes_ns);
	}
	if (!code) {
		first = find_modes(&maker, OWNER_KERNEL_ROWS, 0, SAMPLE_KERNEL, &count);
		code = spread(&maker, &(struct symbol_row){.account = "kernel"}, first, count,
			      ledger->kernel_ns);
	}
	if (!code)
		code = spread_labels(&maker,
				     &(struct symbol_row){.account = "shared_unattributed",
							  .mode = "shared"},
				     OWNER_KERNEL_ROWS, SAMPLE_MODE_COUNT,
				     &ledger->unattributed);
	if (!code)
		code = add_row(&maker,
			       &(struct symbol_row){.account = "self", .ns = ledger->self_ns});
	if (!code)
		code = add_row(&maker,
			       &(struct symbol_row){.account = "idle", .ns = ledger->idle_ns});
	if (rows->count)
		qsort(rows->rows, rows->count, sizeof(*rows->rows), compare_rows);
	free(maker.items.items);
	free(maker.weights);
	free(maker.parts);
	return code;
}

void symbol_rows_clear(struct symbol_rows *rows)
{
	free(rows->rows);
	*rows = (struct symbol_rows){0};
}
