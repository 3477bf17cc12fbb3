/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_NAMES_H
#define KVMPERF_REPORT_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Numbers for strings: the same string always has the same, from 0 on without gaps. */
struct names {
	char **texts;
	size_t count, room;
	uint32_t *places; /* a hash table of number + 1; 0 is free */
	size_t place_count;
};

#define NAME_NONE UINT32_MAX

/* The number of a string of the given length, which is copied; NAME_NONE without memory. */
uint32_t names_intern(struct names *names, const char *text, size_t length);

/* The same, but NAME_NONE if it has no number yet. */
uint32_t names_find(const struct names *names, const char *text, size_t length);

void names_clear(struct names *names);

#endif
