/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_INTERRUPT_CONTEXT_H
#define KVMPERF_COLLECT_INTERRUPT_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "account/ledger.h"
#include "base/error.h"

/*
 * Tells from a kernel callchain whether a sample was taken in an interrupt, and what kind of
 * shared work was done: by the handler of a softirq vector, a NAPI thread or a block work
 * queue.
 */
struct interrupt_context;

/* The code of a function, from start up to end, and what its presence in a callchain means. */
struct context_function {
	uint64_t start;
	uint64_t end;
	enum account_mode mode; /* MODE_KERNEL for what runs in threads */
	enum shared_work work;	/* WORK_NONE: it doesn't tell */
};

/*
 * Reads the addresses of the functions that all interrupt work goes through from kallsyms
 * (NULL: /proc/kallsyms). *out is owned by the caller (interrupt_context_free).
 * Errors: -EPERM where addresses are hidden, -EOPNOTSUPP where none of the functions is known.
 */
int interrupt_context_new(struct interrupt_context **out, const char *kallsyms,
			  struct error *error);

/*
 * MODE_SOFTIRQ, MODE_HARDIRQ or MODE_KERNEL for a sample in the kernel, and the kind of work:
 * WORK_NONE when the chain doesn't tell. The chain is innermost first, as in
 * PERF_SAMPLE_CALLCHAIN; the interrupt that took the sample is not in it. A hardirq inside a
 * softirq is a hardirq. Softirqs that are held off (local_bh_disable) are no softirq: what a
 * thread sends itself is its own.
 */
enum account_mode interrupt_context_mode(const struct interrupt_context *context,
					 const uint64_t *callchain, size_t length,
					 enum shared_work *work);

/* All functions in rising order of address; *count is their number. Owned by the context. */
const struct context_function *
interrupt_context_functions(const struct interrupt_context *context, size_t *count);

void interrupt_context_free(struct interrupt_context *context);

#endif
