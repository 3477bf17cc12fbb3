/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_INTERRUPT_CONTEXT_H
#define KVMPERF_COLLECT_INTERRUPT_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "account/ledger.h"
#include "base/error.h"

/* Tells from a kernel callchain whether a sample was taken in an interrupt. */
struct interrupt_context;

/*
 * Reads the addresses of the functions that all interrupt work goes through from kallsyms
 * (NULL: /proc/kallsyms). *out is owned by the caller (interrupt_context_free).
 * Errors: -EPERM where addresses are hidden, -EOPNOTSUPP where none of the functions is known.
 */
int interrupt_context_new(struct interrupt_context **out, const char *kallsyms,
			  struct error *error);

/*
 * MODE_SOFTIRQ, MODE_HARDIRQ or MODE_KERNEL for a sample in the kernel. The chain is innermost
 * first, as in PERF_SAMPLE_CALLCHAIN; the interrupt that took the sample is not in it. A
 * hardirq inside a softirq is a hardirq.
 */
enum account_mode interrupt_context_mode(const struct interrupt_context *context,
					 const uint64_t *callchain, size_t length);

void interrupt_context_free(struct interrupt_context *context);

#endif
