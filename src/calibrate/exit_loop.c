/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/exit_loop.h"

#include <errno.h>

#include "base/clock.h"
#include "base/thread.h"
#include "vmm/vmm.h"

/* Turns of the guest's inner loop in a step, about 20 ns. */
#define SPIN 32

/* A step that took longer held an interrupt: so many times the usual, at least so long. */
#define GAP_STEPS  8
#define GAP_MIN_NS 1000.0

static int run(struct exit_loop *loop, uint64_t slice_ns, uint64_t slices, struct error *error)
{
	struct vmm_mailbox *mailbox = vmm_mailbox(loop->vmm, 0);
	int code;

	mailbox->slice_ticks = (uint64_t)((double)slice_ns * loop->ticks_per_ns);
	mailbox->slices = slices;
	do
		code = vmm_run(loop->vmm, 0, error);
	while (code == -EINTR);
	return code;
}

int exit_loop_open(struct exit_loop *loop, struct error *error)
{
	const struct vmm_options options = {.vcpus = 1};

	*loop = (struct exit_loop){.random = clock_monotonic_ns() | 1};
	int code = vmm_new(&loop->vmm, &options, error);
	if (code)
		return code;
	struct vmm_mailbox *mailbox = vmm_mailbox(loop->vmm, 0);
	loop->ticks_per_ns = vmm_tsc_hz(loop->vmm) / (double)NS_PER_S;
	mailbox->spin = SPIN;
	mailbox->kernel_exit = VMM_EXIT_KICK;
	/* Warms up, and tells how long a step takes when nearly none is left out. */
	mailbox->gap_ticks = (uint64_t)(20 * GAP_MIN_NS * loop->ticks_per_ns);
	code = run(loop, NS_PER_MS / 4, 4, error);
	if (code)
		return code;
	double step =
		(double)mailbox->guest_ticks /
		(double)(mailbox->steps > mailbox->gaps ? mailbox->steps - mailbox->gaps : 1);
	double gap = GAP_STEPS * step;
	if (gap < GAP_MIN_NS * loop->ticks_per_ns)
		gap = GAP_MIN_NS * loop->ticks_per_ns;
	mailbox->gap_ticks = (uint64_t)gap;
	return 0;
}

void exit_loop_close(struct exit_loop *loop)
{
	vmm_free(loop->vmm);
	loop->vmm = NULL;
}

/* xorshift64star (Vigna 2016). */
static uint64_t draw_below(struct exit_loop *loop, uint64_t limit)
{
	uint64_t x = loop->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	loop->random = x;
	return limit ? (x * 0x2545f4914f6cdd1dULL) % limit : 0;
}

/* Runs so many bursts and tells what went on. */
static int run_round(struct exit_loop *loop, uint64_t slice_ns, uint64_t slices,
		     unsigned bursts, struct exit_loop_sum *round, struct error *error)
{
	const struct vmm_mailbox *mailbox = vmm_mailbox(loop->vmm, 0);
	struct vmm_mailbox before = *mailbox;
	uint64_t exits, exits_before;
	int code = vmm_exits(loop->vmm, 0, &exits_before, error);
	long preemptions = thread_preemptions();
	uint64_t start = clock_thread_ns();

	for (unsigned i = 0; !code && i < bursts; i++)
		code = run(loop, slice_ns, slices, error);
	uint64_t end = clock_thread_ns();
	if (!code)
		code = vmm_exits(loop->vmm, 0, &exits, error);
	if (code)
		return code;
	*round = (struct exit_loop_sum){
		.run_ns = end - start,
		.guest_ns = (double)(mailbox->guest_ticks - before.guest_ticks) /
			    loop->ticks_per_ns,
		.gap_ns = (double)(mailbox->gap_sum - before.gap_sum) / loop->ticks_per_ns,
		.exits = exits - exits_before,
		.kernel_exits = mailbox->kernel_exits - before.kernel_exits,
		.user_exits = bursts,
		.preemptions = (uint64_t)(thread_preemptions() - preemptions),
	};
	return 0;
}

int exit_loop_round(struct exit_loop *loop, bool user, uint64_t guest_max_ns,
		    struct exit_loop_sum *round, struct error *error)
{
	uint64_t slice_ns = draw_below(loop, guest_max_ns);

	if (user)
		return run_round(loop, slice_ns, 1, EXIT_LOOP_ROUND, round, error);
	return run_round(loop, slice_ns, EXIT_LOOP_ROUND + 1, 1, round, error);
}

int exit_loop_burst(struct exit_loop *loop, uint64_t guest_ns, struct exit_loop_sum *round,
		    struct error *error)
{
	return run_round(loop, guest_ns, 1, 1, round, error);
}

void exit_loop_add(struct exit_loop_sum *sum, const struct exit_loop_sum *round)
{
	sum->run_ns += round->run_ns;
	sum->guest_ns += round->guest_ns;
	sum->gap_ns += round->gap_ns;
	sum->exits += round->exits;
	sum->kernel_exits += round->kernel_exits;
	sum->user_exits += round->user_exits;
	sum->preemptions += round->preemptions;
}
