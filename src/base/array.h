/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_ARRAY_H
#define KVMPERF_BASE_ARRAY_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Makes room for need items of size bytes in the array at *items that has room for *room;
 * grows at least by half. -ENOMEM leaves both as they were. New items are zero.
 */
int array_reserve(void *items_pointer, size_t *room, size_t need, size_t size);

/*
 * The index of the first of count items, each of size bytes with a pid at offset and in rising
 * order of it, that isn't below pid.
 */
size_t array_place(const void *items, size_t count, size_t size, size_t offset, pid_t pid);

#define ARRAY_PLACE(array, count, member, pid)                                                 \
	array_place((array), (count), sizeof(*(array)),                                        \
		    offsetof(__typeof__(*(array)), member), (pid))

#endif
