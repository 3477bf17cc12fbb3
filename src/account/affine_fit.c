/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/affine_fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The model's costs in a row: packets and bytes of each class and direction, then the batch. */
#define STEPS	     (TRAFFIC_CLASS_COUNT * TRAFFIC_DIRECTION_COUNT)
#define COEFFICIENTS (2 * STEPS + 1)
#define BATCH_TERM   (2 * STEPS)

#define WINDOW_MAX     8192
#define BATCHES_ENOUGH 100
#define FADING	       0.8  /* of what was known, a window */
#define ROUNDS	       4    /* of weighing anew */
#define SPEED_STEPS    20   /* FADING to this power is left of a difference in speed */
#define PRIOR_WEIGHT   1e-5 /* of the model before, against the data's own */
#define PRIOR_PART     0.05 /* a term counts as making up so much of the time at least */
#define HUBER_LIMIT    2.0  /* scales (mean absolute deviations) off */

struct observation {
	double terms[COEFFICIENTS];
	double ns;
};

struct equations {
	double matrix[COEFFICIENTS][COEFFICIENTS];
	double vector[COEFFICIENTS];
};

struct affine_fit {
	double costs[COEFFICIENTS];
	struct equations past; /* of the windows before, faded */
	struct observation *window;
	size_t count;
	uint64_t offered, stride; /* of the batches offered, every stride-th is taken */
	uint64_t batches;
};

static void to_row(const struct affine_model *model, double costs[COEFFICIENTS])
{
	for (int i = 0; i < STEPS; i++) {
		const struct affine_cost *cost =
			&model->costs[i / TRAFFIC_DIRECTION_COUNT][i % TRAFFIC_DIRECTION_COUNT];
		costs[2 * i] = cost->packet_ns;
		costs[2 * i + 1] = cost->byte_ns;
	}
	costs[BATCH_TERM] = model->batch_ns;
}

static void from_row(const double costs[COEFFICIENTS], struct affine_model *model)
{
	for (int i = 0; i < STEPS; i++)
		model->costs[i / TRAFFIC_DIRECTION_COUNT][i % TRAFFIC_DIRECTION_COUNT] =
			(struct affine_cost){costs[2 * i], costs[2 * i + 1]};
	model->batch_ns = costs[BATCH_TERM];
}

struct affine_fit *affine_fit_new(const struct affine_model *start)
{
	struct affine_fit *fit = calloc(1, sizeof(*fit));

	if (!fit)
		return NULL;
	fit->window = calloc(WINDOW_MAX, sizeof(*fit->window));
	if (!fit->window) {
		free(fit);
		return NULL;
	}
	to_row(start, fit->costs);
	fit->stride = 1;
	return fit;
}

/* Keeps every second of the window's observations, and takes half as many from here on. */
static void thin_out(struct affine_fit *fit)
{
	for (size_t i = 0; i < WINDOW_MAX / 2; i++)
		fit->window[i] = fit->window[2 * i];
	fit->count = WINDOW_MAX / 2;
	fit->stride *= 2;
}

static bool has_packets(const struct work_batch *batch)
{
	for (size_t i = 0; i < batch->part_count; i++)
		if (!batch->parts[i].requests && batch->parts[i].count)
			return batch->ns > 0;
	return false;
}

void affine_fit_add(struct affine_fit *fit, const struct work_batch *batch)
{
	if (batch->work != WORK_NET_RX || batch->continued || !has_packets(batch) ||
	    fit->offered++ % fit->stride)
		return;
	if (fit->count == WINDOW_MAX)
		thin_out(fit);
	struct observation *to = &fit->window[fit->count++];
	*to = (struct observation){.ns = (double)batch->ns};
	to->terms[BATCH_TERM] = 1;
	for (size_t i = 0; i < batch->part_count; i++) {
		const struct work_part *part = &batch->parts[i];
		size_t step = (size_t)part->class * TRAFFIC_DIRECTION_COUNT + part->direction;
		if (part->requests)
			continue;
		to->terms[2 * step] += (double)part->count;
		to->terms[2 * step + 1] += (double)part->bytes;
	}
}

static double predict(const double costs[COEFFICIENTS], const struct observation *observation)
{
	double ns = 0;

	for (int i = 0; i < COEFFICIENTS; i++)
		ns += costs[i] * observation->terms[i];
	return ns;
}

static int compare_doubles(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The scatter of the batches in units of the square root of their expected time. */
static double scatter_of(const struct affine_fit *fit, const double costs[COEFFICIENTS])
{
	double *deviations = calloc(fit->count, sizeof(*deviations));

	if (!deviations)
		return INFINITY;
	for (size_t i = 0; i < fit->count; i++) {
		double expected = fmax(predict(costs, &fit->window[i]), 1);
		deviations[i] = fabs(fit->window[i].ns - expected) / sqrt(expected);
	}
	qsort(deviations, fit->count, sizeof(*deviations), compare_doubles);
	double median = deviations[fit->count / 2];
	free(deviations);
	return median;
}

static void add_observation(struct equations *to, const struct observation *observation,
			    double weight)
{
	for (int i = 0; i < COEFFICIENTS; i++) {
		if (observation->terms[i] == 0)
			continue;
		double weighted = weight * observation->terms[i];
		to->vector[i] += weighted * observation->ns;
		for (int j = 0; j < COEFFICIENTS; j++)
			to->matrix[i][j] += weighted * observation->terms[j];
	}
}

/* Adds the window's observations, weighed by what the costs so far expect of them. */
static void add_window(const struct affine_fit *fit, const double costs[COEFFICIENTS],
		       struct equations *to)
{
	double limit = HUBER_LIMIT * scatter_of(fit, costs);

	for (size_t i = 0; i < fit->count; i++) {
		const struct observation *observation = &fit->window[i];
		double expected = fmax(predict(costs, observation), 1);
		double deviation = fabs(observation->ns - expected) / sqrt(expected);
		double trust = deviation > limit ? limit / deviation : 1;
		add_observation(to, observation, trust / expected);
	}
}

/*
 * How strongly the model before holds a term where the data leave it open. A change is as
 * unlikely as it is large in proportion to the cost: what makes up little of the time is not to
 * take up what others leave.
 */
static double held_by_prior(const struct equations *equations,
			    const double before[COEFFICIENTS], double explained, int term)
{
	double own = equations->matrix[term][term];
	double part = explained > 0 ? before[term] * sqrt(own / explained) : 1;

	if (own == 0)
		return 1;
	part = fmin(fmax(part, PRIOR_PART), 1);
	return PRIOR_WEIGHT * own / (part * part);
}

/* What the costs explain of the batches' time, squared and weighed. */
static double explained_by(const struct equations *equations, const double costs[COEFFICIENTS])
{
	double explained = 0;

	for (int i = 0; i < COEFFICIENTS; i++)
		for (int j = 0; j < COEFFICIENTS; j++)
			explained += costs[i] * equations->matrix[i][j] * costs[j];
	return explained;
}

/*
 * Solves the equations for the free terms by Cholesky decomposition; the others are 0. The
 * model before holds what they leave open.
 */
static void solve_free(const struct equations *equations, const double before[COEFFICIENTS],
		       const bool is_free[COEFFICIENTS], double out[COEFFICIENTS])
{
	double lower[COEFFICIENTS][COEFFICIENTS] = {{0}}, y[COEFFICIENTS];
	double explained = explained_by(equations, before);
	int index[COEFFICIENTS], n = 0;

	for (int i = 0; i < COEFFICIENTS; i++) {
		out[i] = 0;
		if (is_free[i])
			index[n++] = i;
	}
	for (int i = 0; i < n; i++) {
		double own = equations->matrix[index[i]][index[i]];
		double held = held_by_prior(equations, before, explained, index[i]);
		double right = equations->vector[index[i]] + held * before[index[i]];
		for (int j = 0; j <= i; j++) {
			double sum =
				equations->matrix[index[i]][index[j]] + (i == j ? held : 0);
			for (int k = 0; k < j; k++)
				sum -= lower[i][k] * lower[j][k];
			lower[i][j] =
				i == j ? sqrt(fmax(sum, 1e-12 * (own + 1))) : sum / lower[j][j];
		}
		for (int k = 0; k < i; k++)
			right -= lower[i][k] * y[k];
		y[i] = right / lower[i][i];
	}
	for (int i = n - 1; i >= 0; i--) {
		double sum = y[i];
		for (int k = i + 1; k < n; k++)
			sum -= lower[k][i] * out[index[k]];
		out[index[i]] = sum / lower[i][i];
	}
}

/* The same with no cost below 0: the most negative is held at 0 and the rest solved anew. */
static void solve(const struct equations *equations, const double before[COEFFICIENTS],
		  double out[COEFFICIENTS])
{
	bool is_free[COEFFICIENTS];

	for (int i = 0; i < COEFFICIENTS; i++)
		is_free[i] = true;
	for (int round = 0; round < COEFFICIENTS; round++) {
		int worst = -1;
		solve_free(equations, before, is_free, out);
		for (int i = 0; i < COEFFICIENTS; i++)
			if (out[i] < 0 &&
			    (worst < 0 ||
			     out[i] * sqrt(equations->matrix[i][i]) <
				     out[worst] * sqrt(equations->matrix[worst][worst])))
				worst = i;
		if (worst < 0)
			return;
		is_free[worst] = false;
	}
}

static void measure_error(const struct affine_fit *fit, struct affine_fit_result *result)
{
	double sum = 0, expected_sum = 0, absolute = 0;

	for (size_t i = 0; i < fit->count; i++) {
		double expected = predict(fit->costs, &fit->window[i]);
		sum += fit->window[i].ns;
		expected_sum += expected;
		absolute += fabs(fit->window[i].ns - expected);
	}
	result->sum_error = fabs(expected_sum / sum - 1);
	result->batch_error = absolute / sum;
}

/* What the batches cost themselves, as a part of the window's time by these costs. */
static double batch_share(const struct affine_fit *fit)
{
	double sum = 0;

	for (size_t i = 0; i < fit->count; i++)
		sum += predict(fit->costs, &fit->window[i]);
	return sum > 0 ? (double)fit->count * fit->costs[BATCH_TERM] / sum : 0;
}

static void fade(struct equations *equations)
{
	for (int i = 0; i < COEFFICIENTS; i++) {
		equations->vector[i] *= FADING;
		for (int j = 0; j < COEFFICIENTS; j++)
			equations->matrix[i][j] *= FADING;
	}
}

/* How much slower the batches of the equations were than the costs say; 1: no batches. */
static double scale_of(const struct equations *equations, const double costs[COEFFICIENTS])
{
	double observed = 0, expected = explained_by(equations, costs);

	for (int i = 0; i < COEFFICIENTS; i++)
		observed += costs[i] * equations->vector[i];
	return observed > 0 && expected > 0 ? observed / expected : 1;
}

static void add_scaled(struct equations *to, const struct equations *equations, double scale)
{
	for (int i = 0; i < COEFFICIENTS; i++) {
		to->vector[i] += scale * equations->vector[i];
		for (int j = 0; j < COEFFICIENTS; j++)
			to->matrix[i][j] += equations->matrix[i][j];
	}
}

/*
 * The costs by the window's equations, and by what the windows before said of the proportions
 * of costs: a CPU that is slower for a while is no sign that one kind of packet costs more than
 * another, so their times count as they would have been at this window's speed. That speed is
 * the result's: each step takes a part of the difference away. Leaves the sum in *equations.
 */
static void solve_at_one_speed(const struct affine_fit *fit, const struct equations *window,
			       double costs[COEFFICIENTS], struct equations *equations)
{
	double before[COEFFICIENTS];

	for (int step = 0; step < SPEED_STEPS; step++) {
		*equations = *window;
		add_scaled(equations, &fit->past, 1 / scale_of(&fit->past, costs));
		/* At the level of the data: it holds proportions, and pulls nowhere. */
		double scale = scale_of(equations, fit->costs);
		for (int i = 0; i < COEFFICIENTS; i++)
			before[i] = scale * fit->costs[i];
		solve(equations, before, costs);
	}
}

static void fit_window(struct affine_fit *fit)
{
	double costs[COEFFICIENTS];
	struct equations equations = {0};

	memcpy(costs, fit->costs, sizeof(costs));
	fade(&fit->past);
	for (int round = 0; round < ROUNDS; round++) {
		struct equations window = {0};
		add_window(fit, costs, &window);
		solve_at_one_speed(fit, &window, costs, &equations);
	}
	fit->past = equations;
	fit->batches += fit->count;
	memcpy(fit->costs, costs, sizeof(costs));
}

void affine_fit_end_window(struct affine_fit *fit, struct affine_model *model,
			   struct affine_fit_result *result)
{
	*result = (struct affine_fit_result){.sum_error = -1, .batch_error = -1};
	if (fit->count >= BATCHES_ENOUGH) {
		measure_error(fit, result);
		fit_window(fit);
		from_row(fit->costs, model);
		model->batch_share = batch_share(fit);
	}
	result->batches = fit->batches;
	fit->count = 0;
	fit->offered = 0;
	fit->stride = 1;
}

void affine_fit_free(struct affine_fit *fit)
{
	if (!fit)
		return;
	free(fit->window);
	free(fit);
}
