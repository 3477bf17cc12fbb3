/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/symbol_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/printable.h"
#include "symbols/kallsyms.h"

/* No function is longer: an address further behind the last one known is none's. */
#define FUNCTION_MAX (1U << 20)

struct symbol {
	uint64_t address;
	uint32_t name;	/* offset in names */
	bool preferred; /* global: of several names at one address it is the one to show */
};

struct symbol_table {
	struct symbol *symbols; /* in rising order; one an address */
	size_t count, room;
	char *names;
	size_t names_size, names_room;
};

static int add_symbol(void *data, const struct kallsyms_symbol *from)
{
	struct symbol_table *table = data;
	char type = (char)(from->type | 0x20);

	if ((type != 't' && type != 'w') || from->name_length > 4096)
		return 0;
	if (table->names_size + from->name_length + 1 > UINT32_MAX ||
	    array_reserve(&table->symbols, &table->room, table->count + 1,
			  sizeof(*table->symbols)) ||
	    array_reserve(&table->names, &table->names_room,
			  table->names_size + from->name_length + 1, 1))
		return -ENOMEM;
	char *name = table->names + table->names_size;
	memcpy(name, from->name, from->name_length);
	name[from->name_length] = '\0';
	printable(name);
	table->symbols[table->count++] =
		(struct symbol){from->address, (uint32_t)table->names_size, from->type == 'T'};
	table->names_size += from->name_length + 1;
	return 0;
}

static int compare_symbols(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->preferred != b->preferred)
		return a->preferred ? -1 : 1;
	return (a->name > b->name) - (a->name < b->name);
}

static void keep_one_an_address(struct symbol_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++)
		if (kept == 0 || table->symbols[kept - 1].address != table->symbols[i].address)
			table->symbols[kept++] = table->symbols[i];
	table->count = kept;
}

int symbol_table_read(struct symbol_table **out, const char *kallsyms, struct error *error)
{
	struct symbol_table *table = calloc(1, sizeof(*table));
	int code = table ? kallsyms_read(kallsyms, add_symbol, table, error) : -ENOMEM;

	if (!code && table->count) {
		qsort(table->symbols, table->count, sizeof(*table->symbols), compare_symbols);
		keep_one_an_address(table);
	}
	if (!code && table->count == 0)
		code = error_set(error, -EBADMSG, "%s lists no function", kallsyms);
	else if (!code && table->symbols[table->count - 1].address == 0)
		code = error_set(error, -EPERM,
				 "%s hides the kernel's addresses: copy /proc/kallsyms as root",
				 kallsyms);
	if (code == -ENOMEM)
		error_set(error, code, "no memory for the symbols of %s", kallsyms);
	if (code) {
		symbol_table_free(table);
		return code;
	}
	*out = table;
	return 0;
}

const char *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - table->symbols[low - 1].address > FUNCTION_MAX)
		return NULL;
	return table->names + table->symbols[low - 1].name;
}

void symbol_table_free(struct symbol_table *table)
{
	if (!table)
		return;
	free(table->symbols);
	free(table->names);
	free(table);
}
