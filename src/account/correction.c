/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/correction.h"

#include "account/confidence.h"

/* Handlers that ran in the window of an exit which they did not force. */
static double pending_interrupts(const struct correction_input *thread,
				 const struct exit_costs *costs)
{
	double all =
		(double)thread->samples + costs->interrupt_hz * (double)thread->run_ns / 1e9;
	double pending = all * (double)thread->guest_ns / (double)thread->run_ns -
			 (double)thread->exits[VM_EXIT_INTERRUPT];

	return pending > 0 ? pending : 0;
}

struct correction correction_make(const struct correction_input *thread,
				  const struct exit_costs *costs)
{
	const struct exit_cost *by_class = costs->by_class;
	double handler_ns = by_class[VM_EXIT_INTERRUPT].ns - by_class[VM_EXIT_KERNEL].ns;
	double ns = 0, error = 0;

	if (thread->run_ns == 0)
		return (struct correction){0};
	for (int i = 0; i < VM_EXIT_CLASSES; i++) {
		ns += (double)thread->exits[i] * by_class[i].ns;
		/* One calibration made all costs: its errors need not cancel. */
		error += (double)thread->exits[i] * by_class[i].error95_ns;
	}
	double pending = pending_interrupts(thread, costs);
	if (handler_ns > 0)
		ns += pending * handler_ns;
	error += pending * by_class[VM_EXIT_INTERRUPT].error95_ns;

	struct correction correction = {.variance = confidence_half_width_variance(error)};
	if (ns > (double)thread->guest_ns)
		correction.ns = thread->guest_ns;
	else if (ns > 0)
		correction.ns = (uint64_t)ns;
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
