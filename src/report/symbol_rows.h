/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_SYMBOL_ROWS_H
#define KVMPERF_REPORT_SYMBOL_ROWS_H

#include "report/report.h"
#include "view/symbol_view.h"

/*
 * Divides the accounts of a report by function: what an account has of a module is spread over
 * the module's functions by their samples, so that the rows sum to the capacity. The report
 * must not have been sorted. rows is owned by the caller (symbol_rows_clear), on failure too;
 * its texts are the report's. -ENOMEM.
 */
int symbol_rows_make(struct symbol_rows *rows, const struct report *report,
		     const struct report_input *input);

void symbol_rows_clear(struct symbol_rows *rows);

#endif
