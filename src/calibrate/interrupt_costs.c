/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/interrupt_costs.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <math.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "account/confidence.h"
#include "base/clock.h"
#include "calibrate/sample_cost.h"

/*
 * Bursts of guest time that one interrupt breaks: around a tick from this long before to this
 * long after, since it can come late; and between two ticks.
 */
#define TICK_LEAD_NS  400000
#define TICK_TRAIL_NS 300000
#define BURST_NS      NS_PER_MS

/*
 * Samples come as usual, so that they find the kernel's code as cold; where the sleep sees to
 * that, one to three times in each burst between two ticks.
 */
#define USUAL_HZ      250
#define BURST_SAMPLES 1.5

#define TIMERS_ENOUGH 24 /* ticks, and samples; a busy host gets no more than this time: */
#define TIMERS_MAX_NS (700 * NS_PER_MS)

/* Before a burst on a rested CPU. Longer sleeps make interrupts dearer, but little. */
#define REST_NS NS_PER_MS

/* Calls of another CPU come so often, to bursts of this length. */
#define CALL_PERIOD_NS 100000
#define CALL_BURST_NS  (NS_PER_MS / 4)
#define CALLS_NS       (30 * NS_PER_MS)

#define BURSTS_MAX   2048 /* at most; more than TIMERS_ENOUGH times the highest precision */
#define BURSTS_LEAST 6	  /* of a kind, to tell what it costs */

/*
 * Bursts that took more than so many times the median are left out: in them the machine below
 * stood still. Others are not, however dear: the mean is what interrupts cost.
 */
#define MEDIANS 5

struct costs_seen {
	double ns[BURSTS_MAX];
	unsigned count;
};

struct work {
	struct exit_loop *loop;
	struct thread_sampler *sampler;
	unsigned precision;
	double round_ns;     /* of the exit and entry around a burst */
	double reference_ns; /* results are for this time of the reference loop */
	double factor;	     /* what the last ones were multiplied by for that */
	double tick_hz;
	uint64_t tick_ns; /* the time of one tick, CLOCK_MONOTONIC */
	struct error *error;
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
	unsigned kept = seen->count;
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

static void rest(uint64_t ns)
{
	const struct timespec pause = {.tv_nsec = (long)ns};

	nanosleep(&pause, NULL);
}

/* The tick's resolution is that of the coarse clocks (kernel/time/posix-timers.c). */
static double tick_frequency(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec <= 0)
		return 0;
	return 1e9 / (double)tick.tv_nsec;
}

/*
 * The time of a tick. The coarse clocks go on with the tick of one CPU, and all have it at the
 * same time (kernel/time/tick-sched.c, tick_setup_sched_timer) but where the kernel was told
 * skew_tick=1: there ticks are met by chance.
 */
static uint64_t await_tick(double tick_hz)
{
	uint64_t start = clock_monotonic_ns(), now = start, coarse = clock_coarse_ns();

	while (clock_coarse_ns() == coarse && (double)(now - start) * tick_hz < 2e9)
		now = clock_monotonic_ns();
	return now;
}

static uint64_t until_tick(const struct work *work)
{
	uint64_t period = (uint64_t)(1e9 / work->tick_hz);

	return period - (clock_monotonic_ns() - work->tick_ns) % period;
}

/* The length of a burst between two ticks. */
static uint64_t sample_burst_ns(const struct work *work)
{
	double half = 1e9 / work->tick_hz / 2;

	return half < (double)BURST_NS ? (uint64_t)half : BURST_NS;
}

/*
 * A burst around the next tick or, where there is room, before it. With rested it begins after
 * a sleep, and samples come in bursts before a tick alone.
 */
static int timer_burst(struct work *work, bool rested, struct exit_loop_sum *burst,
		       struct thread_samples *samples)
{
	if (rested)
		rest(REST_NS);
	uint64_t tick = until_tick(work), length = sample_burst_ns(work);
	bool before_tick = tick > length + TICK_LEAD_NS / 4;
	if (!before_tick) {
		if (rested && tick > TICK_LEAD_NS)
			rest(tick - TICK_LEAD_NS);
		length = until_tick(work) + TICK_TRAIL_NS;
	}
	int code = rested && before_tick ? thread_sampler_start(work->sampler, work->error) : 0;
	if (!code)
		code = exit_loop_burst(work->loop, length, burst, work->error);
	if (rested && before_tick)
		thread_sampler_stop(work->sampler);
	else
		thread_sampler_tick(work->sampler);
	return code ? code : thread_sampler_take(work->sampler, samples, work->error);
}

static int see_timers(struct work *work, bool rested, struct costs_seen *ticks,
		      struct costs_seen *samples, struct thread_samples *all)
{
	const unsigned enough = TIMERS_ENOUGH * work->precision;
	uint64_t end = clock_monotonic_ns() + TIMERS_MAX_NS * work->precision;

	while ((ticks->count < enough || samples->count < enough) &&
	       clock_monotonic_ns() < end) {
		struct exit_loop_sum burst;
		struct thread_samples taken;
		double ns;
		int code = timer_burst(work, rested, &burst, &taken);
		if (code)
			return code;
		thread_samples_add(all, &taken);
		if (burst.exits - burst.user_exits == 1 &&
		    cost_of_burst(&burst, work->round_ns, &ns) && taken.all <= 1)
			see(taken.all ? samples : ticks, ns);
	}
	return 0;
}

/*
 * Costs of ticks and samples. A kind that was seen too seldom costs what the other does, and
 * both what they did before.
 */
static int measure_timers(struct work *work, bool rested, struct exit_cost *tick,
			  struct exit_cost *sample)
{
	struct costs_seen ticks = {.count = 0}, samples = {.count = 0};
	struct thread_samples all = {0};
	double rested_hz = BURST_SAMPLES * 1e9 / (double)sample_burst_ns(work);
	int code = 0;

	thread_sampler_set_frequency(work->sampler, rested ? (unsigned)rested_hz : USUAL_HZ);
	if (!rested)
		code = thread_sampler_start(work->sampler, work->error);
	if (!code)
		code = see_timers(work, rested, &ticks, &samples, &all);
	if (!rested)
		thread_sampler_stop(work->sampler);
	if (code)
		return code;
	/* On a CPU that others want, a tick often ends the thread's turn: those don't count. */
	double factor = work->factor = reference_factor(&all, work->reference_ns);
	*sample = mean_cost(&samples, factor, mean_cost(&ticks, factor, *sample));
	*tick = mean_cost(&ticks, factor, *sample);
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
 * Bursts that another CPU's calls break. Costs of its own only where there is another CPU. The
 * core's speed is that of a moment ago, since nobody samples now.
 */
static int measure_calls(const struct work *work, struct exit_cost *cost)
{
	struct costs_seen calls = {.count = 0};
	bool stop = false;
	pthread_t caller;
	int code = 0;

	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) < 0 ||
	    pthread_create(&caller, NULL, call_others, &stop) != 0)
		return 0;
	uint64_t end = clock_monotonic_ns() + CALLS_NS * work->precision;
	while (!code && clock_monotonic_ns() < end) {
		struct exit_loop_sum burst;
		double ns;
		code = exit_loop_burst(work->loop, CALL_BURST_NS, &burst, work->error);
		if (!code && cost_of_burst(&burst, work->round_ns, &ns))
			see(&calls, ns);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(caller, NULL);
	*cost = mean_cost(&calls, work->factor, *cost);
	return code;
}

int interrupt_costs_measure(struct exit_loop *loop, struct thread_sampler *sampler,
			    unsigned precision, double round_ns, struct exit_costs *costs,
			    struct error *error)
{
	struct work work = {
		.loop = loop,
		.sampler = sampler,
		.precision = precision,
		.round_ns = round_ns,
		.reference_ns = costs->reference_ns,
		.factor = 1,
		.tick_hz = tick_frequency(),
		.error = error,
	};

	costs->tick_hz = work.tick_hz;
	costs->tick = costs->sample = costs->by_class[VM_EXIT_KERNEL];
	costs->by_class[VM_EXIT_INTERRUPT] = costs->by_class[VM_EXIT_KERNEL];
	if (work.tick_hz <= 0)
		return error_set(error, -ENOTSUP,
				 "the kernel does not tell how often it ticks");
	work.tick_ns = await_tick(work.tick_hz);
	int code = measure_timers(&work, false, &costs->tick, &costs->sample);
	costs->rested_tick = costs->tick;
	costs->rested_sample = costs->sample;
	if (!code)
		code = measure_timers(&work, true, &costs->rested_tick, &costs->rested_sample);
	if (!code)
		code = measure_calls(&work, &costs->by_class[VM_EXIT_INTERRUPT]);
	return code;
}
