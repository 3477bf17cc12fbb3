/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/mapped_files.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The index of the file with that name, or of the one it would stand before. */
static size_t place_of(const struct mapped_files *files, const char *name, bool *found)
{
	size_t low = 0, high = files->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(files->files[middle].name, name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes room for a file at that place. */
static struct mapped_file *insert(struct mapped_files *files, size_t place, const char *name)
{
	if (array_reserve(&files->files, &files->room, files->count + 1, sizeof(*files->files)))
		return NULL;
	char *copy = strdup(name);
	if (!copy)
		return NULL;
	struct mapped_file *file = &files->files[place];
	memmove(file + 1, file, (files->count++ - place) * sizeof(*file));
	*file = (struct mapped_file){.name = copy};
	return file;
}

int mapped_files_add(struct mapped_files *files, pid_t pid, const char *name)
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(name);
	char path[PATH_MAX + 32];
	bool found;

	if (name[0] != '/' || name[1] == '/')
		return 0;
	if (length >= sizeof(deleted) &&
	    strcmp(name + length + 1 - sizeof(deleted), deleted) == 0)
		return 0;
	size_t place = place_of(files, name, &found);
	if (found)
		return 0;
	struct mapped_file *file = insert(files, place, name);
	if (!file)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, name);
	build_id_of_file(path, &file->build_id);
	if (file->build_id.size == 0)
		build_id_of_file(name, &file->build_id);
	return 0;
}

int mapped_files_add_kernel(struct mapped_files *files, const char *name,
			    const struct build_id *build_id)
{
	bool found;
	size_t place = place_of(files, name, &found);
	struct mapped_file *file = found ? &files->files[place] : insert(files, place, name);

	if (!file)
		return -ENOMEM;
	file->kernel = true;
	file->build_id = *build_id;
	return 0;
}

void mapped_files_put(const struct mapped_files *files, struct section_bytes *bytes)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct mapped_file *file = &files->files[i];
		if (file->build_id.size > 0)
			section_put_build_id(
				bytes, -1,
				file->kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER,
				file->build_id.bytes, file->build_id.size, file->name);
	}
}

void mapped_files_clear(struct mapped_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->files[i].name);
	free(files->files);
	*files = (struct mapped_files){0};
}
