/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/exact_window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "calibrate/exit_loop.h"
#include "calibrate/sample_cost.h"
#include "collect/exact_events.h"
#include "discover/exit_layout.h"

/*
 * Each loop is done in rounds, whose spread is the error of the mean: short ones, so that few
 * are hit when a hypervisor below takes the CPU away.
 */
#define PARTS 160

/* Bursts that only interrupts break, some of them; of these, one in each part. */
#define BURST_NS     NS_PER_MS
#define BURSTS	     160
#define BURSTS_LEAST 4 /* that were broken, and that were not */

/* The largest share of the parts that is left out: in them other things went on. */
#define TRIM 0.2

/* Student's t, 97.5 %, for 30 of them; BURSTS_LEAST are worse off. */
#define QUANTILE 2.04

struct part {
	struct exit_loop_sum sum;
	double window_ns; /* exact mode's guest account of this thread */
};

struct window {
	struct exit_loop *loop;
	struct exact_events *events;
	pid_t tid;
	uint64_t window_ns; /* the next two: at the last reading */
	uint64_t exits;
};

static int take_thread(void *context, enum exact_place place, const struct exact_thread *thread,
		       const uint64_t *ns)
{
	struct window *window = context;

	if (place == EXACT_PLACE_THREAD && (pid_t)thread->tid == window->tid)
		window->window_ns += ns[EXACT_GUEST];
	return 0;
}

static int take_exits(void *context, const struct exact_thread *thread, uint32_t isa,
		      uint32_t code, uint64_t count, uint64_t ns)
{
	struct window *window = context;

	(void)isa, (void)code, (void)ns;
	if ((pid_t)thread->tid == window->tid)
		window->exits += count;
	return 0;
}

static int read_window(struct window *window, struct error *error)
{
	const struct exact_visitor visitor = {window, take_thread, take_exits};
	struct exact_totals totals;

	window->window_ns = window->exits = 0;
	return exact_events_take(window->events, &visitor, &totals, error);
}

/* One part: user tells the class of its exits; burst_ns above 0: one burst instead. */
static int run_part(struct window *window, bool user, uint64_t guest_max_ns, uint64_t burst_ns,
		    struct part *part, struct error *error)
{
	int code =
		burst_ns ? exit_loop_burst(window->loop, burst_ns, &part->sum, error)
			 : exit_loop_round(window->loop, user, guest_max_ns, &part->sum, error);

	if (!code)
		code = read_window(window, error);
	if (!code && window->exits == 0)
		code = error_set(error, -EOPNOTSUPP,
				 "guests run and the tracepoints kvm_entry and kvm_exit are "
				 "silent");
	part->window_ns = (double)window->window_ns;
	return code;
}

/* Exits that nobody ordered. */
static double forced_exits(const struct exit_loop_sum *sum)
{
	double forced =
		(double)sum->exits - (double)sum->kernel_exits - (double)sum->user_exits;

	return forced > 0 ? forced : 0;
}

/* The trimmed mean of costs, of which there are at least two. */
static struct exit_cost mean_cost(double *costs, unsigned count)
{
	double mean = sample_cost_trimmed_mean(costs, count, TRIM), squares = 0;

	count -= (unsigned)(count * TRIM);
	for (unsigned i = 0; i < count; i++)
		squares += (costs[i] - mean) * (costs[i] - mean);
	return (struct exit_cost){.ns = mean > 0 ? mean : 0,
				  .error95_ns = QUANTILE * sqrt(squares / (count - 1) / count)};
}

/* What exact mode calls guest and was none. */
static double excess_ns(const struct part *part)
{
	return part->window_ns - part->sum.guest_ns;
}

/*
 * The cost of an exit of one class in the parts in which no interrupt came, when that of the
 * other class is known. costs: room for count numbers.
 */
static struct exit_cost cost_of_class(const struct part *parts, unsigned count,
				      enum vm_exit_class class, const struct exit_costs *known,
				      double *costs)
{
	unsigned used = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct exit_loop_sum *sum = &parts[i].sum;
		double ns = excess_ns(&parts[i]), exits = (double)sum->user_exits;
		if (class == VM_EXIT_KERNEL) {
			ns -= exits * known->by_class[VM_EXIT_USER].ns;
			exits = (double)sum->kernel_exits;
		}
		if (forced_exits(sum) == 0 && exits > 0)
			costs[used++] = ns / exits;
	}
	return used >= BURSTS_LEAST ? mean_cost(costs, used) : known->by_class[VM_EXIT_KERNEL];
}

/*
 * The cost of an interrupt: what bursts that one broke have more than those that none did. Both
 * have the same exit at the end and, under emulation, stalls that are no interrupt's.
 */
static struct exit_cost cost_of_interrupt(const struct part *bursts, unsigned count,
					  const struct exit_costs *known, double *costs)
{
	struct exit_cost of[2] = {{0}};

	for (unsigned forced = 0; forced < 2; forced++) {
		unsigned used = 0;
		for (unsigned i = 0; i < count; i++)
			if (forced_exits(&bursts[i].sum) == forced)
				costs[used++] = excess_ns(&bursts[i]);
		if (used < BURSTS_LEAST)
			return known->by_class[VM_EXIT_KERNEL];
		of[forced] = mean_cost(costs, used);
	}
	return (struct exit_cost){.ns = of[1].ns > of[0].ns ? of[1].ns - of[0].ns : 0,
				  .error95_ns = hypot(of[0].error95_ns, of[1].error95_ns)};
}

static int run_parts(struct window *window, unsigned precision, struct exit_costs *costs,
		     struct error *error)
{
	const unsigned parts = PARTS * precision, bursts = BURSTS * precision;
	struct part *user = calloc(2 * parts + bursts, sizeof(*user));
	struct part *kernel = NULL, *burst = NULL;
	double *room = calloc(2 * parts + bursts, sizeof(*room));
	struct exit_loop_sum round;
	int code = 0;

	if (!user || !room)
		code = error_set(error, -ENOMEM, "no memory for the calibration");
	else
		kernel = user + parts, burst = kernel + parts;
	/* Guest time up to half of what an exit takes, as under samples. */
	if (!code)
		code = exit_loop_round(window->loop, true, 0, &round, error);
	uint64_t guest_max_ns = code ? 0 : round.run_ns / EXIT_LOOP_ROUND / 2;
	if (!code)
		code = read_window(window, error);
	for (unsigned i = 0; !code && i < parts; i++) {
		code = run_part(window, true, guest_max_ns, 0, &user[i], error);
		if (!code)
			code = run_part(window, false, guest_max_ns, 0, &kernel[i], error);
	}
	for (unsigned i = 0; !code && i < bursts; i++)
		code = run_part(window, false, 0, BURST_NS, &burst[i], error);

	struct exit_cost *by_class = costs->by_class;
	*costs = (struct exit_costs){0};
	if (!code) {
		by_class[VM_EXIT_USER] = cost_of_class(user, parts, VM_EXIT_USER, costs, room);
		by_class[VM_EXIT_KERNEL] =
			cost_of_class(kernel, parts, VM_EXIT_KERNEL, costs, room);
		by_class[VM_EXIT_INTERRUPT] = cost_of_interrupt(burst, bursts, costs, room);
	}
	if (!code && (by_class[VM_EXIT_USER].error95_ns == 0 ||
		      by_class[VM_EXIT_KERNEL].error95_ns == 0))
		code = error_set(error, -ENODATA, "interrupts hit every round of exits");
	free(room);
	free(user);
	return code;
}

int exact_window_measure(struct exit_loop *loop, unsigned precision, struct exit_costs *costs,
			 struct error *error)
{
	struct window window = {.loop = loop, .tid = gettid()};
	struct exact_exit_layout layout;
	int code = exit_layout_read(&layout, error);

	if (!code)
		code = exact_events_new(&window.events, &layout, error);
	if (!code)
		code = exact_events_begin(window.events, error);
	if (!code)
		code = run_parts(&window, precision, costs, error);
	exact_events_free(window.events);
	return code;
}
