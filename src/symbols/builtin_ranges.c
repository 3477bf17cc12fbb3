/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/builtin_ranges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static int add_anchor(struct builtin_ranges *out, const char *section, const char *symbol,
		      uint64_t offset)
{
	if (strlen(symbol) >= sizeof(out->anchors->symbol))
		return -EBADMSG;
	if (array_reserve(&out->anchors, &out->anchor_room, out->anchor_count + 1,
			  sizeof(*out->anchors)))
		return -ENOMEM;
	struct builtin_anchor *anchor = &out->anchors[out->anchor_count++];
	strcpy(anchor->section, section);
	strcpy(anchor->symbol, symbol);
	anchor->offset = offset;
	return 0;
}

static int add_range(struct builtin_ranges *out, const char *section, const char *module,
		     uint64_t start, uint64_t end)
{
	size_t anchor = out->anchor_count;

	while (anchor && strcmp(out->anchors[anchor - 1].section, section) != 0)
		anchor--;
	if (!anchor || end < start || strlen(module) >= sizeof(out->ranges->module))
		return -EBADMSG;
	if (array_reserve(&out->ranges, &out->range_room, out->range_count + 1,
			  sizeof(*out->ranges)))
		return -ENOMEM;
	struct builtin_range *range = &out->ranges[out->range_count++];
	range->start = start;
	range->end = end;
	range->anchor = anchor - 1;
	strcpy(range->module, module);
	return 0;
}

static int parse_line(struct builtin_ranges *out, const char *line)
{
	char section[64], first[128], symbol[128];
	uint64_t start, end;
	int fields = sscanf(line, "%63s %" SCNx64 "-%" SCNx64 " %127s %127s", section, &start,
			    &end, first, symbol);

	if (fields < 4 || !strchr(line, '\n'))
		return -EBADMSG;
	if (!strstr(section, "text"))
		return 0;
	if (strcmp(first, "=") != 0)
		return add_range(out, section, first, start, end);
	return fields == 5 ? add_anchor(out, section, symbol, start) : -EBADMSG;
}

static int read_file(struct builtin_ranges *out, FILE *file, const char *path,
		     struct error *error)
{
	char *line = NULL;
	size_t size = 0, number = 0;
	int code = 0;

	while (!code && getline(&line, &size, file) >= 0) {
		number++;
		code = parse_line(out, line);
	}
	if (code == -EBADMSG)
		error_set(error, code, "%s: line %zu is not a range of a built-in module", path,
			  number);
	else if (code)
		error_set(error, code, "no memory for %s", path);
	else if (!feof(file))
		code = error_set(error, -EIO, "cannot read %s", path);
	free(line);
	return code;
}

int builtin_ranges_read(struct builtin_ranges *out, const char *path, bool optional,
			struct error *error)
{
	FILE *file = fopen(path, "re");

	*out = (struct builtin_ranges){0};
	if (!file && errno == ENOENT && optional)
		return 0;
	if (!file)
		return error_set(error, -errno, "cannot open %s: %m", path);
	int code = read_file(out, file, path, error);
	fclose(file);
	if (code)
		builtin_ranges_clear(out);
	return code;
}

void builtin_ranges_clear(struct builtin_ranges *ranges)
{
	free(ranges->anchors);
	free(ranges->ranges);
	*ranges = (struct builtin_ranges){0};
}
