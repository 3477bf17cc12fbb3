/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/interrupt_costs.h"

#include <linux/membarrier.h>
#include <math.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "account/confidence.h"
#include "base/clock.h"
#include "calibrate/sample_cost.h"

/* Bursts of guest time so short that at most one timer breaks most of them. */
#define TIMER_BURST_NS	NS_PER_MS
#define TIMERS_NS	(180 * NS_PER_MS)
#define TIMERS_ENOUGH	20 /* ticks, and samples; until then a busy host gets more time: */
#define TIMERS_PATIENCE 4

/* Before a burst on a rested CPU. Longer sleeps make interrupts dearer, but little. */
#define REST_NS NS_PER_MS

/* Calls of another CPU come so often, to bursts of this length. */
#define CALL_PERIOD_NS 100000
#define CALL_BURST_NS  (NS_PER_MS / 4)
#define CALLS_NS       (30 * NS_PER_MS)

#define BURSTS_MAX   1024
#define BURSTS_LEAST 6 /* of a kind, to tell what it costs */

/*
 * The part of the dearest bursts that is left out, and how many times the median the rest may
 * take: in others more went on, or the machine below stood still.
 */
#define TRIM	0.1
#define MEDIANS 5

struct costs_seen {
	double ns[BURSTS_MAX];
	unsigned count;
};

/* What the burst's interrupts took, each. False for a burst that tells nothing. */
static bool cost_of_burst(const struct exit_loop_sum *burst, double round_ns, double *ns)
{
	double forced = (double)burst->exits - (double)burst->user_exits;
	/* The clock of the guest goes on while a hypervisor below has the CPU; so does ours. */
	double ran = (double)burst->run_ns - burst->guest_ns - round_ns;
	double gap = burst->gap_ns < ran ? burst->gap_ns : ran;

	if (forced < 1 || gap <= 0 || burst->preemptions)
		return false;
	*ns = gap / forced;
	return true;
}

static void see(struct costs_seen *seen, double ns)
{
	if (seen->count < BURSTS_MAX)
		seen->ns[seen->count++] = ns;
}

/* The mean of what was seen, times factor, or if that is too little, otherwise. */
static struct exit_cost mean_cost(struct costs_seen *seen, double factor,
				  struct exit_cost otherwise)
{
	double sum = 0, squares = 0;

	if (seen->count < BURSTS_LEAST)
		return otherwise;
	sample_cost_sort(seen->ns, seen->count);
	unsigned kept = seen->count - (unsigned)(seen->count * TRIM);
	double most = MEDIANS * seen->ns[seen->count / 2];
	while (seen->ns[kept - 1] > most)
		kept--;
	for (unsigned i = 0; i < kept; i++)
		sum += seen->ns[i];
	double mean = sum / kept;
	for (unsigned i = 0; i < kept; i++)
		squares += (seen->ns[i] - mean) * (seen->ns[i] - mean);
	return (struct exit_cost){.ns = factor * mean,
				  .error95_ns = factor * confidence_quantile(1) *
						sqrt(squares / (kept - 1) / kept)};
}

static void rest(struct thread_sampler *sampler)
{
	const struct timespec pause = {.tv_nsec = REST_NS};
	struct thread_samples before_burst;

	nanosleep(&pause, NULL);
	(void)thread_sampler_take(sampler, &before_burst, NULL);
}

/*
 * Bursts that one interrupt broke, with the sampler on: a sample's or the tick's. With rested
 * each begins after a sleep. A kind that was seen too seldom costs what the other does, and
 * both what they did before. The result is for the speed at which the reference loop takes
 * reference_ns; *factor: what was multiplied by for that.
 */
static int measure_timers(struct exit_loop *loop, struct thread_sampler *sampler,
			  uint64_t duration_ns, double round_ns, bool rested,
			  double reference_ns, double *factor, struct exit_cost *tick,
			  struct exit_cost *sample, struct error *error)
{
	struct costs_seen ticks = {.count = 0}, samples = {.count = 0};
	uint64_t start = clock_monotonic_ns(), elapsed_ns = 0;
	struct thread_samples taken, all = {0};
	int code = thread_sampler_start(sampler, error);

	while (!code && (elapsed_ns < duration_ns ||
			 (elapsed_ns < TIMERS_PATIENCE * duration_ns &&
			  (ticks.count < TIMERS_ENOUGH || samples.count < TIMERS_ENOUGH)))) {
		struct exit_loop_sum burst;
		double ns;
		if (rested)
			rest(sampler);
		code = exit_loop_burst(loop, TIMER_BURST_NS, &burst, error);
		if (!code)
			code = thread_sampler_take(sampler, &taken, error);
		if (!code)
			thread_samples_add(&all, &taken);
		thread_sampler_tick(sampler);
		if (!code && burst.exits - burst.user_exits == 1 &&
		    cost_of_burst(&burst, round_ns, &ns) && taken.all <= 1)
			see(taken.all ? &samples : &ticks, ns);
		elapsed_ns = clock_monotonic_ns() - start;
	}
	thread_sampler_stop(sampler);
	if (code)
		return code;
	/* On a CPU that others want, a tick often ends the thread's turn: those don't count. */
	*factor = reference_factor(&all, reference_ns);
	*sample = mean_cost(&samples, *factor, mean_cost(&ticks, *factor, *sample));
	*tick = mean_cost(&ticks, *factor, *sample);
	return 0;
}

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

/* Calls, as long as it may, the CPUs on which a thread of this process runs. */
static void *call_others(void *argument)
{
	const bool *stop = argument;
	const struct timespec pause = {.tv_nsec = CALL_PERIOD_NS};

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/*
 * Bursts that another CPU's calls break. Costs of its own only where there is another CPU.
 * factor: of the core's speed a moment ago, since nobody samples now.
 */
static int measure_calls(struct exit_loop *loop, uint64_t duration_ns, double round_ns,
			 double factor, struct exit_cost *cost, struct error *error)
{
	struct costs_seen calls = {.count = 0};
	bool stop = false;
	pthread_t caller;
	int code = 0;

	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) < 0 ||
	    pthread_create(&caller, NULL, call_others, &stop) != 0)
		return 0;
	uint64_t end = clock_monotonic_ns() + duration_ns;
	while (!code && clock_monotonic_ns() < end) {
		struct exit_loop_sum burst;
		double ns;
		code = exit_loop_burst(loop, CALL_BURST_NS, &burst, error);
		if (!code && cost_of_burst(&burst, round_ns, &ns))
			see(&calls, ns);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(caller, NULL);
	*cost = mean_cost(&calls, factor, *cost);
	return code;
}

/* The tick's resolution is that of the coarse clocks (kernel/time/posix-timers.c). */
static double tick_frequency(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec <= 0)
		return 0;
	return 1e9 / (double)tick.tv_nsec;
}

int interrupt_costs_measure(struct exit_loop *loop, struct thread_sampler *sampler,
			    unsigned precision, double round_ns, struct exit_costs *costs,
			    struct error *error)
{
	const uint64_t duration_ns = TIMERS_NS * precision;
	double factor = 1;

	costs->tick = costs->sample = costs->by_class[VM_EXIT_KERNEL];
	int code =
		measure_timers(loop, sampler, duration_ns, round_ns, false, costs->reference_ns,
			       &factor, &costs->tick, &costs->sample, error);
	costs->rested_tick = costs->tick;
	costs->rested_sample = costs->sample;
	if (!code)
		code = measure_timers(loop, sampler, duration_ns, round_ns, true,
				      costs->reference_ns, &factor, &costs->rested_tick,
				      &costs->rested_sample, error);
	costs->tick_hz = tick_frequency();
	costs->by_class[VM_EXIT_INTERRUPT] = costs->by_class[VM_EXIT_KERNEL];
	if (!code)
		code = measure_calls(loop, CALLS_NS * precision, round_ns, factor,
				     &costs->by_class[VM_EXIT_INTERRUPT], error);
	return code;
}
