/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/shared_table.h"

#include <errno.h>
#include <stdlib.h>

#include "account/label_times.h"

/* VMs that are named in a row; the rest are counted. */
#define NAMED_MAX 3

struct part {
	const char *name;
	uint64_t ns;
};

static uint64_t time_of(const struct label_times *times, uint32_t label)
{
	for (size_t i = 0; i < times->count; i++)
		if (times->items[i].label == label)
			return times->items[i].ns;
	return 0;
}

static int compare_times(const void *left, const void *right)
{
	const struct label_time *a = left, *b = right;

	return (a->ns < b->ns) - (a->ns > b->ns);
}

static int compare_parts(const void *left, const void *right)
{
	const struct part *a = left, *b = right;

	return (a->ns < b->ns) - (a->ns > b->ns);
}

/* All shared work by module, whoever it was for. */
static int sum_modules(const struct interval *interval, struct label_times *sum)
{
	const struct ledger *ledger = &interval->ledger;

	for (size_t v = 0; v <= ledger->vm_count; v++) {
		const struct label_times *times =
			v < ledger->vm_count ? &ledger->vms[v].shared : &ledger->unattributed;
		for (size_t i = 0; i < times->count; i++)
			if (label_times_add(sum, times->items[i].label, times->items[i].ns))
				return -ENOMEM;
	}
	if (sum->count > 1)
		qsort(sum->items, sum->count, sizeof(*sum->items), compare_times);
	return 0;
}

static size_t list_parts(const struct interval *interval, uint32_t label, struct part *parts)
{
	uint64_t others_ns = 0;
	size_t count = 0;

	for (size_t v = 0; v < interval->ledger.vm_count; v++) {
		uint64_t ns = time_of(&interval->ledger.vms[v].shared, label);
		if (!interval->vms[v].selected)
			others_ns += ns;
		else if (ns)
			parts[count++] = (struct part){interval->vms[v].name, ns};
	}
	if (others_ns)
		parts[count++] = (struct part){"other VMs", others_ns};
	if (count > 1)
		qsort(parts, count, sizeof(*parts), compare_parts);
	return count;
}

static double percent(const struct interval *interval, uint64_t ns)
{
	return (double)ns / 1e7 / interval->duration_s;
}

/* "web1 12.0, web2 3.1, 5 more 0.9"; owned by the caller, NULL without memory. */
static char *name_parts(const struct interval *interval, const struct part *parts, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	uint64_t rest_ns = 0;

	if (!stream)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (i >= NAMED_MAX)
			rest_ns += parts[i].ns;
		else
			fprintf(stream, "%s%s %.1f", i ? ", " : "", parts[i].name,
				percent(interval, parts[i].ns));
	}
	if (count > NAMED_MAX)
		fprintf(stream, ", %zu more %.1f", count - NAMED_MAX,
			percent(interval, rest_ns));
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

static int add_module(struct text_table *table, const struct interval *interval,
		      const struct label_time *module, struct part *parts)
{
	char all[24], nobodys[24];
	size_t count = list_parts(interval, module->label, parts);
	char *names = name_parts(interval, parts, count);
	uint64_t unattributed_ns = time_of(&interval->ledger.unattributed, module->label);

	if (!names)
		return -ENOMEM;
	snprintf(all, sizeof(all), "%.1f", percent(interval, module->ns));
	snprintf(nobodys, sizeof(nobodys), "%.1f", percent(interval, unattributed_ns));
	const char *cells[] = {labels_name(interval->labels, module->label), all, nobodys,
			       names};
	int error = text_table_add(table, cells, TEXT_PLAIN);
	free(names);
	return error;
}

int shared_table_write(FILE *stream, const struct interval *interval,
		       const struct text_layout *layout)
{
	static const struct text_column columns[] = {
		{"SHARED", TEXT_LEFT, 12},
		{"ALL", TEXT_RIGHT, 0},
		{"NO VM'S", TEXT_RIGHT, 0},
		{"MADE BUSY BY", TEXT_LEFT, 24},
	};
	struct text_table *table = text_table_new(columns, sizeof(columns) / sizeof(*columns));
	struct part *parts = calloc(interval->ledger.vm_count + 1, sizeof(*parts));
	struct label_times modules = {0};
	int error = table && parts ? sum_modules(interval, &modules) : -ENOMEM;

	for (size_t i = 0; !error && i < modules.count; i++)
		error = add_module(table, interval, &modules.items[i], parts);
	if (!error && modules.count) {
		text_table_print(table, layout, stream);
		fputc('\n', stream);
	}
	label_times_free(&modules);
	free(parts);
	text_table_free(table);
	return error;
}
