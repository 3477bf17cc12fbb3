/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_CSV_H
#define KVMPERF_VIEW_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Comma-separated values as in RFC 4180, with lines ended by a newline alone, as Unix tools
 * want them. Errors of the stream are left to the caller (ferror).
 */
struct csv {
	FILE *out;
	bool inside; /* a field of this line was written */
};

/* A field of text, in quotes where it has to be; NULL is an empty (unknown) field. */
void csv_text(struct csv *csv, const char *text);

void csv_integer(struct csv *csv, uint64_t number);

/* Seconds with nine digits behind the point; not a number (NAN) is an empty field. */
void csv_seconds(struct csv *csv, double seconds);

/* Ends the line. */
void csv_end(struct csv *csv);

#endif
