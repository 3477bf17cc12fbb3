/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/interrupt_context.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/kallsyms.h"

struct interrupt_context {
	struct context_function *functions; /* in rising order */
	size_t count, room;
};

/* What is known of a function by its name. A name ends where the symbol does or with a '.', in
 * front of what the compiler adds (".cold", ".isra.0").
 */
struct known_function {
	const char *name;
	enum account_mode mode;
	enum shared_work work;
};

static const struct known_function known_functions[] = {
	/* handle_softirqs since 6.10, __do_softirq before (kernel/softirq.c). */
	{"handle_softirqs", MODE_SOFTIRQ, WORK_NONE},
	{"__do_softirq", MODE_SOFTIRQ, WORK_NONE},
	/* The softirq vectors' handlers: all calls of open_softirq(). */
	{"net_rx_action", MODE_SOFTIRQ, WORK_NET_RX},
	{"net_tx_action", MODE_SOFTIRQ, WORK_NET_TX},
	{"blk_done_softirq", MODE_SOFTIRQ, WORK_BLOCK},
	{"irq_poll_softirq", MODE_SOFTIRQ, WORK_BLOCK},
	{"run_timer_softirq", MODE_SOFTIRQ, WORK_TIMER},
	{"hrtimer_run_softirq", MODE_SOFTIRQ, WORK_TIMER},
	{"sched_balance_softirq", MODE_SOFTIRQ, WORK_SCHED}, /* since 6.10 */
	{"run_rebalance_domains", MODE_SOFTIRQ, WORK_SCHED},
	{"rcu_core_si", MODE_SOFTIRQ, WORK_RCU},
	{"tasklet_action", MODE_SOFTIRQ, WORK_OTHER},
	{"tasklet_hi_action", MODE_SOFTIRQ, WORK_OTHER},
	/* Kernel threads that do the same: net/core/dev.c, kernel/rcu/tree.c. */
	{"napi_threaded_poll", MODE_KERNEL, WORK_NET_RX},
	{"run_backlog_napi", MODE_KERNEL, WORK_NET_RX},
	{"rcu_cpu_kthread", MODE_KERNEL, WORK_RCU},
	/* Functions of work queues: block/blk-mq.c, loop.c, dm.c, dm-crypt.c, iomap, scsi. */
	{"blk_mq_run_work_fn", MODE_KERNEL, WORK_BLOCK},
	{"blk_mq_requeue_work", MODE_KERNEL, WORK_BLOCK},
	{"blk_mq_timeout_work", MODE_KERNEL, WORK_BLOCK},
	{"loop_workfn", MODE_KERNEL, WORK_BLOCK},
	{"loop_rootcg_workfn", MODE_KERNEL, WORK_BLOCK},
	{"dm_wq_work", MODE_KERNEL, WORK_BLOCK},
	{"dm_wq_requeue_work", MODE_KERNEL, WORK_BLOCK},
	{"kcryptd_crypt", MODE_KERNEL, WORK_BLOCK},
	{"iomap_dio_complete_work", MODE_KERNEL, WORK_BLOCK},
	{"dio_aio_complete_work", MODE_KERNEL, WORK_BLOCK},
	{"scsi_requeue_run_queue", MODE_KERNEL, WORK_BLOCK},
	/* Work queues of the network: net/core/dev.c, drivers/net/wireguard, net/bridge. */
	{"flush_backlog", MODE_KERNEL, WORK_NET_RX},
	{"wg_packet_decrypt_worker", MODE_KERNEL, WORK_NET_RX},
	{"wg_packet_encrypt_worker", MODE_KERNEL, WORK_NET_TX},
	{"wg_packet_tx_worker", MODE_KERNEL, WORK_NET_TX},
	/*
	 * The entries of arch/x86/include/asm/idtentry.h and arch/arm64/kernel/entry-common.c.
	 * Inner functions are listed too, since the unwinder may end at the interrupt stack.
	 */
	{"common_interrupt", MODE_HARDIRQ, WORK_NONE},
	{"__common_interrupt", MODE_HARDIRQ, WORK_NONE},
	{"asm_common_interrupt", MODE_HARDIRQ, WORK_NONE},
	{"el1_interrupt", MODE_HARDIRQ, WORK_NONE},
	{"el0_interrupt", MODE_HARDIRQ, WORK_NONE},
	{"handle_irq_event", MODE_HARDIRQ, WORK_NONE},
	{"generic_handle_domain_irq", MODE_HARDIRQ, WORK_NONE},
};
static const char *const hardirq_prefixes[] = {"sysvec_", "__sysvec_", "asm_sysvec_"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_named(const struct kallsyms_symbol *symbol, const char *name)
{
	if (symbol->name_length == 0 || name[0] != symbol->name[0])
		return false;
	size_t length = strlen(name);
	return length <= symbol->name_length && memcmp(name, symbol->name, length) == 0 &&
	       (length == symbol->name_length || symbol->name[length] == '.');
}

/* What a function in a callchain means; false when it means nothing. */
static bool know_function(const struct kallsyms_symbol *symbol, enum account_mode *mode,
			  enum shared_work *work)
{
	for (size_t i = 0; i < COUNT_OF(known_functions); i++) {
		if (!is_named(symbol, known_functions[i].name))
			continue;
		*mode = known_functions[i].mode;
		*work = known_functions[i].work;
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(hardirq_prefixes); i++) {
		size_t length = strlen(hardirq_prefixes[i]);
		if (length > symbol->name_length ||
		    memcmp(hardirq_prefixes[i], symbol->name, length) != 0)
			continue;
		*mode = MODE_HARDIRQ;
		*work = WORK_NONE;
		return true;
	}
	return false;
}

struct symbol {
	uint64_t address;
	enum account_mode mode;
	enum shared_work work;
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
		context->functions[context->count++] = (struct context_function){
			.start = symbols[i].address,
			.end = symbols[next].address,
			.mode = symbols[i].mode,
			.work = symbols[i].work,
		};
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
	added->wanted = know_function(symbol, &added->mode, &added->work);
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

static const struct context_function *find_function(const struct interrupt_context *context,
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
					 const uint64_t *callchain, size_t length,
					 enum shared_work *work)
{
	*work = WORK_NONE;
	for (size_t i = 0; i < length; i++) {
		const struct context_function *function = find_function(context, callchain[i]);
		if (function) {
			*work = function->work;
			return function->mode;
		}
	}
	return MODE_KERNEL;
}

const struct context_function *
interrupt_context_functions(const struct interrupt_context *context, size_t *count)
{
	*count = context->count;
	return context->functions;
}

void interrupt_context_free(struct interrupt_context *context)
{
	if (!context)
		return;
	free(context->functions);
	free(context);
}
