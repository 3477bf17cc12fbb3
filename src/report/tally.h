/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_TALLY_H
#define KVMPERF_REPORT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts of samples by group (a thread, or several that are alike), mode and label. */

#define GROUP_NONE UINT32_MAX
#define CELL_NONE  UINT32_MAX

struct tally_cell {
	uint32_t group;
	uint32_t key; /* cell_key() */
	uint64_t samples;
	double time; /* what the samples stand for: ns, or units of the event */
	uint32_t next_in_place, next_in_group;
};

struct tally_group {
	/* Of the caller's; the tally doesn't care what they mean. */
	uint32_t process;
	uint32_t thread;
	uint32_t tid;
	uint32_t comm;
	uint32_t next;
	bool kernel;
	uint32_t cells; /* list by next_in_group; CELL_NONE ends it */
};

struct tally {
	struct tally_group *groups;
	size_t group_count, group_room;
	uint32_t free_group; /* list by next */
	struct tally_cell *cells;
	size_t cell_count, cell_room;
	uint32_t free_cell; /* list by next_in_group */
	uint32_t *places;   /* hash table of cell + 1 */
	size_t place_count, used;
};

/* Labels are below this. */
#define CELL_LABELS (1U << 26)

/* mode and work: below 8; what they mean is the caller's. */
static inline uint32_t cell_key(uint32_t mode, uint32_t work, uint32_t label)
{
	return label << 6 | work << 3 | mode;
}

static inline uint32_t cell_mode(const struct tally_cell *cell)
{
	return cell->key & 7;
}

static inline uint32_t cell_work(const struct tally_cell *cell)
{
	return cell->key >> 3 & 7;
}

static inline uint32_t cell_label(const struct tally_cell *cell)
{
	return cell->key >> 6;
}

/* A new group; GROUP_NONE without memory. */
uint32_t tally_add_group(struct tally *tally, uint32_t process, uint32_t tid, uint32_t comm);

/* The cell of these keys, made if need be; CELL_NONE without memory. */
uint32_t tally_cell(struct tally *tally, uint32_t group, uint32_t key);

/* The same, but CELL_NONE if there is no such cell yet. */
uint32_t tally_find_cell(const struct tally *tally, uint32_t group, uint32_t key);

/* Moves all samples of a group to another and frees the group. -ENOMEM. */
int tally_fold(struct tally *tally, uint32_t from, uint32_t into);

void tally_clear(struct tally *tally);

#endif
