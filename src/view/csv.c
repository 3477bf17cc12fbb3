/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void separate(struct csv *csv)
{
	if (csv->inside)
		putc(',', csv->out);
	csv->inside = true;
}

void csv_text(struct csv *csv, const char *text)
{
	separate(csv);
	if (!text)
		return;
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, csv->out);
		return;
	}
	putc('"', csv->out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', csv->out);
		putc(*text, csv->out);
	}
	putc('"', csv->out);
}

void csv_integer(struct csv *csv, uint64_t number)
{
	separate(csv);
	fprintf(csv->out, "%" PRIu64, number);
}

void csv_seconds(struct csv *csv, double seconds)
{
	separate(csv);
	if (!isnan(seconds))
		fprintf(csv->out, "%.9f", seconds);
}

void csv_end(struct csv *csv)
{
	putc('\n', csv->out);
	csv->inside = false;
}
