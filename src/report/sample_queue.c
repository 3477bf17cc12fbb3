/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/sample_queue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/bytes.h"

/*
 * Entries held at most, 40 bytes each; there is room for as many that were handed on. A round
 * of perf is what its rings held (512 KiB a CPU, read when half full).
 */
#define ENTRIES_MAX 200000
#define KEPT_MAX    ((size_t)8 << 20)

/* Before the runs are walked through for a change so often, they are sorted. */
#define WALKS_MAX 16

void sample_queue_init(struct sample_queue *queue, const struct queue_user *user)
{
	*queue = (struct sample_queue){.user = *user};
	queue->kept_size = 1; /* offset 0 means none */
	queue->cpu = QUEUE_NO_CPU;
}

const uint8_t *sample_queue_bytes(const struct sample_queue *queue, const struct queued *queued,
				  size_t *size)
{
	*size = 0;
	if (queued->kind == QUEUED_SAMPLE || !queued->bytes)
		return NULL;
	*size = get32(queue->kept + queued->bytes);
	return queue->kept + queued->bytes + sizeof(uint32_t);
}

/* Hands on the entries of a run up to a time, but no change. */
static int hand_on(struct sample_queue *queue, struct queue_run *run, uint64_t limit)
{
	const struct queued *entry = &queue->entries[run->first];
	const struct queued *end = &queue->entries[run->end];
	int code = 0;

	while (!code && entry < end && entry->time <= limit) {
		code = queue->user.take_samples(queue->user.context, &entry, end, limit);
		if (entry == end || entry->kind != QUEUED_LOST)
			break;
		if (!code && entry->time <= limit)
			code = queue->user.take_other(queue->user.context, entry++);
	}
	run->first = (size_t)(entry - queue->entries);
	return code;
}

/* Hands on what the first runs have that comes before a change, and it. */
static int hand_on_change(struct sample_queue *queue, const struct queue_change *change)
{
	const struct queue_user *user = &queue->user;
	int code = 0;

	for (size_t i = 0; !code && i < queue->sorted; i++) {
		struct queue_run *run = &queue->runs[i];
		/* Of the same time what came first comes first. */
		uint64_t limit = change->time - (run->first > change->entry);
		if (run->first == run->end || queue->entries[run->first].time > limit)
			continue;
		code = hand_on(queue, run, limit);
		if (run->first == change->entry && run->first < run->end)
			run->first++;
	}
	if (!code)
		code = user->end_stretch(user->context, true);
	return code ? code : user->take_other(user->context, &queue->entries[change->entry]);
}

bool sample_queue_turn(struct sample_queue *queue, uint32_t cpu, uint64_t last, uint64_t time)
{
	if (queue->cpu != QUEUE_NO_CPU && queue->cpu_newest[queue->cpu] < last)
		queue->cpu_newest[queue->cpu] = last;
	queue->cpu = cpu;
	if (cpu == QUEUE_NO_CPU)
		return true;
	if (array_reserve(&queue->cpu_newest, &queue->cpu_room, (size_t)cpu + 1,
			  sizeof(*queue->cpu_newest))) {
		queue->cpu = QUEUE_NO_CPU;
		return false;
	}
	if (time < queue->cpu_newest[cpu])
		queue->disordered = true;
	return true;
}

/* The run that grows is whole. */
static int close_run(struct sample_queue *queue)
{
	if (queue->open < queue->count) {
		if (array_reserve(&queue->runs, &queue->run_room, queue->run_count + 1,
				  sizeof(*queue->runs)))
			return -ENOMEM;
		queue->runs[queue->run_count++] = (struct queue_run){queue->open, queue->count};
		queue->held += queue->count - queue->open;
		queue->open = queue->count;
		if (queue->last > queue->newest)
			queue->newest = queue->last;
	}
	sample_queue_turn(queue, QUEUE_NO_CPU, queue->last, 0);
	queue->last = 0;
	return 0;
}

/* How many more entries simply are put behind the others. */
static void set_limit(struct sample_queue *queue)
{
	size_t more = queue->kept_size > KEPT_MAX || queue->held >= ENTRIES_MAX
			      ? 0
			      : ENTRIES_MAX - queue->held;

	queue->limit = queue->open + more;
	if (queue->limit > queue->room)
		queue->limit = queue->room;
}

/* Forgets the bytes of entries that were handed on. */
static int compact_bytes(struct sample_queue *queue)
{
	size_t size = 1;

	if (array_reserve(&queue->spare, &queue->spare_room, queue->kept_size, 1))
		return -ENOMEM;
	for (size_t i = 0; i < queue->run_count; i++)
		for (size_t e = queue->runs[i].first; e < queue->runs[i].end; e++) {
			struct queued *entry = &queue->entries[e];
			if (entry->kind == QUEUED_SAMPLE || !entry->bytes)
				continue;
			size_t length = sizeof(uint32_t) + get32(queue->kept + entry->bytes);
			memcpy(queue->spare + size, queue->kept + entry->bytes, length);
			entry->bytes = (uint32_t)size;
			size += length;
		}
	uint8_t *kept = queue->kept;
	size_t room = queue->kept_room;
	queue->kept = queue->spare;
	queue->kept_room = queue->spare_room;
	queue->kept_size = size;
	queue->spare = kept;
	queue->spare_room = room;
	return 0;
}

/* Drops the runs that were handed on, and the bytes of their entries when they are many. */
static int drop_empty(struct sample_queue *queue)
{
	size_t count = 0, sorted = 0;

	queue->held = 0;
	for (size_t i = 0; i < queue->run_count; i++) {
		const struct queue_run *run = &queue->runs[i];
		if (run->first == run->end)
			continue;
		sorted += i < queue->sorted;
		queue->held += run->end - run->first;
		queue->runs[count++] = *run;
	}
	queue->run_count = count;
	queue->sorted = sorted;
	if (count == 0) {
		queue->count = queue->open = 0;
		queue->kept_size = 1;
	}
	return queue->kept_size < KEPT_MAX / 4 ? 0 : compact_bytes(queue);
}

static int compare_changes(const void *left, const void *right)
{
	const struct queue_change *a = left, *b = right;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return (a->entry > b->entry) - (a->entry < b->entry);
}

static int add_change(struct sample_queue *queue, uint64_t time, size_t entry)
{
	if (array_reserve(&queue->changes, &queue->change_room, queue->change_count + 1,
			  sizeof(*queue->changes)))
		return -ENOMEM;
	queue->changes[queue->change_count++] = (struct queue_change){time, entry};
	return 0;
}

/* Makes one run of all. */
static int sort_runs(struct sample_queue *queue)
{
	struct queue_change *keys = calloc(queue->held + 1, sizeof(*keys));
	struct queued *sorted = calloc(queue->held + 1, sizeof(*sorted));
	size_t count = 0;
	int code = keys && sorted ? 0 : -ENOMEM;

	for (size_t i = 0; !code && i < queue->run_count; i++)
		for (size_t e = queue->runs[i].first; e < queue->runs[i].end; e++)
			keys[count++] = (struct queue_change){queue->entries[e].time, e};
	if (count)
		qsort(keys, count, sizeof(*keys), compare_changes);
	queue->change_count = 0;
	for (size_t i = 0; !code && i < count; i++) {
		sorted[i] = queue->entries[keys[i].entry];
		if (sorted[i].kind == QUEUED_CHANGE)
			code = add_change(queue, sorted[i].time, i);
	}
	if (!code) {
		memcpy(queue->entries, sorted, count * sizeof(*sorted));
		queue->runs[0] = (struct queue_run){0, count};
		queue->run_count = queue->sorted = 1;
		queue->disordered = false;
		queue->count = queue->open = count;
	}
	free(keys);
	free(sorted);
	return code;
}

/* Takes out the changes up to a time, to be handed on; how many: *count. */
static int take_due(struct sample_queue *queue, uint64_t limit, size_t *count)
{
	size_t left = 0;

	*count = 0;
	for (size_t i = 0; i < queue->change_count; i++)
		*count += queue->changes[i].time <= limit;
	if (*count == 0)
		return 0;
	queue->sorted = queue->run_count;
	if ((queue->disordered || *count * queue->run_count / WALKS_MAX > queue->held) &&
	    sort_runs(queue))
		return -ENOMEM;
	if (array_reserve(&queue->due, &queue->due_room, *count, sizeof(*queue->due)))
		return -ENOMEM;
	*count = 0;
	for (size_t i = 0; i < queue->change_count; i++)
		if (queue->changes[i].time <= limit)
			queue->due[(*count)++] = queue->changes[i];
		else
			queue->changes[left++] = queue->changes[i];
	queue->change_count = left;
	qsort(queue->due, *count, sizeof(*queue->due), compare_changes);
	return 0;
}

/* Hands on what is not younger than limit; the run that grows is closed. */
static int flush(struct sample_queue *queue, uint64_t limit)
{
	const struct queue_user *user = &queue->user;
	size_t due;
	int code = take_due(queue, limit, &due);

	for (size_t i = 0; !code && i < due; i++)
		code = hand_on_change(queue, &queue->due[i]);
	for (size_t i = 0; !code && i < queue->sorted; i++)
		code = hand_on(queue, &queue->runs[i], limit);
	if (!code)
		code = user->end_stretch(user->context, true);
	for (size_t i = queue->sorted; !code && i < queue->run_count; i++)
		code = hand_on(queue, &queue->runs[i], limit);
	if (!code)
		code = user->end_stretch(user->context, false);
	if (!code)
		code = drop_empty(queue);
	set_limit(queue);
	return code;
}

/* How many entries of a run are of a time or before it. */
static size_t count_until(const struct sample_queue *queue, const struct queue_run *run,
			  uint64_t time)
{
	size_t low = run->first, high = run->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (queue->entries[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low - run->first;
}

/* The time of the entry in the middle of all that are held. */
static uint64_t middle_time(const struct sample_queue *queue)
{
	uint64_t low = 0, high = UINT64_MAX;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		size_t count = 0;
		for (size_t i = 0; i < queue->run_count; i++)
			count += count_until(queue, &queue->runs[i], middle);
		if (count > queue->held / 2)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Moves the entries together that were not handed on yet. */
static void compact_entries(struct sample_queue *queue)
{
	size_t count = 0, change = 0;

	for (size_t i = 0; i < queue->run_count; i++) {
		struct queue_run *run = &queue->runs[i];
		size_t length = run->end - run->first;
		memmove(&queue->entries[count], &queue->entries[run->first],
			length * sizeof(*queue->entries));
		for (; change < queue->change_count && queue->changes[change].entry < run->end;
		     change++)
			queue->changes[change].entry -= run->first - count;
		*run = (struct queue_run){count, count + length};
		count += length;
	}
	queue->count = queue->open = count;
}

/* Makes room for one more entry; the run that grows is closed. */
static int make_room(struct sample_queue *queue)
{
	/* Too many are held: the older half must do without what may still come. */
	if (queue->held >= ENTRIES_MAX || (queue->held && queue->kept_size > KEPT_MAX)) {
		queue->sorted = queue->run_count;
		int code = queue->disordered ? sort_runs(queue) : 0;
		if (!code)
			code = flush(queue, middle_time(queue));
		if (code)
			return code;
	}
	if (queue->count == queue->room && queue->held <= queue->room / 2)
		compact_entries(queue);
	if (array_reserve(&queue->entries, &queue->room, queue->count + 1,
			  sizeof(*queue->entries)))
		return -ENOMEM;
	set_limit(queue);
	return 0;
}

static int keep(struct sample_queue *queue, const void *bytes, uint32_t size, uint32_t *place)
{
	size_t need = queue->kept_size + sizeof(size) + size;

	if (array_reserve(&queue->kept, &queue->kept_room, need, 1))
		return -ENOMEM;
	memcpy(queue->kept + queue->kept_size, &size, sizeof(size));
	memcpy(queue->kept + queue->kept_size + sizeof(size), bytes, size);
	*place = (uint32_t)queue->kept_size;
	queue->kept_size = need;
	return 0;
}

int sample_queue_add(struct sample_queue *queue, const struct queued *queued, const void *bytes,
		     size_t size)
{
	struct queued entry = *queued;
	int code = 0;

	if (queue->count >= queue->limit || queued->time < queue->last)
		code = close_run(queue);
	if (!code && queue->count >= queue->limit)
		code = make_room(queue);
	if (code)
		return code;
	if (entry.kind != QUEUED_CHANGE && entry.cpu != queue->cpu &&
	    !sample_queue_turn(queue, entry.cpu, queue->last, entry.time))
		return -ENOMEM;
	if (entry.kind != QUEUED_SAMPLE)
		entry.bytes = 0;
	if ((size && keep(queue, bytes, (uint32_t)size, &entry.bytes)) ||
	    (entry.kind == QUEUED_CHANGE && add_change(queue, entry.time, queue->count)))
		return -ENOMEM;
	queue->entries[queue->count++] = entry;
	queue->last = entry.time;
	if (size)
		set_limit(queue);
	return 0;
}

int sample_queue_end_round(struct sample_queue *queue)
{
	int code = close_run(queue);

	if (!code)
		code = flush(queue, queue->complete);
	queue->complete = queue->newest;
	return code;
}

int sample_queue_finish(struct sample_queue *queue)
{
	int code = close_run(queue);

	return code ? code : flush(queue, UINT64_MAX);
}

void sample_queue_clear(struct sample_queue *queue)
{
	free(queue->entries);
	free(queue->runs);
	free(queue->changes);
	free(queue->due);
	free(queue->cpu_newest);
	free(queue->kept);
	free(queue->spare);
	*queue = (struct sample_queue){0};
}
