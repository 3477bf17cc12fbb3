/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "burn.h"

/* A thread that is late catches up with this many reads at most, and drops the rest. */
#define MAX_BATCH 256

int disk_open(struct disk *disk, const struct plan *plan, struct error *error)
{
	*disk = (struct disk){.fd = -1, .reads_per_second = plan->disk_reads_per_second};
	if (!plan->disk[0])
		return 0;
	disk->fd = open(plan->disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (disk->fd < 0)
		return error_set(error, -errno, "cannot open %s past the page cache: %m",
				 plan->disk);
	off_t size = lseek(disk->fd, 0, SEEK_END);
	if (size < DISK_READ_BYTES)
		return error_set(error, -EINVAL, "%s has less than %d bytes", plan->disk,
				 DISK_READ_BYTES);
	disk->blocks = (uint64_t)size / DISK_READ_BYTES;
	disk->random = random_state_new();
	disk->buffer = aligned_alloc(DISK_READ_BYTES, DISK_READ_BYTES);
	return disk->buffer ? 0 : error_set(error, -ENOMEM, "no memory to read into");
}

void disk_close(struct disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	free(disk->buffer);
	*disk = (struct disk){.fd = -1};
}

void disk_work(struct disk *disk, struct thread_account *account)
{
	uint64_t start = clock_thread_ns(), now = clock_monotonic_ns();

	if (disk->start_ns == 0)
		disk->start_ns = now;
	uint64_t due = (uint64_t)((double)(now - disk->start_ns) / (double)NS_PER_S *
				  disk->reads_per_second);
	for (uint64_t i = 0; disk->due + i < due && i < MAX_BATCH; i++) {
		off_t place = (off_t)(random_next(&disk->random) % disk->blocks);
		if (pread(disk->fd, disk->buffer, DISK_READ_BYTES, place * DISK_READ_BYTES) ==
		    DISK_READ_BYTES)
			account_add(&account->disk_reads, 1);
	}
	disk->due = due;
	account_add(&account->kernel_ns, clock_thread_ns() - start);
}
