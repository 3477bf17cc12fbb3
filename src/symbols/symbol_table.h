/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_SYMBOL_TABLE_H
#define KVMPERF_SYMBOLS_SYMBOL_TABLE_H

#include <stdint.h>

#include "base/error.h"

/* The functions of a kernel by address. */
struct symbol_table;

/*
 * Reads the functions of a file as /proc/kallsyms. *out is owned by the caller
 * (symbol_table_free). Errors: those of kallsyms_read(); -EPERM when addresses are hidden (all
 * zero); -ENOMEM.
 */
int symbol_table_read(struct symbol_table **out, const char *kallsyms, struct error *error);

/* The function that holds the address, or NULL. Valid until symbol_table_free(). */
const char *symbol_table_find(const struct symbol_table *table, uint64_t address);

/* NULL is allowed. */
void symbol_table_free(struct symbol_table *table);

#endif
