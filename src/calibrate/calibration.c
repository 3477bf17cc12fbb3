/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/calibration.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/confidence.h"
#include "base/clock.h"
#include "calibrate/exact_window.h"
#include "calibrate/exit_loop.h"
#include "calibrate/interrupt_costs.h"
#include "calibrate/sample_cost.h"
#include "calibrate/thread_sampler.h"

/* Each loop goes on for so many samples, within this time. */
#define LOOP_SAMPLES 1200
#define LOOP_MAX_NS  (900 * NS_PER_MS)

/* It is done in parts, whose spread tells whether samples are independent. */
#define PARTS	     8
#define PART_SAMPLES (LOOP_SAMPLES / PARTS)

/* Rounds without samples before each part. */
#define BARE_ROUNDS 12

/*
 * Sampling may take this much of the loop's time, and no more than so many a second. Jitter
 * doubles it for moments, and a busy host makes samples slower: if they took all of it, the
 * loop could not even go on to stop them.
 */
#define SAMPLING_SHARE	 0.25
#define FREQUENCY_MAX_HZ 20000
#define FREQUENCY_MIN_HZ 500

/* Of a sample's cost, when it can't be measured. */
#define SAMPLE_COST_NS 20000

/* One loop's outcome, per exit. */
struct excess {
	double round_ns; /* of an exit and entry without samples, but for guest time */
	double ns;	 /* what samples called guest beyond guest time */
	double error_ns; /* standard error */
	double exits_hz; /* per CPU second, with no guest time */
	struct thread_samples samples;
};

struct work {
	struct exit_loop loop;
	struct thread_sampler *sampler;
	unsigned precision;
	unsigned frequency_hz; /* of the sampler in the loops */
	struct error *error;
};

/* Times per exit, but for guest time, of rounds that are not sampled. */
struct bare_times {
	double round_ns[PARTS * BARE_ROUNDS];
	double whole_ns[PARTS * BARE_ROUNDS]; /* with what goes on between two rounds */
	unsigned count;
};

/* A round with all that goes on before the next; *now_ns: the thread's CPU time after it. */
static int make_round(struct work *work, bool user, uint64_t guest_max_ns,
		      struct exit_loop_sum *round, uint64_t *now_ns)
{
	int code = exit_loop_round(&work->loop, user, guest_max_ns, round, work->error);

	thread_sampler_tick(work->sampler);
	*now_ns = clock_thread_ns();
	return code;
}

static int time_rounds(struct work *work, bool user, uint64_t guest_max_ns,
		       struct bare_times *times)
{
	const unsigned room = PARTS * BARE_ROUNDS;
	uint64_t before_ns = clock_thread_ns();

	for (unsigned i = 0; i < BARE_ROUNDS && times->count < room; i++) {
		struct exit_loop_sum round;
		uint64_t now_ns;
		int code = make_round(work, user, guest_max_ns, &round, &now_ns);
		if (code)
			return code;
		double exits = (double)(round.kernel_exits + round.user_exits);
		times->round_ns[times->count] = ((double)round.run_ns - round.guest_ns) / exits;
		times->whole_ns[times->count++] =
			((double)(now_ns - before_ns) - round.guest_ns) / exits;
		before_ns = now_ns;
	}
	return 0;
}

/* A part of a loop under samples. */
static int sample_part(struct work *work, bool user, uint64_t guest_max_ns, uint64_t end_ns,
		       struct exit_loop_sum *sum, struct thread_samples *samples)
{
	const uint64_t enough_ns =
		PART_SAMPLES * work->precision * NS_PER_S / work->frequency_hz;
	uint64_t start_ns = clock_thread_ns(), now_ns = start_ns;
	int code = thread_sampler_start(work->sampler, work->error);

	while (!code && now_ns - start_ns < enough_ns && clock_monotonic_ns() < end_ns) {
		struct exit_loop_sum round;
		code = make_round(work, user, guest_max_ns, &round, &now_ns);
		if (!code)
			exit_loop_add(sum, &round);
	}
	thread_sampler_stop(work->sampler);
	return code ? code : thread_sampler_take(work->sampler, samples, work->error);
}

/*
 * The standard error of the guest share: binomial, or what the parts differ, whichever is more.
 */
static double share_error(const struct thread_samples *parts, double share, double samples)
{
	/* Two hits and two misses more, so that no share looks certain. */
	double floor = (samples * share + 2) / (samples + 4);
	double binomial = floor * (1 - floor) / (samples + 4);
	double spread = 0;

	for (int i = 0; i < PARTS; i++) {
		double n = (double)parts[i].all;
		double difference = n > 0 ? (double)parts[i].guest / n - share : 0;
		spread += n * n * difference * difference;
	}
	spread *= (double)PARTS / (PARTS - 1) / (samples * samples);
	return sqrt(spread > binomial ? spread : binomial);
}

static int measure_excess(struct work *work, bool user, struct excess *out)
{
	struct thread_samples parts[PARTS] = {{0}};
	struct exit_loop_sum sum = {0};
	struct thread_samples whole = {0};
	struct bare_times times = {.count = 0};
	int code = time_rounds(work, user, 0, &times);

	/* Guest time up to half of what an exit takes: enough to shake the rhythm. */
	uint64_t guest_max_ns =
		code ? 0
		     : (uint64_t)(sample_cost_trimmed_mean(times.round_ns, times.count, 0.2) /
				  2);
	times.count = 0;
	uint64_t part_ns = LOOP_MAX_NS / PARTS * work->precision;
	for (int i = 0; !code && i < PARTS; i++) {
		uint64_t start = clock_monotonic_ns();
		code = time_rounds(work, user, guest_max_ns, &times);
		if (!code)
			code = sample_part(work, user, guest_max_ns, start + part_ns, &sum,
					   &parts[i]);
		if (!code)
			thread_samples_add(&whole, &parts[i]);
	}
	if (code)
		return code;
	double guest = (double)whole.guest, all = (double)whole.all;
	if (all < PARTS * 4)
		return error_set(work->error, -ENODATA,
				 "the calibration got only %.0f samples: this host is too busy",
				 all);

	double exits = (double)(sum.kernel_exits + sum.user_exits);
	double own_ns = sum.guest_ns / exits;
	/* Samples hit what goes on between the rounds, too. */
	double whole_ns = sample_cost_trimmed_mean(times.whole_ns, times.count, 0.1) + own_ns;
	out->round_ns = sample_cost_trimmed_mean(times.round_ns, times.count, 0.1);
	out->ns = guest / all * whole_ns - own_ns;
	out->error_ns = share_error(parts, guest / all, all) * whole_ns;
	out->exits_hz = (double)NS_PER_S / out->round_ns;
	out->samples = whole;
	return 0;
}

static void scale_excess(struct excess *excess, double factor)
{
	excess->round_ns *= factor;
	excess->ns *= factor;
	excess->error_ns *= factor;
	excess->exits_hz /= factor;
}

static struct exit_cost make_cost(double ns, double error_ns)
{
	return (struct exit_cost){.ns = ns > 0 ? ns : 0,
				  .error95_ns = confidence_quantile(1) * error_ns};
}

/* What is taken for guest time is a part of the whole exit. */
static void bound_cost(struct exit_cost *cost, double whole_ns)
{
	if (cost->ns > whole_ns)
		cost->ns = whole_ns;
}

static unsigned calibration_frequency(double sample_cost_ns)
{
	double frequency = SAMPLING_SHARE * (double)NS_PER_S / sample_cost_ns, limit;
	FILE *file = fopen("/proc/sys/kernel/perf_event_max_sample_rate", "re");

	/* Above, samples are throttled (kernel/events/core.c, max_samples_per_tick). */
	if (file) {
		if (fscanf(file, "%lf", &limit) == 1 && frequency > 0.7 * limit)
			frequency = 0.7 * limit;
		fclose(file);
	}
	if (frequency > FREQUENCY_MAX_HZ)
		frequency = FREQUENCY_MAX_HZ;
	return frequency > FREQUENCY_MIN_HZ ? (unsigned)frequency : FREQUENCY_MIN_HZ;
}

static int measure_classes(struct work *work, struct calibration *out)
{
	struct exit_cost *costs = out->costs.by_class;
	struct excess kernel, user;
	double cost_ns;

	if (sample_cost_measure_with(work->sampler, &cost_ns, NULL) || cost_ns <= 0)
		cost_ns = SAMPLE_COST_NS;
	work->frequency_hz = calibration_frequency(cost_ns);
	thread_sampler_set_frequency(work->sampler, work->frequency_hz);
	int code = measure_excess(work, true, &user);
	if (!code)
		code = measure_excess(work, false, &kernel);
	if (code)
		return code;
	snprintf(out->event, sizeof(out->event), "%s", thread_sampler_event(work->sampler));
	out->samples = kernel.samples.all + user.samples.all;
	/* All costs are brought to the speed that the core had in the first loop. */
	out->costs.reference_ns = thread_samples_reference(&user.samples);
	scale_excess(&kernel, reference_factor(&kernel.samples, out->costs.reference_ns));
	out->user_exits_hz = user.exits_hz;
	out->user_round_ns = user.round_ns;
	costs[VM_EXIT_USER] = make_cost(user.ns, user.error_ns);
	/* Each round of kernel exits ends with one to user space. */
	const double n = EXIT_LOOP_ROUND;
	costs[VM_EXIT_KERNEL] =
		make_cost(((n + 1) * kernel.ns - user.ns) / n,
			  sqrt((n + 1) * (n + 1) * kernel.error_ns * kernel.error_ns +
			       user.error_ns * user.error_ns) /
				  n);
	out->kernel_round_ns = ((n + 1) * kernel.round_ns - user.round_ns) / n;
	out->kernel_exits_hz = (double)NS_PER_S / out->kernel_round_ns;
	bound_cost(&costs[VM_EXIT_USER], out->user_round_ns);
	bound_cost(&costs[VM_EXIT_KERNEL], out->kernel_round_ns);

	code = interrupt_costs_measure(&work->loop, work->sampler, work->precision,
				       user.round_ns, &out->costs, work->error);
	/* At the rate of measurements, where the first one's samples find the caches warm. */
	if (out->costs.sample.ns > costs[VM_EXIT_KERNEL].ns)
		out->sample_cost_ns = out->costs.sample.ns;
	return code;
}

int calibration_measure(struct calibration *out, const struct kernel_map *map,
			unsigned precision, struct error *error)
{
	struct work work = {.precision = precision ? precision : 1, .error = error};
	uint64_t start = clock_monotonic_ns();

	*out = (struct calibration){.time = clock_wall_s()};
	snprintf(out->collector, sizeof(out->collector), "%s", map ? "bpf" : "perf");
	int code = calibration_identify(out, error);
	if (!code)
		code = exit_loop_open(&work.loop, error);
	if (!code)
		code = thread_sampler_new(&work.sampler, FREQUENCY_MIN_HZ, map, error);
	if (!code)
		code = measure_classes(&work, out);
	thread_sampler_free(work.sampler);
	exit_loop_close(&work.loop);
	out->duration_s = (double)(clock_monotonic_ns() - start) / 1e9;
	return code;
}

int calibration_measure_exact(struct calibration *calibration, unsigned precision,
			      struct error *error)
{
	struct exit_loop loop;
	int code = exit_loop_open(&loop, error);

	if (!code)
		code = exact_window_measure(&loop, precision, &calibration->exact_costs, error);
	exit_loop_close(&loop);
	struct exit_cost *by_class = calibration->exact_costs.by_class;
	bound_cost(&by_class[VM_EXIT_USER], calibration->user_round_ns);
	bound_cost(&by_class[VM_EXIT_KERNEL], calibration->kernel_round_ns);
	calibration->exact_known = code == 0;
	return code;
}

/* Is this host a guest itself? (Intel SDM, AMD APM: bit 31 is 0 in hardware.) */
static bool is_nested(void)
{
#if defined(__x86_64__)
	unsigned eax, ebx, ecx = 0, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx >> 31;
#else
	return false;
#endif
}

static bool is_fresh(const struct calibration *calibration)
{
	double age = clock_wall_s() - calibration->time;

	return !is_nested() || (age >= 0 && age < CALIBRATION_NESTED_S);
}

int calibration_obtain(struct calibration *out, const char *collector, const char *event,
		       const struct kernel_map *map, struct error *error)
{
	bool bpf = strcmp(collector, "bpf") == 0;

	if (calibration_load(out, CALIBRATION_FILE, collector, NULL) == 0 &&
	    strcmp(out->event, event) == 0 && is_fresh(out))
		return 0;
	int code = calibration_measure(out, bpf ? map : NULL, 1, error);
	/* Another kvmperf calibrates again where this one may not leave a file. */
	if (!code)
		(void)calibration_save(out, CALIBRATION_FILE, NULL);
	return code;
}

int calibration_obtain_exact(struct calibration *calibration, struct error *error)
{
	if (calibration->exact_known)
		return 0;
	int code = calibration_measure_exact(calibration, 1, error);
	if (!code)
		(void)calibration_save(calibration, CALIBRATION_FILE, NULL);
	return code;
}
