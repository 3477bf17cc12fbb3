/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/shared_policy.h"

static const struct affine_model model = {
	.costs = {[TRAFFIC_TAP] = {[TRAFFIC_RECEIVED] = {1000, 0.5}, [TRAFFIC_SENT] = {100, 0}},
		  [TRAFFIC_HOST] = {[TRAFFIC_RECEIVED] = {1000, 0.5}}},
	.batch_ns = 300,
};

/* Two VMs that receive as many packets, of 60 and of 1500 bytes, and the host. */
static void make_users(struct shared_use users[3])
{
	memset(users, 0, 3 * sizeof(*users));
	users[0].traffic.counts[TRAFFIC_TAP][TRAFFIC_RECEIVED] =
		(struct traffic_count){1000, 60000};
	users[1].traffic.counts[TRAFFIC_TAP][TRAFFIC_RECEIVED] =
		(struct traffic_count){1000, 1500000};
	users[1].traffic.counts[TRAFFIC_TAP][TRAFFIC_SENT] = (struct traffic_count){200, 12000};
	users[2].traffic.counts[TRAFFIC_HOST][TRAFFIC_RECEIVED] =
		(struct traffic_count){10, 1000};
	users[0].disk_bytes = 4096;
	users[2].disk_bytes = 512;
}

static void test_policies(void **state)
{
	struct shared_use users[3];
	uint64_t weights[3];

	(void)state;
	make_users(users);
	assert_int_equal(
		shared_policy_weights(POLICY_BYTES, &model, users, 3, WORK_NET_RX, weights),
		POLICY_BYTES);
	assert_int_equal(weights[0], 60000);
	assert_int_equal(weights[1], 1512000);
	assert_int_equal(weights[2], 1000);
	shared_policy_weights(POLICY_PACKETS, &model, users, 3, WORK_NET_RX, weights);
	assert_int_equal(weights[0], 1000);
	assert_int_equal(weights[1], 1200);
	assert_int_equal(weights[2], 10);
	shared_policy_weights(POLICY_AFFINE, &model, users, 3, WORK_NET_RX, weights);
	assert_int_equal(weights[0], 1030000);
	assert_int_equal(weights[1], 1000000 + 750000 + 20000);
	assert_int_equal(weights[2], 10000 + 500);
	/* Only what was sent goes through the other softirq. */
	shared_policy_weights(POLICY_AFFINE, &model, users, 3, WORK_NET_TX, weights);
	assert_int_equal(weights[0], 0);
	assert_int_equal(weights[1], 20000);
	assert_int_equal(weights[2], 0);
	shared_policy_weights(POLICY_BYTES, &model, users, 3, WORK_BLOCK, weights);
	assert_int_equal(weights[0], 4096);
	assert_int_equal(weights[1], 0);
	assert_int_equal(weights[2], 512);
}

/* What the batches cost themselves is nobody's: a quarter of all. */
static void test_batches(void **state)
{
	struct affine_model known = model;
	struct shared_use users[3];
	uint64_t weights[3];

	(void)state;
	make_users(users);
	known.batch_share = 0.25;
	shared_policy_weights(POLICY_AFFINE, &known, users, 3, WORK_NET_RX, weights);
	assert_int_equal(weights[0], 1030000);
	assert_int_equal(weights[1], 1770000);
	assert_int_equal(weights[2], 10500 + (1030000 + 1770000 + 10500) / 3);
	shared_policy_weights(POLICY_AFFINE, &known, users, 3, WORK_NET_TX, weights);
	assert_int_equal(weights[2], 0);
	/* The paper's way knows no batches. */
	shared_policy_weights(POLICY_BYTES, &known, users, 3, WORK_NET_RX, weights);
	assert_int_equal(weights[2], 1000);
}

static void test_nobody_pays(void **state)
{
	static const enum shared_work nobodys[] = {WORK_NONE, WORK_TIMER, WORK_SCHED, WORK_RCU,
						   WORK_OTHER};
	struct shared_use users[3];
	uint64_t weights[3];

	(void)state;
	make_users(users);
	for (int policy = 0; policy < POLICY_COUNT; policy++)
		for (size_t i = 0; i < sizeof(nobodys) / sizeof(*nobodys); i++) {
			shared_policy_weights((enum shared_policy)policy, &model, users, 3,
					      nobodys[i], weights);
			assert_int_equal(weights[0] + weights[1] + weights[2], 0);
		}
	for (int work = 0; work < WORK_COUNT; work++) {
		assert_int_equal(shared_policy_weights(POLICY_NONE, &model, users, 3,
						       (enum shared_work)work, weights),
				 POLICY_NONE);
		assert_int_equal(weights[0] + weights[1] + weights[2], 0);
	}
}

static void test_causal_falls_back(void **state)
{
	struct shared_use users[3];
	uint64_t weights[3], affine[3];

	(void)state;
	make_users(users);
	shared_policy_weights(POLICY_AFFINE, &model, users, 3, WORK_NET_RX, affine);
	assert_int_equal(
		shared_policy_weights(POLICY_CAUSAL, &model, users, 3, WORK_NET_RX, weights),
		POLICY_AFFINE);
	assert_memory_equal(weights, affine, sizeof(affine));
	users[1].causal_ns[WORK_NET_RX] = 77;
	users[2].causal_ns[WORK_NET_RX] = 5;
	assert_int_equal(
		shared_policy_weights(POLICY_CAUSAL, &model, users, 3, WORK_NET_RX, weights),
		POLICY_CAUSAL);
	assert_int_equal(weights[0], 0);
	assert_int_equal(weights[1], 77);
	assert_int_equal(weights[2], 5);
	/* Each kind of work for itself. */
	assert_int_equal(
		shared_policy_weights(POLICY_CAUSAL, &model, users, 3, WORK_BLOCK, weights),
		POLICY_AFFINE);
	assert_int_equal(weights[0], 4096);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(shared_policy_name(POLICY_AFFINE), "affine");
	assert_string_equal(shared_policy_name(POLICY_NONE), "none");
	assert_string_equal(shared_work_name(WORK_NET_RX), "net_rx");
	assert_string_equal(shared_work_name(WORK_OTHER), "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),    cmocka_unit_test(test_batches),
		cmocka_unit_test(test_nobody_pays), cmocka_unit_test(test_causal_falls_back),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
