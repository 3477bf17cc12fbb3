/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/interrupt_context.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Addresses of one function: from start up to end. */
struct function {
	uint64_t start;
	uint64_t end;
	enum account_mode mode;
};

struct interrupt_context {
	struct function *functions; /* in rising order */
	size_t count, room;
};

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * handle_softirqs since 6.10, __do_softirq before (kernel/softirq.c). Hardirqs: the entries of
 * arch/x86/include/asm/idtentry.h and arch/arm64/kernel/entry-common.c. Inner functions are
 * listed too, since the unwinder may end at the interrupt stack.
 */
static bool mode_of_function(const char *name, enum account_mode *mode)
{
	if (strcmp(name, "handle_softirqs") == 0 || strcmp(name, "__do_softirq") == 0) {
		*mode = MODE_SOFTIRQ;
		return true;
	}
	*mode = MODE_HARDIRQ;
	return strcmp(name, "common_interrupt") == 0 ||
	       strcmp(name, "__common_interrupt") == 0 ||
	       strcmp(name, "asm_common_interrupt") == 0 || starts_with(name, "sysvec_") ||
	       starts_with(name, "__sysvec_") || starts_with(name, "asm_sysvec_") ||
	       strcmp(name, "el1_interrupt") == 0 || strcmp(name, "el0_interrupt") == 0 ||
	       strcmp(name, "handle_irq_event") == 0 ||
	       strcmp(name, "generic_handle_domain_irq") == 0;
}

struct symbol {
	uint64_t address;
	enum account_mode mode;
	bool wanted;
};

static int compare_symbols(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

/* A function ends where the next symbol of another address begins. */
static int keep_wanted(struct interrupt_context *context, struct symbol *symbols, size_t count)
{
	if (count > 1)
		qsort(symbols, count, sizeof(*symbols), compare_symbols);
	for (size_t i = 0; i < count; i++) {
		size_t next = i + 1;
		if (!symbols[i].wanted)
			continue;
		while (next < count && symbols[next].address == symbols[i].address)
			next++;
		if (next == count)
			continue;
		if (array_reserve(&context->functions, &context->room, context->count + 1,
				  sizeof(*context->functions)))
			return -ENOMEM;
		context->functions[context->count++] = (struct function){
			symbols[i].address, symbols[next].address, symbols[i].mode};
	}
	return 0;
}

static int read_symbols(FILE *file, struct symbol **symbols, size_t *count)
{
	size_t room = 0;
	char line[1024];

	while (fgets(line, sizeof(line), file)) {
		char name[256], type;
		uint64_t address;
		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type, name) != 3 ||
		    (type != 't' && type != 'T'))
			continue;
		if (array_reserve(symbols, &room, *count + 1, sizeof(**symbols)))
			return -ENOMEM;
		struct symbol *symbol = &(*symbols)[(*count)++];
		symbol->address = address;
		symbol->wanted = mode_of_function(name, &symbol->mode);
	}
	return 0;
}

int interrupt_context_new(struct interrupt_context **out, const char *kallsyms,
			  struct error *error)
{
	struct interrupt_context *context = calloc(1, sizeof(*context));
	struct symbol *symbols = NULL;
	size_t count = 0;

	if (!kallsyms)
		kallsyms = "/proc/kallsyms";
	FILE *file = fopen(kallsyms, "re");
	int code = 0;
	if (!file)
		code = error_set(error, -errno, "cannot open %s: %m", kallsyms);
	else if (!context || read_symbols(file, &symbols, &count))
		code = error_set(error, -ENOMEM, "no memory for the symbols of %s", kallsyms);
	if (!code && count && symbols[0].address == 0 && symbols[count - 1].address == 0)
		code = error_set(error, -EPERM,
				 "the addresses in %s are hidden: run with CAP_SYSLOG (and "
				 "kernel.kptr_restrict below 2)",
				 kallsyms);
	if (!code && keep_wanted(context, symbols, count))
		code = error_set(error, -ENOMEM, "no memory for the symbols of %s", kallsyms);
	if (!code && context->count == 0)
		code = error_set(
			error, -EOPNOTSUPP,
			"%s names no interrupt entry: cannot tell interrupts from threads",
			kallsyms);
	if (file)
		fclose(file);
	free(symbols);
	if (code) {
		interrupt_context_free(context);
		return code;
	}
	*out = context;
	return 0;
}

static const struct function *find_function(const struct interrupt_context *context,
					    uint64_t address)
{
	size_t low = 0, high = context->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (context->functions[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < context->count && context->functions[low].start <= address)
		return &context->functions[low];
	return NULL;
}

enum account_mode interrupt_context_mode(const struct interrupt_context *context,
					 const uint64_t *callchain, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const struct function *function = find_function(context, callchain[i]);
		if (function)
			return function->mode;
	}
	return MODE_KERNEL;
}

void interrupt_context_free(struct interrupt_context *context)
{
	if (!context)
		return;
	free(context->functions);
	free(context);
}
