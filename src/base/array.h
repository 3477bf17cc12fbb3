/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_ARRAY_H
#define KVMPERF_BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room for need items of size bytes in the array at *items that has room for *room;
 * grows at least by half. -ENOMEM leaves both as they were. New items are zero.
 */
int array_reserve(void *items_pointer, size_t *room, size_t need, size_t size);

#endif
