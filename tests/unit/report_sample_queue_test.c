/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue against the plainest one there is: an array that is sorted when something changed.
 * What is handed on, and in which order, must be the same, whatever came.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/random.h"
#include "report/sample_queue.h"

#define HELD_MAX 200000

struct list {
	struct queued *items;
	size_t count, room;
};

static void append(struct list *list, const struct queued *item)
{
	assert_int_equal(
		array_reserve(&list->items, &list->room, list->count + 1, sizeof(*item)), 0);
	list->items[list->count++] = *item;
}

/* The weight is the entry's number: in the order in which they came. */
static int compare(const void *left, const void *right)
{
	const struct queued *a = left, *b = right;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return (a->weight > b->weight) - (a->weight < b->weight);
}

static void sort(struct list *list, size_t first)
{
	if (list->count > first)
		qsort(list->items + first, list->count - first, sizeof(*list->items), compare);
}

struct model {
	struct list held, out;
	uint64_t newest, complete;
};

static void model_flush(struct model *model, uint64_t limit)
{
	bool changed = false;
	size_t left = 0;

	for (size_t i = 0; i < model->held.count; i++)
		changed |= model->held.items[i].kind == QUEUED_CHANGE &&
			   model->held.items[i].time <= limit;
	if (changed)
		sort(&model->held, 0);
	for (size_t i = 0; i < model->held.count; i++)
		if (model->held.items[i].time <= limit)
			append(&model->out, &model->held.items[i]);
		else
			model->held.items[left++] = model->held.items[i];
	model->held.count = left;
}

static void model_add(struct model *model, const struct queued *queued)
{
	if (model->held.count >= HELD_MAX) {
		sort(&model->held, 0);
		model_flush(model, model->held.items[model->held.count / 2].time);
	}
	append(&model->held, queued);
	if (queued->time > model->newest)
		model->newest = queued->time;
}

static void model_end_round(struct model *model)
{
	model_flush(model, model->complete);
	model->complete = model->newest;
}

struct run {
	struct sample_queue queue;
	struct list out;
	size_t stretch; /* where it begins in out */
};

static void check_bytes(struct run *run, const struct queued *queued)
{
	size_t size;
	const uint8_t *bytes = sample_queue_bytes(&run->queue, queued, &size);

	if (queued->kind == QUEUED_SAMPLE || queued->kind == QUEUED_LOST) {
		assert_null(bytes);
		return;
	}
	assert_int_equal(size, sizeof(queued->weight));
	assert_memory_equal(bytes, &queued->weight, size);
}

static int take_samples(void *context, const struct queued **first, const struct queued *end,
			uint64_t limit)
{
	struct run *run = context;

	for (; *first < end && (*first)->time <= limit && (*first)->kind <= QUEUED_STACK;
	     ++*first) {
		check_bytes(run, *first);
		append(&run->out, *first);
	}
	return 0;
}

static int end_stretch(void *context, bool by_time)
{
	struct run *run = context;
	uint64_t newest[8] = {0};

	for (size_t i = run->stretch; by_time && i < run->out.count; i++) {
		const struct queued *queued = &run->out.items[i];
		assert_true(queued->time >= newest[queued->cpu]);
		newest[queued->cpu] = queued->time;
	}
	if (by_time)
		sort(&run->out, run->stretch);
	run->stretch = run->out.count;
	return 0;
}

static int take_other(void *context, const struct queued *queued)
{
	struct run *run = context;

	check_bytes(run, queued);
	append(&run->out, queued);
	if (queued->kind == QUEUED_CHANGE)
		run->stretch = run->out.count;
	return 0;
}

static void add(struct run *run, struct model *model, const struct queued *queued)
{
	bool bytes = queued->kind == QUEUED_STACK || queued->kind == QUEUED_CHANGE;
	size_t room = 0;
	struct queued *place = NULL;

	model_add(model, queued);
	if (queued->kind == QUEUED_SAMPLE && queued->time >= run->queue.last &&
	    (queued->cpu == run->queue.cpu ||
	     sample_queue_turn(&run->queue, queued->cpu, run->queue.last, queued->time)))
		place = sample_queue_places(&run->queue, &room);
	if (room) {
		*place = *queued;
		sample_queue_placed(&run->queue, 1, queued->time);
		return;
	}
	assert_int_equal(sample_queue_add(&run->queue, queued, &queued->weight,
					  bytes ? sizeof(queued->weight) : 0),
			 0);
}

static void compare_all(const struct run *run, const struct model *model)
{
	assert_int_equal(run->out.count, model->out.count);
	for (size_t i = 0; i < run->out.count; i++) {
		assert_int_equal(run->out.items[i].weight, model->out.items[i].weight);
		assert_int_equal(run->out.items[i].kind, model->out.items[i].kind);
	}
}

/* Rounds of CPUs, one after the other; wild: in no order at all. */
static void run_random(uint64_t seed, size_t rounds, size_t length, unsigned changes, bool wild)
{
	struct run run = {0};
	struct model model = {0};
	uint64_t state = seed, number = 0;
	const struct queue_user user = {&run, take_samples, take_other, end_stretch};

	sample_queue_init(&run.queue, &user);
	for (uint64_t round = 0; round < rounds; round++) {
		size_t cpus = 1 + random_next(&state) % 5;
		for (size_t cpu = 0; cpu < cpus; cpu++) {
			uint64_t time = 1000 * round + 100 * cpu + 1;
			for (size_t i = random_next(&state) % length; i--;) {
				uint64_t kind = random_next(&state) % 1000;
				time = wild ? 1 + random_next(&state) % 5000
					    : time + random_next(&state) % 3 * 300 / length;
				add(&run, &model,
				    &(struct queued){.time = time,
						     .weight = ++number,
						     .cpu = (uint16_t)cpu,
						     .kind = kind < changes ? QUEUED_CHANGE
							     : kind < 2 * changes ? QUEUED_STACK
							     : kind >= 999 && !wild
								     ? QUEUED_LOST
								     : QUEUED_SAMPLE});
			}
		}
		assert_int_equal(sample_queue_end_round(&run.queue), 0);
		model_end_round(&model);
	}
	assert_int_equal(sample_queue_finish(&run.queue), 0);
	model_flush(&model, UINT64_MAX);
	compare_all(&run, &model);
	sample_queue_clear(&run.queue);
	free(run.out.items);
	free(model.out.items);
	free(model.held.items);
}

static void test_rounds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 200; seed++)
		run_random(seed, 12, 40, (unsigned)(seed % 4) * 30, false);
}

static void test_no_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 100; seed++)
		run_random(seed, 6, 60, (unsigned)(seed % 4) * 100, true);
}

/* More than are held: the older half goes on without waiting. */
static void test_too_many(void **state)
{
	(void)state;
	run_random(7, 2, 300000, 0, false);
	run_random(8, 2, 300000, 2, false);
}

static int fail_at_sample(void *context, const struct queued **first, const struct queued *end,
			  uint64_t limit)
{
	(void)context;
	(void)first;
	(void)end;
	(void)limit;
	return -ENOMEM;
}

static void test_error_ends_the_flush(void **state)
{
	struct run run = {0};
	const struct queue_user user = {&run, fail_at_sample, take_other, end_stretch};
	const struct queued sample = {.time = 1, .kind = QUEUED_SAMPLE};

	(void)state;
	sample_queue_init(&run.queue, &user);
	assert_int_equal(sample_queue_add(&run.queue, &sample, NULL, 0), 0);
	assert_int_equal(sample_queue_finish(&run.queue), -ENOMEM);
	sample_queue_clear(&run.queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_no_order),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_error_ends_the_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
