/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_ADDRESS_SPACE_H
#define KVMPERF_REPORT_ADDRESS_SPACE_H

#include <stddef.h>
#include <stdint.h>

/* A mapped file: addresses from start up to end. */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file, of start */
	uint32_t file;	 /* number of the caller's */
};

/* The executable mappings of a process; shared by a child with its parent until it changes. */
struct address_space {
	uint32_t users;
	uint32_t serial;	  /* no other, and no earlier state of this one, has the same */
	struct mapping *mappings; /* rising, without overlap */
	size_t count, room;
	size_t last; /* found last */
};

/*
 * Lays a mapping over those of *space (NULL: none yet), which is replaced when others use it
 * too. serial counts all changes. -ENOMEM leaves it as it was.
 */
int address_space_add(struct address_space **space, const struct mapping *mapping,
		      uint32_t *serial);

/* The mapping of an address, or NULL; space may be NULL. Valid until the next change. */
const struct mapping *address_space_find(struct address_space *space, uint64_t address);

/* One user more; NULL is allowed. */
struct address_space *address_space_use(struct address_space *space);

/* One user less; freed with the last. NULL is allowed. */
void address_space_release(struct address_space *space);

#endif
