/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/sample_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/bytes.h"

/*
 * Entries held at most: 40 bytes each, and as much again to sort them. A round of perf is what
 * its rings held (512 KiB a CPU, read when half full).
 */
#define ENTRIES_MAX 200000
#define KEPT_MAX    ((size_t)8 << 20)

struct sample_queue {
	queue_function *function;
	void *context;
	struct queued *entries;
	size_t count, room;
	struct queued *sorted; /* room to sort */
	size_t sorted_room;
	uint8_t *kept, *spare; /* bytes of entries, each with its size in front */
	size_t kept_size, kept_room, spare_room;
	uint64_t oldest_change; /* of the entries; UINT64_MAX: none is a change */
	uint64_t newest;	/* of all entries that ever were */
	uint64_t limit;		/* up to here all is there when this round ends */
};

struct sample_queue *sample_queue_new(queue_function *function, void *context)
{
	struct sample_queue *queue = calloc(1, sizeof(*queue));

	if (queue) {
		queue->function = function;
		queue->context = context;
		queue->oldest_change = UINT64_MAX;
		queue->kept_size = 1; /* offset 0 means none */
	}
	return queue;
}

/*
 * Sorts by time and keeps the order of equals: merges the runs that are there, which are few
 * and long, one a CPU and round.
 */
static int sort(struct sample_queue *queue)
{
	struct queued *from = queue->entries;

	if (array_reserve(&queue->sorted, &queue->sorted_room, queue->room,
			  sizeof(*queue->sorted)))
		return -ENOMEM;
	struct queued *to = queue->sorted;
	for (size_t runs = 0; runs != 1;) {
		size_t start = 0, out = 0;
		runs = 0;
		while (start < queue->count) {
			size_t left = start, middle, right, end;
			for (middle = start + 1; middle < queue->count; middle++)
				if (from[middle].time < from[middle - 1].time)
					break;
			right = end = middle;
			if (end < queue->count)
				for (end++; end < queue->count; end++)
					if (from[end].time < from[end - 1].time)
						break;
			while (left < middle && right < end)
				to[out++] = from[right].time < from[left].time ? from[right++]
									       : from[left++];
			while (left < middle)
				to[out++] = from[left++];
			while (right < end)
				to[out++] = from[right++];
			start = end;
			runs++;
		}
		struct queued *swap = from;
		from = to;
		to = swap;
		if (queue->count == 0)
			break;
	}
	if (from == queue->sorted) {
		size_t room = queue->room;
		queue->sorted = queue->entries;
		queue->entries = from;
		queue->room = queue->sorted_room;
		queue->sorted_room = room;
	}
	return 0;
}

/* Drops the bytes of entries that are gone, when they are many. */
static int compact(struct sample_queue *queue)
{
	size_t size = 1;

	if (queue->count == 0)
		queue->kept_size = 1;
	if (queue->kept_size < KEPT_MAX / 4)
		return 0;
	if (array_reserve(&queue->spare, &queue->spare_room, queue->kept_size, 1))
		return -ENOMEM;
	for (size_t i = 0; i < queue->count; i++) {
		struct queued *entry = &queue->entries[i];
		if (!entry->bytes)
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

/* Hands on what is not younger than limit. */
static int flush(struct sample_queue *queue, uint64_t limit)
{
	size_t left = 0;
	int code = 0;

	if (queue->oldest_change <= limit) {
		code = sort(queue);
		if (code)
			return code;
	}
	queue->oldest_change = UINT64_MAX;
	for (size_t i = 0; !code && i < queue->count; i++) {
		const struct queued *entry = &queue->entries[i];
		if (entry->time <= limit) {
			code = queue->function(queue->context, entry);
			continue;
		}
		if (entry->kind == QUEUED_CHANGE && entry->time < queue->oldest_change)
			queue->oldest_change = entry->time;
		queue->entries[left++] = *entry;
	}
	queue->count = left;
	return code ? code : compact(queue);
}

/* Too many are held: the older half must do without what may still come. */
static int make_room(struct sample_queue *queue)
{
	int code = sort(queue);

	return code ? code : flush(queue, queue->entries[queue->count / 2].time);
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
	int code = 0;

	if (queue->count >= ENTRIES_MAX || (queue->count && queue->kept_size > KEPT_MAX))
		code = make_room(queue);
	if (!code)
		code = array_reserve(&queue->entries, &queue->room, queue->count + 1,
				     sizeof(*queue->entries));
	if (code)
		return code;
	struct queued *entry = &queue->entries[queue->count];
	*entry = *queued;
	entry->bytes = 0;
	if (size && keep(queue, bytes, (uint32_t)size, &entry->bytes))
		return -ENOMEM;
	queue->count++;
	if (queued->time > queue->newest)
		queue->newest = queued->time;
	if (queued->kind == QUEUED_CHANGE && queued->time < queue->oldest_change)
		queue->oldest_change = queued->time;
	return 0;
}

const uint8_t *sample_queue_bytes(const struct sample_queue *queue, const struct queued *queued,
				  size_t *size)
{
	*size = 0;
	if (!queued->bytes)
		return NULL;
	*size = get32(queue->kept + queued->bytes);
	return queue->kept + queued->bytes + sizeof(uint32_t);
}

int sample_queue_end_round(struct sample_queue *queue)
{
	int code = flush(queue, queue->limit);

	queue->limit = queue->newest;
	return code;
}

int sample_queue_finish(struct sample_queue *queue)
{
	return flush(queue, UINT64_MAX);
}

void sample_queue_free(struct sample_queue *queue)
{
	if (!queue)
		return;
	free(queue->entries);
	free(queue->sorted);
	free(queue->kept);
	free(queue->spare);
	free(queue);
}
