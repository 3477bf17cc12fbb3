/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/time_window.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* "12.345678901": seconds and a fraction of at most nine digits, without rounding. */
static bool parse_seconds(const char **at, uint64_t *ns)
{
	uint64_t seconds = 0, fraction = 0, unit = NS_PER_S;
	const char *start = *at;

	while (**at >= '0' && **at <= '9') {
		if (seconds > UINT64_MAX / NS_PER_S / 10 - 1)
			return false;
		seconds = seconds * 10 + (uint64_t)(*(*at)++ - '0');
	}
	if (*at == start)
		return false;
	if (**at == '.')
		for (++*at; **at >= '0' && **at <= '9'; ++*at) {
			unit /= 10;
			fraction += (uint64_t)(**at - '0') * unit;
		}
	*ns = seconds * NS_PER_S + fraction;
	return true;
}

static bool parse_percent(const char *text, double *from, double *to)
{
	char *end;

	*from = strtod(text, &end);
	if (end == text || *end != '%' || end[1] != '-')
		return false;
	const char *second = end + 2;
	*to = strtod(second, &end);
	return end != second && strcmp(end, "%") == 0 && *from >= 0 && *to <= 100 &&
	       *from < *to;
}

int time_window_parse(const char *text, uint64_t first_ns, uint64_t last_ns, uint64_t *start,
		      uint64_t *stop, struct error *error)
{
	const char *at = text;
	double from, to;

	*start = 0;
	*stop = UINT64_MAX;
	if (parse_percent(text, &from, &to)) {
		if (last_ns <= first_ns)
			return error_set(error, -ENODATA,
					 "the recording doesn't tell its first and last time: "
					 "give --time in seconds");
		double length = (double)(last_ns - first_ns);
		*start = first_ns + (uint64_t)(length * from / 100);
		*stop = to < 100 ? first_ns + (uint64_t)(length * to / 100) : last_ns + 1;
		return 0;
	}
	if (*at != ',' && !parse_seconds(&at, start))
		goto wrong;
	if (*at++ != ',')
		goto wrong;
	if (*at && !parse_seconds(&at, stop))
		goto wrong;
	if (*at || strcmp(text, ",") == 0)
		goto wrong;
	if (*stop <= *start)
		return error_set(error, -EINVAL, "--time %s ends before it begins", text);
	return 0;
wrong:
	return error_set(error, -EINVAL,
			 "--time takes START,STOP in seconds, or 10%%-20%%; not '%s'", text);
}
