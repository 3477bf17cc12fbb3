/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "perf_data/sample.h"
#include "report/profile_internal.h"

/* So many samples ahead their memos are brought into the cache. */
#define AHEAD 8

/* The same as long as an address of the thread's has the same place. */
static uint32_t space_of(const struct profile *profile, const struct recorded_thread *thread,
			 uint32_t mode)
{
	return mode == SAMPLE_USER ? profile->tasks.processes[thread->process].space_serial
				   : profile->resolver.version;
}

/* The memo of an address and mode (and kind of work), begun anew if it was another's. */
static struct sample_memo *memo_of(struct profile *profile,
				   const struct recorded_thread *thread, uint64_t address,
				   uint32_t mode)
{
	uint32_t space = space_of(profile, thread, mode & 7);
	struct sample_memo *memo =
		&profile->memo[sample_memo_number(address, thread->pid, mode)];

	if (memo->address != address || memo->mode != mode + 1 || memo->space != space)
		*memo = (struct sample_memo){
			.address = address,
			.mode = mode + 1,
			.space = space,
			.place = PLACE_NONE,
		};
	return memo;
}

static void remember(struct sample_memo *memo, const struct recorded_thread *thread,
		     uint32_t cell)
{
	uint32_t slot = thread->group_serial % MEMO_THREADS;

	memo->threads[slot].group = thread->group_serial;
	memo->threads[slot].cell = cell;
}

/*
 * The cell of a queued sample if its thread, its place and both together were seen before;
 * remembered from then on. CELL_NONE.
 */
static uint32_t known_cell(struct profile *profile, const struct recorded_thread *thread,
			   const struct queued *sample)
{
	const struct resolver_query query = {
		.mode = sample->mode & 7,
		.address = sample->value,
		.process = &profile->tasks.processes[thread->process],
	};

	if (thread->group_serial == GROUP_NONE)
		return CELL_NONE;
	struct sample_memo *memo = memo_of(profile, thread, sample->value, sample->mode);
	if (memo->place == PLACE_NONE)
		memo->place = resolver_known_place(&profile->resolver, &query);
	if (memo->place == PLACE_NONE)
		return CELL_NONE;
	uint32_t cell =
		tally_find_cell(&profile->tally, thread->group,
				cell_key(sample->mode & 7, sample->mode >> 3, memo->place));
	if (cell != CELL_NONE)
		remember(memo, thread, cell);
	return cell;
}

/*
 * The cell of a thread's samples of a mode (and kind of work) at an address, remembered from
 * then on; CELL_NONE without memory.
 */
static uint32_t cell_by_address(struct profile *profile, const struct recorded_thread *thread,
				uint64_t address, uint32_t mode)
{
	struct sample_memo *memo = memo_of(profile, thread, address, mode);
	uint32_t place = memo->place;

	if (place == PLACE_NONE) {
		const struct resolver_query query = {
			.mode = (int)(mode & 7),
			.address = address,
			.process = &profile->tasks.processes[thread->process],
		};
		place = resolver_place(&profile->resolver, &query);
		if (place == PLACE_NONE)
			return CELL_NONE;
		/* The version is another one if the kernel's map has just been made. */
		memo = memo_of(profile, thread, address, mode);
		/* Each guest may have a kernel of its own. */
		if ((mode & 7) > SAMPLE_GUEST || profile->resolver.detail == PLACE_BY_MODULE)
			memo->place = place;
	}
	uint32_t cell = tally_cell(&profile->tally, thread->group,
				   cell_key(mode & 7, mode >> 3, place));
	if (cell != CELL_NONE)
		remember(memo, thread, cell);
	return cell;
}

/* The cell of a sample that has a stack or a place of its own; CELL_NONE without memory. */
static uint32_t cell_of(struct profile *profile, const struct profile_sample *sample,
			const struct recorded_thread *thread)
{
	const struct resolver_query query = {
		.mode = sample->mode,
		.address = sample->address,
		.callchain = sample->callchain,
		.callchain_length = sample->callchain_length,
		.process = &profile->tasks.processes[thread->process],
	};
	uint32_t place = sample->place;

	if (place == PLACE_NONE)
		place = resolver_place(&profile->resolver, &query);
	if (place == PLACE_NONE)
		return CELL_NONE;
	return tally_cell(&profile->tally, thread->group,
			  cell_key(sample->mode, sample->work, place));
}

/* The thread of a sample, with a group; NULL without memory. */
static const struct recorded_thread *thread_of(struct profile *profile, uint32_t pid,
					       uint32_t tid)
{
	struct tasks *tasks = &profile->tasks;
	uint32_t thread = tasks_thread(tasks, pid, tid);

	if (thread == TASK_NONE || tasks_group(tasks, thread) == GROUP_NONE)
		return NULL;
	if (profile->memo_round != tasks->serial_rounds) {
		memset(profile->memo, 0, sizeof(*profile->memo) << MEMO_BITS);
		profile->memo_round = tasks->serial_rounds;
	}
	return &tasks->threads[thread];
}

int profile_count(struct profile *profile, const struct profile_sample *sample,
		  double stands_for)
{
	const struct recorded_thread *thread = thread_of(profile, sample->pid, sample->tid);
	uint32_t cell;

	if (!thread)
		return -ENOMEM;
	if (isnan(stands_for))
		return 0;
	if (sample->mode <= SAMPLE_GUEST)
		profile->tasks.processes[thread->process].ran_guest = true;
	if (sample->callchain || sample->place != PLACE_NONE)
		cell = cell_of(profile, sample, thread);
	else
		cell = cell_by_address(profile, thread, sample->address,
				       (uint32_t)sample->work << 3 | (uint32_t)sample->mode);
	if (cell == CELL_NONE)
		return -ENOMEM;
	profile->tally.cells[cell].samples += sample->count;
	profile->tally.cells[cell].time += stands_for;
	profile->samples += sample->count;
	return 0;
}

static int time_queued(struct profile *profile, const struct queued *queued, double *stands_for)
{
	struct profile_sample sample = profile_sample_of(queued);
	int code = profile_time(profile, &sample, stands_for);

	return code ? code : 1;
}

int profile_take(struct profile *profile, const struct queued **first, const struct queued *end,
		 uint64_t limit, double *stands_for)
{
	/* What no sample here changes, so that the loop needn't look for it again. */
	const struct tasks *tasks = &profile->tasks;
	const struct task_place *by_tid = tasks->by_tid;
	const size_t tid_places = tasks->tid_places;
	const struct recorded_thread *threads = tasks->threads;
	struct profile_cpu *cpus = profile->cpus;
	const size_t cpu_room = profile->cpu_room;
	struct tally_cell *cells = profile->tally.cells;
	const struct sample_memo *memos = profile->memo;
	const uint64_t start = profile->start_ns;
	const uint64_t stop = profile->stop_ns < FROM_NONE ? profile->stop_ns : FROM_NONE;
	const uint64_t span = stop > start ? stop - start : 0;
	const bool by_gaps = profile->anchor == ANCHOR_GAPS;
	const double period = profile->period_ns, longest = GAP_PERIODS * period;
	const struct queued *entry = *first;
	const struct queued *ahead = end - entry > AHEAD ? end - AHEAD : entry;
	uint64_t newest = profile->last_ns, counted = 0;
	int code = 0;

	for (; entry < end && entry->time <= limit; entry++) {
		const uint64_t time = entry->time;
		if (entry < ahead && entry[AHEAD].kind == QUEUED_SAMPLE)
			__builtin_prefetch(&memos[entry[AHEAD].memo]);
		if (entry->kind > QUEUED_STACK)
			break;
		int64_t gap = 0;
		if (entry->cpu < cpu_room)
			gap = (int64_t)(time - cpus[entry->cpu].from);
		if (gap <= 0 || time - start >= span || entry->kind != QUEUED_SAMPLE) {
			code = time_queued(profile, entry, stands_for);
			break;
		}
		cpus[entry->cpu].from = time;
		if (time > newest)
			newest = time;
		double ns = (double)gap;
		if (by_gaps)
			ns = ns <= longest ? ns : period;
		else
			ns = profile_stands_for(profile, ns, entry->weight, false);
		uint32_t index = task_find(by_tid, tid_places, entry->tid);
		uint32_t cell = CELL_NONE;
		if (index != TASK_NONE && threads[index].pid == entry->pid) {
			const struct recorded_thread *thread = &threads[index];
			const struct sample_memo *memo = &memos[entry->memo];
			uint32_t slot = thread->group_serial % MEMO_THREADS;
			cell = memo->threads[slot].cell;
			if (memo->threads[slot].group != thread->group_serial ||
			    memo->address != entry->value || memo->mode != entry->mode + 1U ||
			    memo->space != space_of(profile, thread, entry->mode & 7))
				cell = known_cell(profile, thread, entry);
		}
		if (cell == CELL_NONE) {
			*stands_for = ns;
			code = 1;
			break;
		}
		cells[cell].samples++;
		cells[cell].time += ns;
		counted++;
	}
	if (newest > profile->last_ns)
		profile->last_ns = newest;
	profile->samples += counted;
	*first = entry;
	return code;
}
