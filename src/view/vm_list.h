/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_VM_LIST_H
#define KVMPERF_VIEW_VM_LIST_H

#include <stdio.h>

#include "discover/vm.h"
#include "view/text_table.h"

/*
 * The VMs as 'kvmperf list' shows them. Errors of the stream are left to the caller (ferror);
 * the functions return 0 or -ENOMEM.
 */

/* A table, one line a VM. */
int vm_list_print_table(const struct vm *const *vms, size_t count,
			const struct text_layout *layout, FILE *out);

/* All that is known of a VM, and a table of its threads. */
int vm_list_print_details(const struct vm *vm, const struct text_layout *layout, FILE *out);

/* Comma-separated values with a header; several taps are joined by ';'. */
int vm_list_print_csv(const struct vm *const *vms, size_t count, FILE *out);

/* A JSON object a line, of schema kvmperf.vm/1; what isn't known is null. */
int vm_list_print_json(const struct vm *const *vms, size_t count, FILE *out);

#endif
