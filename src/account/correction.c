/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/correction.h"

#include <math.h>

struct sum {
	double ns, error_ns;
};

/* One calibration made all costs: its errors need not cancel. */
static void add(struct sum *sum, double number, struct exit_cost cost)
{
	sum->ns += number * cost.ns;
	sum->error_ns += number * cost.error95_ns;
}

/* What the handler alone takes: the exit and entry cost as others that the kernel handles. */
static struct exit_cost handler(struct exit_cost interrupt, const struct exit_cost *exit)
{
	double ns = interrupt.ns - exit->ns;

	return (struct exit_cost){.ns = ns > 0 ? ns : 0, .error95_ns = interrupt.error95_ns};
}

/* A cost between two, the share of the second being what the thread slept. */
static struct exit_cost rested_cost(const struct correction_input *thread,
				    const struct exit_cost *busy,
				    const struct exit_cost *rested)
{
	double share = thread->slept_ns < thread->run_ns
			       ? (double)thread->slept_ns / (double)thread->run_ns
			       : 1;

	return (struct exit_cost){
		.ns = busy->ns + share * (rested->ns - busy->ns),
		.error95_ns =
			busy->error95_ns + share * (rested->error95_ns - busy->error95_ns),
	};
}

static void add_interrupts(struct sum *sum, const struct correction_input *thread,
			   const struct exit_costs *costs)
{
	const struct exit_cost *exit = &costs->by_class[VM_EXIT_KERNEL];
	double forced = (double)thread->exits[VM_EXIT_INTERRUPT];
	double ticks = costs->tick_hz * (double)thread->guest_ns / 1e9;
	double samples =
		(double)thread->samples * (double)thread->guest_ns / (double)thread->run_ns;
	double others = forced - ticks - samples;

	struct exit_cost tick = rested_cost(thread, &costs->tick, &costs->rested_tick);
	struct exit_cost sample = rested_cost(thread, &costs->sample, &costs->rested_sample);

	add(sum, ticks, handler(tick, exit));
	add(sum, samples, handler(sample, exit));
	if (others > 0)
		add(sum, others, handler(costs->by_class[VM_EXIT_INTERRUPT], exit));
	sum->ns += forced * exit->ns;
}

/* Beyond this the loop was disturbed. */
#define SPEED_FACTOR_MAX 4

/* Brings costs to the core's speed in the interval. */
static void follow_speed(struct sum *sum, double then_ns, double now_ns)
{
	double factor = 1, error95 = CORRECTION_SPEED_UNKNOWN95;

	if (then_ns > 0 && now_ns > 0) {
		factor = now_ns / then_ns;
		if (factor > SPEED_FACTOR_MAX)
			factor = SPEED_FACTOR_MAX;
		error95 = CORRECTION_SPEED_KNOWN95;
	}
	sum->error_ns = factor * hypot(sum->error_ns, error95 * sum->ns);
	sum->ns *= factor;
}

struct correction correction_make(const struct correction_input *thread,
				  const struct exit_costs *costs)
{
	struct sum sum = {0};

	if (thread->run_ns == 0)
		return (struct correction){0};
	add(&sum, (double)thread->exits[VM_EXIT_KERNEL], costs->by_class[VM_EXIT_KERNEL]);
	add(&sum, (double)thread->exits[VM_EXIT_USER], costs->by_class[VM_EXIT_USER]);
	add_interrupts(&sum, thread, costs);
	follow_speed(&sum, costs->reference_ns, thread->reference_ns);
	struct correction correction = {
		.error95_ns = fmin(sum.error_ns, (double)thread->guest_ns),
	};
	if (sum.ns > (double)thread->guest_ns)
		correction.ns = thread->guest_ns;
	else if (sum.ns > 0)
		correction.ns = (uint64_t)sum.ns;
	return correction;
}

void correction_classify(uint64_t exits, uint64_t user_exits, uint64_t interrupt_exits,
			 uint64_t by_class[VM_EXIT_CLASSES])
{
	by_class[VM_EXIT_USER] = user_exits < exits ? user_exits : exits;
	exits -= by_class[VM_EXIT_USER];
	by_class[VM_EXIT_INTERRUPT] = interrupt_exits < exits ? interrupt_exits : exits;
	by_class[VM_EXIT_KERNEL] = exits - by_class[VM_EXIT_INTERRUPT];
}
