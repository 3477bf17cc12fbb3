/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/dso.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/printable.h"

/* The maps of a process are read again at most so often. */
#define REREAD_NS (250 * NS_PER_MS)

static const char unknown[] = "[unknown]";

/* Addresses from start up to end; neighbours of one name are one. */
struct mapping {
	uint64_t start;
	uint64_t end;
	const char *name; /* interned */
};

struct process {
	pid_t pid;
	uint64_t read_at;	  /* CLOCK_MONOTONIC, ns */
	struct mapping *mappings; /* rising, as the kernel lists them */
	size_t count;
	size_t room;
};

struct dso_cache {
	char *proc_root;
	struct process *processes; /* rising by pid */
	size_t process_count, process_room;
	char **names; /* in order of strcmp */
	size_t name_count, name_room;
};

struct dso_cache *dso_cache_new(const char *proc_root)
{
	struct dso_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->proc_root = strdup(proc_root ? proc_root : "/proc");
	if (!cache->proc_root) {
		free(cache);
		return NULL;
	}
	return cache;
}

static const char *intern(struct dso_cache *cache, const char *name)
{
	size_t low = 0, high = cache->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(cache->names[middle], name);
		if (order == 0)
			return cache->names[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (array_reserve(&cache->names, &cache->name_room, cache->name_count + 1,
			  sizeof(*cache->names)))
		return NULL;
	char *copy = strdup(name);
	if (!copy)
		return NULL;
	memmove(&cache->names[low + 1], &cache->names[low],
		(cache->name_count - low) * sizeof(*cache->names));
	cache->names[low] = copy;
	cache->name_count++;
	return copy;
}

/* The name shown for the last column of a maps line (man 5 proc_pid_maps), changed in place. */
static const char *mapping_name(char *path)
{
	static const char deleted[] = " (deleted)";
	size_t length = strcspn(path, "\n");

	path[length] = '\0';
	printable(path);
	if (length >= sizeof(deleted) &&
	    strcmp(path + length + 1 - sizeof(deleted), deleted) == 0)
		path[length + 1 - sizeof(deleted)] = '\0';
	if (strcmp(path, "[vdso]") == 0 || strcmp(path, "[vsyscall]") == 0)
		return path;
	char *slash = strrchr(path, '/');
	return slash && path[0] == '/' && slash[1] ? slash + 1 : "[anon]";
}

static int add_mapping(struct dso_cache *cache, struct process *process, char *line)
{
	uint64_t start, end;
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &path) !=
		    2 ||
	    !path || end <= start || !strchr(line, '\n'))
		return -EBADMSG;
	const char *name = intern(cache, mapping_name(line + path));
	if (!name)
		return -ENOMEM;
	struct mapping *last = process->count ? &process->mappings[process->count - 1] : NULL;
	if (last && start < last->end)
		return -EBADMSG;
	if (last && last->end == start && last->name == name) {
		last->end = end;
		return 0;
	}
	if (array_reserve(&process->mappings, &process->room, process->count + 1,
			  sizeof(*process->mappings)))
		return -ENOMEM;
	process->mappings[process->count++] = (struct mapping){start, end, name};
	return 0;
}

/* Takes what can be read; of a process that has ended what was known stays. */
static void read_maps(struct dso_cache *cache, struct process *process)
{
	struct process fresh = {0};
	char path[PATH_MAX];
	char *line = NULL;
	size_t size = 0;

	process->read_at = clock_monotonic_ns();
	int length = snprintf(path, sizeof(path), "%s/%d/maps", cache->proc_root, process->pid);
	if (length < 0 || (size_t)length >= sizeof(path))
		return;
	FILE *file = fopen(path, "re");
	while (file && getline(&line, &size, file) >= 0) {
		if (add_mapping(cache, &fresh, line))
			break;
	}
	free(line);
	if (file)
		fclose(file);
	if (!fresh.count) {
		free(fresh.mappings);
		return;
	}
	free(process->mappings);
	process->mappings = fresh.mappings;
	process->count = fresh.count;
	process->room = fresh.room;
}

/* The index of the process, or of the one it would stand before. */
static size_t find_process(const struct dso_cache *cache, pid_t pid, bool *found)
{
	size_t low = 0, high = cache->process_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cache->processes[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < cache->process_count && cache->processes[low].pid == pid;
	return low;
}

static struct process *add_process(struct dso_cache *cache, size_t index, pid_t pid)
{
	if (array_reserve(&cache->processes, &cache->process_room, cache->process_count + 1,
			  sizeof(*cache->processes)))
		return NULL;
	struct process *process = &cache->processes[index];
	memmove(process + 1, process, (cache->process_count - index) * sizeof(*process));
	cache->process_count++;
	*process = (struct process){.pid = pid};
	return process;
}

static const char *find_name(const struct process *process, uint64_t address)
{
	size_t low = 0, high = process->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping *mapping = &process->mappings[middle];
		if (address < mapping->start)
			high = middle;
		else if (address >= mapping->end)
			low = middle + 1;
		else
			return mapping->name;
	}
	return NULL;
}

const char *dso_lookup(struct dso_cache *cache, pid_t pid, uint64_t address)
{
	bool found;
	size_t index = find_process(cache, pid, &found);
	struct process *process =
		found ? &cache->processes[index] : add_process(cache, index, pid);

	if (!process)
		return unknown;
	const char *name = find_name(process, address);
	if (!name && (!found || clock_monotonic_ns() - process->read_at >= REREAD_NS)) {
		read_maps(cache, process);
		name = find_name(process, address);
	}
	return name ? name : unknown;
}

void dso_forget(struct dso_cache *cache, pid_t pid)
{
	bool found;
	size_t index = find_process(cache, pid, &found);

	if (!found)
		return;
	struct process *process = &cache->processes[index];
	free(process->mappings);
	cache->process_count--;
	memmove(process, process + 1, (cache->process_count - index) * sizeof(*process));
}

void dso_cache_free(struct dso_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->process_count; i++)
		free(cache->processes[i].mappings);
	for (size_t i = 0; i < cache->name_count; i++)
		free(cache->names[i]);
	free(cache->processes);
	free(cache->names);
	free(cache->proc_root);
	free(cache);
}
