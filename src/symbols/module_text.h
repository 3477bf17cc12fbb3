/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_MODULE_TEXT_H
#define KVMPERF_SYMBOLS_MODULE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "symbols/range_list.h"

/* A function of a loaded module. */
struct module_symbol {
	uint64_t address;
	uint16_t subsystem;
};

/* Where a module's text begins, perhaps before its first function. */
struct module_base {
	uint64_t address; /* 0 when hidden */
	uint16_t subsystem;
};

/*
 * Makes the ranges of modules from their functions (in rising order). A module's text may be in
 * several places (.init.text, one area for each kind of memory since 6.4); each runs from the
 * page of its first function there, or the module's base, to the end of the last one's page.
 * *patches is owned by the caller (free). Returns 0 or -ENOMEM.
 */
int module_text(struct range_patch **patches, size_t *patch_count,
		const struct module_symbol *symbols, size_t count,
		const struct module_base *bases, size_t base_count);

#endif
