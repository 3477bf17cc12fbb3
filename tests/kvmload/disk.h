/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_DISK_H
#define KVMLOAD_DISK_H

#include <stdint.h>

#include "base/error.h"
#include "plan.h"
#include "state.h"

/* One read: a page of a guest's file system. */
#define DISK_READ_BYTES 4096

/* A file or block device that stands for the guest's disk. */
struct disk {
	int fd; /* -1: none */
	uint64_t blocks;
	void *buffer;
	double reads_per_second;
	uint64_t start_ns; /* of reading; 0: not yet */
	uint64_t due;	   /* reads that should be done by now */
	uint64_t random;
};

/* Opens the plan's disk past the page cache, if it has one; closed with disk_close(). */
int disk_open(struct disk *disk, const struct plan *plan, struct error *error);
void disk_close(struct disk *disk);

/*
 * Does the reads that are due, at random places, in the calling thread; the thread CPU time of
 * it goes to the account's kernel time.
 */
void disk_work(struct disk *disk, struct thread_account *account);

#endif
