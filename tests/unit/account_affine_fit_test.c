/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/affine_fit.h"

static unsigned seed;

static unsigned below(unsigned limit)
{
	return (unsigned)rand_r(&seed) % limit;
}

/* Uniform from -1 to 1. */
static double noise(void)
{
	return (double)below(2001) / 1000.0 - 1.0;
}

static void add_part(struct work_batch *batch, size_t user, enum traffic_class class,
		     enum traffic_direction direction, uint64_t packets, uint64_t bytes_each)
{
	batch->parts[batch->part_count++] = (struct work_part){
		.user = user,
		.class = class,
		.direction = direction,
		.count = packets,
		.bytes = packets * bytes_each,
	};
}

static double true_ns(const struct affine_model *truth, const struct work_batch *batch)
{
	double ns = truth->batch_ns;

	for (size_t i = 0; i < batch->part_count; i++) {
		const struct work_part *part = &batch->parts[i];
		const struct affine_cost *cost = &truth->costs[part->class][part->direction];
		ns += cost->packet_ns * (double)part->count +
		      cost->byte_ns * (double)part->bytes;
	}
	return ns;
}

static const struct affine_model truth = {
	.costs = {[TRAFFIC_TAP] = {[TRAFFIC_RECEIVED] = {2300, 0.21}},
		  [TRAFFIC_TAP_STEERED] = {[TRAFFIC_SENT] = {1700, 0.05}},
		  [TRAFFIC_HOST] = {[TRAFFIC_RECEIVED] = {900, 0.0}}},
	.batch_ns = 1500,
};

/* A batch of what the truth has classes for; sizes vary. */
static struct work_batch make_batch(double scatter)
{
	struct work_batch batch = {.work = WORK_NET_RX};

	add_part(&batch, 0, TRAFFIC_TAP, TRAFFIC_RECEIVED, 1 + below(30), 60 + below(1455));
	if (below(2))
		add_part(&batch, 1, TRAFFIC_TAP_STEERED, TRAFFIC_SENT, below(30),
			 60 + below(9000));
	if (below(4) == 0)
		add_part(&batch, 2, TRAFFIC_HOST, TRAFFIC_RECEIVED, 1 + below(3), 60);
	batch.ns = (uint64_t)(true_ns(&truth, &batch) * (1 + scatter * noise()));
	return batch;
}

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%g is not within %g of %g", value, tolerance, expected);
}

static void test_finds_the_costs(void **state)
{
	struct affine_model model = affine_model_default;
	struct affine_fit *fit = affine_fit_new(&model);
	struct affine_fit_result result;
	double expected = 0;

	(void)state;
	seed = 1;
	for (int i = 0; i < 5000; i++) {
		struct work_batch batch = make_batch(0.2);
		expected += (double)batch.ns;
		/* One in fifty was interrupted. */
		if (below(50) == 0)
			batch.ns += 30000 + below(300000);
		affine_fit_add(fit, &batch);
	}
	affine_fit_end_window(fit, &model, &result);
	assert_near(model.costs[TRAFFIC_TAP][TRAFFIC_RECEIVED].packet_ns, 2300, 120);
	assert_near(model.costs[TRAFFIC_TAP][TRAFFIC_RECEIVED].byte_ns, 0.21, 0.1);
	assert_near(model.costs[TRAFFIC_TAP_STEERED][TRAFFIC_SENT].packet_ns, 1700, 120);
	assert_near(model.costs[TRAFFIC_TAP_STEERED][TRAFFIC_SENT].byte_ns, 0.05, 0.02);
	assert_near(model.batch_ns, 1500, 500);
	assert_near(model.batch_share, 5000 * 1500 / expected, 0.03);
	assert_int_equal(result.batches, 5000);
	/* The default was far off; what was found predicts the next window. */
	assert_true(result.sum_error > 0.1);
	for (int i = 0; i < 2000; i++) {
		struct work_batch batch = make_batch(0.2);
		affine_fit_add(fit, &batch);
	}
	affine_fit_end_window(fit, &model, &result);
	assert_true(result.sum_error < 0.05);
	assert_true(result.batch_error < 0.15);
	affine_fit_free(fit);
}

/* Where the data can't tell, the model before does, in proportion. */
static void test_what_is_not_told_stays(void **state)
{
	struct affine_model model = affine_model_default;
	struct affine_fit *fit = affine_fit_new(&model);
	struct affine_fit_result result;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct work_batch batch = {.work = WORK_NET_RX};
		add_part(&batch, 0, TRAFFIC_TAP, TRAFFIC_RECEIVED, 10, 100);
		/* Three times what the default says. */
		batch.ns = (uint64_t)(3 * true_ns(&affine_model_default, &batch));
		affine_fit_add(fit, &batch);
	}
	affine_fit_end_window(fit, &model, &result);
	for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++)
		for (int direction = 0; direction < TRAFFIC_DIRECTION_COUNT; direction++) {
			const struct affine_cost *cost = &model.costs[class][direction];
			const struct affine_cost *before =
				&affine_model_default.costs[class][direction];
			assert_near(cost->packet_ns, 3 * before->packet_ns,
				    0.02 * before->packet_ns + 1e-9);
			assert_near(cost->byte_ns, 3 * before->byte_ns,
				    0.02 * before->byte_ns + 1e-9);
		}
	assert_near(model.batch_ns, 3 * affine_model_default.batch_ns, 10);
	affine_fit_free(fit);
}

static void test_follows_a_change(void **state)
{
	struct affine_model model = affine_model_default;
	struct affine_fit *fit = affine_fit_new(&model);
	struct affine_fit_result result;

	(void)state;
	seed = 3;
	for (int window = 0; window < 20; window++) {
		for (int i = 0; i < 1000; i++) {
			struct work_batch batch = make_batch(0.1);
			if (window < 5)
				batch.ns *= 2;
			affine_fit_add(fit, &batch);
		}
		affine_fit_end_window(fit, &model, &result);
	}
	assert_near(model.costs[TRAFFIC_TAP][TRAFFIC_RECEIVED].packet_ns, 2300, 230);
	affine_fit_free(fit);
}

/* A window of batches with packets of one or two sizes, by a CPU that is slower or faster. */
static void add_window_of(struct affine_fit *fit, uint64_t size, uint64_t other, double slower)
{
	static const struct affine_model costs = {
		.costs = {[TRAFFIC_TAP] = {[TRAFFIC_RECEIVED] = {1050, 0.018}}},
		.batch_ns = 900,
	};

	for (int i = 0; i < 700; i++) {
		struct work_batch batch = {.work = WORK_NET_RX};
		add_part(&batch, 0, TRAFFIC_TAP, TRAFFIC_RECEIVED, 1 + below(40),
			 below(2) ? size : other);
		double late = below(8) ? 0 : 2000.0 * below(10);
		batch.ns = (uint64_t)(slower * true_ns(&costs, &batch) * (1 + 0.1 * noise()) +
				      late);
		affine_fit_add(fit, &batch);
	}
}

/* A CPU's changing speed is taken for no cost of packets or bytes. */
static void test_speed_is_no_cost(void **state)
{
	struct affine_model model = affine_model_default;
	struct affine_fit *fit = affine_fit_new(&model);
	const struct affine_cost *cost = &model.costs[TRAFFIC_TAP][TRAFFIC_RECEIVED];
	const double packet_weighs = 0.017 / 1000; /* of a byte, by the default */
	struct affine_fit_result result;

	(void)state;
	seed = 6;
	/* Packets of one size can't tell: bytes and packets keep their proportion. */
	for (int window = 0; window < 40; window++) {
		add_window_of(fit, 60, 60, 1 + 0.3 * noise());
		affine_fit_end_window(fit, &model, &result);
	}
	assert_near(cost->byte_ns / cost->packet_ns, packet_weighs, 0.1 * packet_weighs);
	for (int window = 0; window < 6; window++) {
		add_window_of(fit, 60, 9014, 1 + 0.3 * noise());
		affine_fit_end_window(fit, &model, &result);
		assert_near(cost->byte_ns * 8954 / cost->packet_ns, 0.018 * 8954 / 1050, 0.05);
	}
	affine_fit_free(fit);
}

/* Too few batches, or of another kind, leave the model as it was; many are thinned out. */
static void test_how_many(void **state)
{
	struct affine_model model = affine_model_default;
	struct affine_fit *fit = affine_fit_new(&model);
	struct affine_fit_result result;

	(void)state;
	seed = 4;
	for (int i = 0; i < 99; i++) {
		struct work_batch batch = make_batch(0);
		affine_fit_add(fit, &batch);
		batch.work = WORK_BLOCK;
		affine_fit_add(fit, &batch);
		batch.work = WORK_NET_RX;
		batch.continued = true;
		affine_fit_add(fit, &batch);
	}
	affine_fit_end_window(fit, &model, &result);
	assert_memory_equal(&model, &affine_model_default, sizeof(model));
	assert_int_equal(result.batches, 0);
	assert_true(result.sum_error < 0);
	for (int i = 0; i < 100000; i++) {
		struct work_batch batch = make_batch(0.1);
		affine_fit_add(fit, &batch);
	}
	affine_fit_end_window(fit, &model, &result);
	assert_true(result.batches > 4000 && result.batches <= 8192);
	assert_near(model.costs[TRAFFIC_TAP][TRAFFIC_RECEIVED].packet_ns, 2300, 120);
	affine_fit_free(fit);
}

/* Whatever comes in: costs are finite and not negative. */
static void test_random_windows(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		struct affine_model model = affine_model_default;
		struct affine_fit *fit = affine_fit_new(&model);
		struct affine_fit_result result;
		seed = round;
		for (int i = 0; i < 400; i++) {
			struct work_batch batch = {.work = WORK_NET_RX};
			for (unsigned n = below(5); n > 0; n--)
				add_part(&batch, below(3),
					 (enum traffic_class)below(TRAFFIC_CLASS_COUNT),
					 (enum traffic_direction)below(TRAFFIC_DIRECTION_COUNT),
					 below(2) ? below(1000) : 0, below(65536));
			batch.ns = below(2) ? below(1000000000) : below(100);
			affine_fit_add(fit, &batch);
			if (i % 130 == 129)
				affine_fit_end_window(fit, &model, &result);
		}
		affine_fit_end_window(fit, &model, &result);
		assert_true(isfinite(model.batch_ns) && model.batch_ns >= 0);
		for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++)
			for (int d = 0; d < TRAFFIC_DIRECTION_COUNT; d++) {
				assert_true(isfinite(model.costs[class][d].packet_ns));
				assert_true(model.costs[class][d].packet_ns >= 0);
				assert_true(isfinite(model.costs[class][d].byte_ns));
				assert_true(model.costs[class][d].byte_ns >= 0);
			}
		affine_fit_free(fit);
	}
}

/* A batch's time goes to those whose work it was, and none of it is lost. */
static void test_split(void **state)
{
	static const struct affine_model model = {
		.costs = {[TRAFFIC_TAP] = {[TRAFFIC_RECEIVED] = {1000, 1}}},
		.batch_ns = 500,
	};
	struct shared_use users[3] = {0};
	struct work_batch batch = {.work = WORK_NET_RX, .ns = 10000};

	(void)state;
	/* Nothing seen: nobody's. */
	work_batch_split(&batch, &model, users, 3);
	assert_int_equal(users[2].causal_ns[WORK_NET_RX], 10000);
	/* 2 x (1000 + 100) : 1000 + 1300 : 500, what the batch itself costs, nobody's. */
	add_part(&batch, 0, TRAFFIC_TAP, TRAFFIC_RECEIVED, 2, 100);
	add_part(&batch, 1, TRAFFIC_TAP, TRAFFIC_RECEIVED, 1, 1300);
	work_batch_split(&batch, &model, users, 3);
	assert_int_equal(users[0].causal_ns[WORK_NET_RX], 4400);
	assert_int_equal(users[1].causal_ns[WORK_NET_RX], 4600);
	assert_int_equal(users[2].causal_ns[WORK_NET_RX], 11000);
	/* The rest of a batch: that was paid with its first part. */
	batch.part_count = 1;
	batch.continued = true;
	work_batch_split(&batch, &model, users, 3);
	assert_int_equal(users[0].causal_ns[WORK_NET_RX], 14400);
	assert_int_equal(users[2].causal_ns[WORK_NET_RX], 11000);
	/* Block work is divided among requests alone. */
	batch = (struct work_batch){.work = WORK_BLOCK, .ns = 300, .part_count = 2};
	batch.parts[0] = (struct work_part){
		.user = 1, .requests = true, .count = 1, .bytes = REQUEST_COST_BYTES};
	batch.parts[1] = (struct work_part){.user = 7, .requests = true, .count = 1};
	work_batch_split(&batch, &model, users, 3);
	assert_int_equal(users[1].causal_ns[WORK_BLOCK], 200);
	assert_int_equal(users[2].causal_ns[WORK_BLOCK], 100);
}

static void test_random_splits(void **state)
{
	(void)state;
	seed = 5;
	for (int round = 0; round < 20000; round++) {
		struct shared_use users[5] = {0};
		struct work_batch batch = {
			.work = (enum shared_work)below(WORK_COUNT),
			.ns = below(2) ? below(2000000000) : below(3),
			.continued = below(2),
			.part_count = below(WORK_PARTS_MAX + 1),
		};
		uint64_t sum = 0;
		for (size_t i = 0; i < batch.part_count; i++)
			batch.parts[i] = (struct work_part){
				.user = below(7),
				.requests = below(4) == 0,
				.class = (enum traffic_class)below(TRAFFIC_CLASS_COUNT),
				.direction = (enum traffic_direction)below(2),
				.count = below(1000),
				.bytes = below(10000000),
			};
		work_batch_split(&batch, &affine_model_default, users, 5);
		for (size_t u = 0; u < 5; u++)
			sum += users[u].causal_ns[batch.work];
		assert_int_equal(sum, batch.ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_costs),
		cmocka_unit_test(test_what_is_not_told_stays),
		cmocka_unit_test(test_follows_a_change),
		cmocka_unit_test(test_speed_is_no_cost),
		cmocka_unit_test(test_how_many),
		cmocka_unit_test(test_random_windows),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_random_splits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
