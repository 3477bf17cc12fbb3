/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/symbol_view.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "view/csv.h"
#include "view/interval_json.h"
#include "view/interval_table.h"
#include "view/text_table.h"

/* What the VMs that were not selected have stands together. */
static bool is_shown(const struct symbol_row *row)
{
	return !row->vm || row->vm->selected;
}

static const char *owner_of(const struct symbol_row *row)
{
	static const struct {
		const char *account, *shown;
	} names[] = {
		{"processes", "host processes"},
		{"kernel", "host kernel"},
		{"shared_unattributed", "no VM's"},
		{"self", "kvmperf"},
		{"idle", "idle"},
	};

	if (row->vm)
		return row->vm->name;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].account[0] == row->account[0] &&
		    names[i].account[1] == row->account[1])
			return names[i].shown;
	return row->account;
}

static const struct text_column columns[] = {
	{"VM", TEXT_LEFT, 12},	   {"MODE", TEXT_LEFT, 0},     {"MODULE", TEXT_LEFT, 12},
	{"SYMBOL", TEXT_LEFT, 16}, {"SAMPLES", TEXT_RIGHT, 0}, {"TOTAL", TEXT_RIGHT, 0},
};

static int add_row(struct text_table *table, const struct interval *interval,
		   const struct symbol_row *row, enum text_style style)
{
	char samples[24], percent[24];
	const char *cells[] = {owner_of(row), row->mode, row->module,
			       row->symbol,   samples,	 percent};

	snprintf(samples, sizeof(samples), "%llu", (unsigned long long)row->samples);
	if (row->samples == 0)
		cells[4] = NULL;
	snprintf(percent, sizeof(percent), "%.2f",
		 (double)row->ns / 1e7 / interval->duration_s);
	return text_table_add(table, cells, style);
}

int symbol_view_table(FILE *stream, const struct interval *interval,
		      const struct symbol_rows *rows)
{
	struct text_table *table = text_table_new(columns, sizeof(columns) / sizeof(*columns));
	struct text_layout layout = interval_table_layout(stream);
	struct symbol_row others = {.account = "other VMs"}, sum = {.account = "sum"};
	int code = table ? 0 : -ENOMEM;

	for (size_t i = 0; !code && i < rows->count; i++) {
		const struct symbol_row *row = &rows->rows[i];
		sum.ns += row->ns;
		if (is_shown(row)) {
			code = add_row(table, interval, row, TEXT_PLAIN);
		} else {
			others.ns += row->ns;
			others.samples += row->samples;
		}
	}
	if (!code && others.ns)
		code = add_row(table, interval, &others, TEXT_PLAIN);
	if (!code)
		code = add_row(table, interval, &sum, TEXT_BOLD);
	if (!code) {
		interval_table_title(stream, interval, NULL, layout.width);
		text_table_print(table, &layout, stream);
		interval_table_footer(stream, interval);
	}
	text_table_free(table);
	if (code)
		return code;
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}

static void write_row(struct csv *csv, const struct interval *interval,
		      const struct symbol_row *row)
{
	csv_seconds(csv, interval->start);
	csv_seconds(csv, interval->duration_s);
	csv_seconds(csv, (double)interval->ledger.capacity_ns / 1e9);
	csv_text(csv, row->account);
	csv_text(csv, row->vm ? row->vm->name : NULL);
	csv_text(csv, row->vm ? row->vm->id : NULL);
	if (row->vm)
		csv_integer(csv, (uint64_t)row->vm->pid);
	else
		csv_text(csv, NULL);
	csv_text(csv, row->mode);
	csv_text(csv, row->module);
	csv_text(csv, row->symbol);
	csv_integer(csv, row->samples);
	csv_seconds(csv, (double)row->ns / 1e9);
	csv_end(csv);
}

int symbol_view_csv(FILE *stream, const struct interval *interval,
		    const struct symbol_rows *rows)
{
	static const char *const titles[] = {"start",  "duration_s", "capacity_s", "account",
					     "name",   "id",	     "pid",	   "mode",
					     "module", "symbol",     "samples",	   "total_s"};
	struct csv csv = {.out = stream};
	struct symbol_row others = {.account = "processes", .mode = "other_vms"};

	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
		csv_text(&csv, titles[i]);
	csv_end(&csv);
	for (size_t i = 0; i < rows->count; i++) {
		if (is_shown(&rows->rows[i])) {
			write_row(&csv, interval, &rows->rows[i]);
		} else {
			others.ns += rows->rows[i].ns;
			others.samples += rows->rows[i].samples;
		}
	}
	if (others.ns)
		write_row(&csv, interval, &others);
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}

int symbol_view_json(FILE *stream, const struct interval *interval,
		     const struct symbol_rows *rows)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < rows->count; i++) {
		const struct symbol_row *row = &rows->rows[i];
		if (!is_shown(row))
			continue;
		json_t *item = json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:f}", "account",
					 row->account, "id", row->vm ? row->vm->id : NULL,
					 "mode", row->mode, "module", row->module, "symbol",
					 row->symbol, "samples", (json_int_t)row->samples,
					 "total_s", (double)row->ns / 1e9);
		if (json_array_append_new(list, item)) {
			json_decref(list);
			list = NULL;
		}
	}
	return list ? interval_write_json_with(stream, interval, "symbols", list) : -ENOMEM;
}
