/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/interrupt_context.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/kallsyms.h"

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

/* handle_softirqs since 6.10, __do_softirq before (kernel/softirq.c). */
static const char *const softirq_names[] = {"handle_softirqs", "__do_softirq"};

/*
 * The entries of arch/x86/include/asm/idtentry.h and arch/arm64/kernel/entry-common.c. Inner
 * functions are listed too, since the unwinder may end at the interrupt stack.
 */
static const char *const hardirq_names[] = {
	"common_interrupt", "__common_interrupt", "asm_common_interrupt",      "el1_interrupt",
	"el0_interrupt",    "handle_irq_event",	  "generic_handle_domain_irq",
};
static const char *const hardirq_prefixes[] = {"sysvec_", "__sysvec_", "asm_sysvec_"};

static bool is_one_of(const struct kallsyms_symbol *symbol, const char *const *names,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == symbol->name_length &&
		    memcmp(names[i], symbol->name, symbol->name_length) == 0)
			return true;
	return false;
}

static bool has_prefix(const struct kallsyms_symbol *symbol, const char *const *prefixes,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(prefixes[i]) <= symbol->name_length &&
		    memcmp(prefixes[i], symbol->name, strlen(prefixes[i])) == 0)
			return true;
	return false;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool mode_of_function(const struct kallsyms_symbol *symbol, enum account_mode *mode)
{
	*mode = MODE_SOFTIRQ;
	if (is_one_of(symbol, softirq_names, COUNT_OF(softirq_names)))
		return true;
	*mode = MODE_HARDIRQ;
	return is_one_of(symbol, hardirq_names, COUNT_OF(hardirq_names)) ||
	       has_prefix(symbol, hardirq_prefixes, COUNT_OF(hardirq_prefixes));
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

struct symbol_list {
	struct symbol *items;
	size_t count, room;
};

static int add_symbol(void *data, const struct kallsyms_symbol *symbol)
{
	struct symbol_list *list = data;

	if (symbol->type != 't' && symbol->type != 'T')
		return 0;
	if (array_reserve(&list->items, &list->room, list->count + 1, sizeof(*list->items)))
		return -ENOMEM;
	struct symbol *added = &list->items[list->count++];
	added->address = symbol->address;
	added->wanted = mode_of_function(symbol, &added->mode);
	return 0;
}

int interrupt_context_new(struct interrupt_context **out, const char *kallsyms,
			  struct error *error)
{
	struct interrupt_context *context = calloc(1, sizeof(*context));
	struct symbol_list list = {0};
	int code = 0;

	if (!kallsyms)
		kallsyms = "/proc/kallsyms";
	if (!context)
		code = error_set(error, -ENOMEM, "no memory for the symbols of %s", kallsyms);
	else
		code = kallsyms_read(kallsyms, add_symbol, &list, error);
	if (!code && list.count && list.items[0].address == 0 &&
	    list.items[list.count - 1].address == 0)
		code = error_set(error, -EPERM,
				 "the addresses in %s are hidden: run with CAP_SYSLOG (and "
				 "kernel.kptr_restrict below 2)",
				 kallsyms);
	if (!code)
		code = keep_wanted(context, list.items, list.count);
	if (code == -ENOMEM)
		error_set(error, code, "no memory for the symbols of %s", kallsyms);
	if (!code && context->count == 0)
		code = error_set(
			error, -EOPNOTSUPP,
			"%s names no interrupt entry: cannot tell interrupts from threads",
			kallsyms);
	free(list.items);
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
