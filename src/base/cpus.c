/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cpus.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* More than any kernel's NR_CPUS. */
#define CPU_MAX 65536

static int parse_number(const char **text, long *number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return -EBADMSG;
	*number = strtol(*text, &end, 10);
	if (*number >= CPU_MAX)
		return -EBADMSG;
	*text = end;
	return 0;
}

int cpus_parse(const char *list, int **cpus, size_t *count)
{
	size_t room = 0;
	int error = 0;

	*cpus = NULL;
	*count = 0;
	do {
		long first, last;
		error = parse_number(&list, &first);
		last = first;
		if (!error && *list == '-') {
			list++;
			error = parse_number(&list, &last);
		}
		if (!error && last < first)
			error = -EBADMSG;
		for (long cpu = first; !error && cpu <= last; cpu++) {
			error = array_reserve(cpus, &room, *count + 1, sizeof(**cpus));
			if (!error)
				(*cpus)[(*count)++] = (int)cpu;
		}
	} while (!error && *list++ == ',');
	list--;
	if (!error && *list != '\0' && strcmp(list, "\n") != 0)
		error = -EBADMSG;
	if (error) {
		free(*cpus);
		*cpus = NULL;
		*count = 0;
	}
	return error;
}

static const char online_path[] = "/sys/devices/system/cpu/online";

int cpus_online_list(char list[CPUS_LIST_SIZE], struct error *error)
{
	FILE *file = fopen(online_path, "re");

	if (!file)
		return error_set(error, -errno, "cannot open %s: %m", online_path);
	bool read = fgets(list, CPUS_LIST_SIZE, file);
	fclose(file);
	if (!read)
		return error_set(error, -EBADMSG, "%s is empty", online_path);
	list[strcspn(list, "\n")] = '\0';
	return 0;
}

int cpus_online(int **cpus, size_t *count, struct error *error)
{
	char list[CPUS_LIST_SIZE];
	int code = cpus_online_list(list, error);

	if (code)
		return code;
	code = cpus_parse(list, cpus, count);
	if (code)
		return error_set(error, code, "%s holds no list of CPUs", online_path);
	return 0;
}
