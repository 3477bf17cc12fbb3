/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "account/confidence.h"

#define WINDOWS 10000

static uint64_t random_state;

/* Uniform from 0 to 1. */
static double draw(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(random_state >> 11) / 9007199254740992.0;
}

/* A thread that alternates between a class and the rest, with phases of random length. */
struct work {
	double in_ms, out_ms; /* mean lengths of the two phases */
	double spread;	      /* a phase is its mean times 1 - spread to 1 + spread */
};

struct window {
	double truth; /* share of time in the class */
	struct confidence_samples samples;
};

/* Where the collector samples: every 7 nominal periods it starts anew with another period. */
struct sampler {
	double nominal_ms, period_ms, redraw_ms, next_ms;
};

static struct sampler start_sampler(double nominal_ms)
{
	struct sampler sampler = {.nominal_ms = nominal_ms,
				  .period_ms = nominal_ms * (0.5 + draw()),
				  .redraw_ms = 7 * nominal_ms * draw()};

	sampler.next_ms = sampler.period_ms * draw();
	return sampler;
}

/* Is there a sample before the time? Then *sampler goes on to the next. */
static bool sample_before(struct sampler *sampler, double time_ms)
{
	while (sampler->next_ms >= sampler->redraw_ms && sampler->redraw_ms < time_ms) {
		sampler->period_ms = sampler->nominal_ms * (0.5 + draw());
		sampler->next_ms = sampler->redraw_ms + sampler->period_ms;
		sampler->redraw_ms += 7 * sampler->nominal_ms;
	}
	if (sampler->next_ms >= time_ms)
		return false;
	sampler->next_ms += sampler->period_ms;
	return true;
}

static struct window observe(const struct work *work, double length_ms, double period_ms)
{
	struct window window = {0};
	double now = 0, in_ms = 0, end = 0;
	struct sampler sampler = start_sampler(period_ms);
	bool in = draw() < work->in_ms / (work->in_ms + work->out_ms), was = in;

	end = (in ? work->in_ms : work->out_ms) * draw();
	while (now < length_ms) {
		double stop = end < length_ms ? end : length_ms;
		while (sample_before(&sampler, stop)) {
			window.samples.all++;
			window.samples.hits += in;
			window.samples.changes += window.samples.all > 1 && in != was;
			was = in;
		}
		in_ms += in ? stop - now : 0;
		now = stop;
		if (now == end) {
			in = !in;
			end += (in ? work->in_ms : work->out_ms) *
			       (1 + work->spread * (2 * draw() - 1));
		}
	}
	window.truth = in_ms / length_ms;
	return window;
}

/* How many of 100 windows have the truth inside of the interval. */
static double coverage(const struct work *work, double length_ms, double period_ms)
{
	int inside = 0;

	random_state = 1;
	for (int i = 0; i < WINDOWS; i++) {
		struct window window = observe(work, length_ms, period_ms);
		double share = (double)window.samples.hits / (double)window.samples.all;
		inside += fabs(share - window.truth) <=
			  confidence_share(&window.samples, confidence_quantile(1));
	}
	return 100.0 * inside / WINDOWS;
}

static void test_coverage(void **state)
{
	/* Phases short against the distance of samples, of its order, and long. */
	static const struct work works[] = {
		{0.05, 0.05, 0.5}, {0.02, 0.08, 0.5}, {0.9, 0.1, 0.5}, {2, 2, 0.3},
		{1, 3, 0.1},	   {3, 3, 0.05},      {4, 4, 0.05},    {5, 10, 0.3},
		{30, 30, 0.1},	   {120, 80, 0.2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		double covered = coverage(&works[i], 1000, 4);
		double half = coverage(&works[i], 500, 4);
		print_message("phases of %g and %g ms: %.1f %% covered, %.1f of half as long\n",
			      works[i].in_ms, works[i].out_ms, covered, half);
		assert_true(covered >= 93 && half >= 93);
	}
}

/* As many samples as there are, drawn one by one. */
static void test_independent_samples(void **state)
{
	static const double shares[] = {0.02, 0.1, 0.5, 0.9};

	(void)state;
	random_state = 7;
	for (size_t s = 0; s < sizeof(shares) / sizeof(shares[0]); s++) {
		int known = 0, seen = 0;
		for (int i = 0; i < WINDOWS; i++) {
			struct confidence_samples samples = {.all = 250};
			bool was = false;
			for (int n = 0; n < 250; n++) {
				bool hit = draw() < shares[s];
				samples.hits += hit;
				samples.changes += n > 0 && hit != was;
				was = hit;
			}
			double miss = fabs((double)samples.hits / 250 - shares[s]);
			seen += miss <= confidence_share(&samples, confidence_quantile(1));
			samples.changes = CONFIDENCE_INDEPENDENT;
			known += miss <= confidence_share(&samples, confidence_quantile(1));
		}
		print_message("share %g: %.1f %%, by changes %.1f %%\n", shares[s],
			      100.0 * known / WINDOWS, 100.0 * seen / WINDOWS);
		assert_true(known >= 0.92 * WINDOWS && known <= 0.985 * WINDOWS);
		assert_true(seen >= 0.92 * WINDOWS && seen <= 0.985 * WINDOWS);
	}
}

static double binomial(double n, double k, double p)
{
	return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) +
		   (n - k) * log(1 - p));
}

/*
 * Near 0 and 1 Wilson's half width is too small around the share itself: of 125 samples with
 * 0.03 hits it holds the truth in 89 % of windows. Exact, by the binomial distribution.
 */
static void test_rare_hits(void **state)
{
	static const double shares[] = {0.01, 0.02, 0.03, 0.05, 0.1, 0.9, 0.97};
	static const unsigned counts[] = {60, 125, 250, 500, 1250};

	(void)state;
	for (size_t s = 0; s < sizeof(shares) / sizeof(shares[0]); s++)
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			unsigned n = counts[c];
			double held = 0;
			for (unsigned k = 0; k <= n; k++) {
				const struct confidence_samples samples = {
					.all = n, .hits = k, .changes = CONFIDENCE_INDEPENDENT};
				if (fabs((double)k / n - shares[s]) <=
				    confidence_share(&samples, confidence_quantile(1)))
					held += binomial(n, k, shares[s]);
			}
			assert_true(held >= 0.925);
		}
}

/* Four classes, and all of them inside of their intervals at once. */
static void test_all_classes(void **state)
{
	static const double shares[] = {0.5, 0.3, 0.15, 0.05};
	int one_by_one = 0, at_once = 0;

	(void)state;
	random_state = 11;
	for (int i = 0; i < WINDOWS; i++) {
		struct confidence_samples samples[4] = {{0}};
		bool alone = true, together = true;
		for (int n = 0; n < 250; n++) {
			double x = draw();
			int c = 0;
			while (c < 3 && x >= shares[c])
				x -= shares[c++];
			samples[c].hits++;
		}
		for (int c = 0; c < 4; c++) {
			samples[c].all = 250;
			samples[c].changes = CONFIDENCE_INDEPENDENT;
			double miss = fabs((double)samples[c].hits / 250 - shares[c]);
			alone &= miss <= confidence_share(&samples[c], confidence_quantile(1));
			together &=
				miss <= confidence_share(&samples[c], confidence_quantile(4));
		}
		one_by_one += alone;
		at_once += together;
	}
	print_message("four classes: %.1f %%, with Goodman's quantile %.1f %%\n",
		      100.0 * one_by_one / WINDOWS, 100.0 * at_once / WINDOWS);
	assert_true(one_by_one < 0.93 * WINDOWS);
	assert_true(at_once >= 0.94 * WINDOWS);
}

/* 60 or 40 changes where independent samples have 50 give or take 5. */
static void test_changes(void **state)
{
	struct confidence_samples samples = {.all = 100, .hits = 50, .changes = 60};
	const double more = 62.0 / 52 - 0.05, fewer = 42.0 / 52 + 0.05;

	(void)state;
	assert_true(fabs(confidence_design_effect(&samples) - (2 - more) / more) < 1e-9);
	samples.changes = 40;
	assert_true(fabs(confidence_design_effect(&samples) - (0.6 + 0.4 * fewer)) < 1e-9);
	for (samples.changes = 48; samples.changes <= 52; samples.changes++)
		assert_true(confidence_design_effect(&samples) == 1);
}

static void test_limits(void **state)
{
	struct confidence_samples none = {0}, always = {.all = 100, .hits = 100};

	(void)state;
	assert_true(confidence_share(&none, confidence_quantile(1)) >= 1);
	assert_true(confidence_share(&always, confidence_quantile(1)) > 0);
	assert_true(confidence_share(&always, confidence_quantile(1)) < 0.05);
	assert_true(confidence_quantile(4) > confidence_quantile(1));
	assert_true(fabs(confidence_half_width(confidence_variance(1000, &none)) - 1000) <
		    1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coverage),  cmocka_unit_test(test_independent_samples),
		cmocka_unit_test(test_rare_hits), cmocka_unit_test(test_all_classes),
		cmocka_unit_test(test_changes),	  cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
