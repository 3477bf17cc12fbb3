/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/changes.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/printable.h"
#include "perf_data/bytes.h"

/* Where fields stand in the records (<linux/perf_event.h>, enum perf_event_type). */
#define AT_PID	   8
#define AT_TID	   12
#define AT_COMM	   16
#define AT_PARENT  12 /* FORK, EXIT */
#define AT_THREAD  16
#define AT_PTHREAD 20
#define AT_ADDRESS 16
#define AT_LENGTH  24
#define AT_OFFSET  32
#define AT_FILE	   40 /* MMAP */
#define AT_ID_SIZE 40 /* MMAP2 with a build id */
#define AT_ID	   44
#define AT_PROT	   64
#define AT_FILE2   72

#define COMM_SIZE 64
#define PATH_SIZE 4096

static int apply_name(struct recording *recording, const uint8_t *record, size_t size,
		      uint16_t misc)
{
	char comm[COMM_SIZE];

	if (size <= AT_COMM)
		return 0;
	size_t length = strnlen((const char *)record + AT_COMM, size - AT_COMM);
	if (length >= sizeof(comm))
		length = sizeof(comm) - 1;
	memcpy(comm, record + AT_COMM, length);
	comm[length] = '\0';
	printable(comm);
	return tasks_name(&recording->profile->tasks, get32(record + AT_PID),
			  get32(record + AT_TID), comm, length,
			  misc & PERF_RECORD_MISC_COMM_EXEC);
}

static int keep_build_id(struct recording *recording, uint32_t file, const uint8_t *record)
{
	uint8_t size = record[AT_ID_SIZE];

	if (size > 20)
		return 0;
	if (array_reserve(&recording->file_ids, &recording->file_id_room, (size_t)file + 1,
			  sizeof(*recording->file_ids)))
		return -ENOMEM;
	struct recorded_file_id *to = &recording->file_ids[file];
	/* The first one stays. */
	if (to->size)
		return 0;
	to->size = size;
	memcpy(to->id, record + AT_ID, sizeof(to->id));
	return 0;
}

static int apply_mapping(struct recording *recording, const uint8_t *record, size_t size,
			 uint16_t misc, bool second)
{
	struct profile *profile = recording->profile;
	size_t at = second ? AT_FILE2 : AT_FILE;
	uint16_t cpumode = misc & PERF_RECORD_MISC_CPUMODE_MASK;
	char path[PATH_SIZE];

	if (size <= at)
		return 0;
	size_t length = strnlen((const char *)record + at, size - at);
	if (length >= sizeof(path))
		length = sizeof(path) - 1;
	memcpy(path, record + at, length);
	path[length] = '\0';
	printable(path);
	struct mapping mapping = {
		.start = get64(record + AT_ADDRESS),
		.offset = get64(record + AT_OFFSET),
	};
	uint64_t bytes = get64(record + AT_LENGTH);
	mapping.end = bytes > UINT64_MAX - mapping.start ? UINT64_MAX : mapping.start + bytes;
	if (cpumode == PERF_RECORD_MISC_KERNEL)
		return resolver_add_module(&profile->resolver, path, mapping.start,
					   mapping.end);
	if (cpumode == PERF_RECORD_MISC_GUEST_KERNEL || (misc & PERF_RECORD_MISC_MMAP_DATA) ||
	    (second && !(get32(record + AT_PROT) & PROT_EXEC)))
		return 0;
	mapping.file = names_intern(&profile->names, path, length);
	if (mapping.file == NAME_NONE)
		return -ENOMEM;
	if (second && (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) &&
	    keep_build_id(recording, mapping.file, record))
		return -ENOMEM;
	return tasks_map(&profile->tasks, get32(record + AT_PID), get32(record + AT_TID),
			 &mapping);
}

/* A BPF program or trampoline: addr, len, type, flags, name. */
static int apply_symbol(struct recording *recording, const uint8_t *record, size_t size)
{
	if (size < 24 || (get16(record + 22) & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER))
		return 0;
	uint64_t start = get64(record + 8);
	uint32_t length = get32(record + 16);
	if (get16(record + 20) != PERF_RECORD_KSYMBOL_TYPE_BPF || start > UINT64_MAX - length)
		return 0;
	return resolver_add_module(&recording->profile->resolver, "[bpf]", start,
				   start + length);
}

int change_apply(struct recording *recording, const uint8_t *record, size_t size, uint64_t time)
{
	struct tasks *tasks = &recording->profile->tasks;
	uint16_t misc = get16(record + 4);

	switch (get32(record)) {
	case PERF_RECORD_COMM: return apply_name(recording, record, size, misc);
	case PERF_RECORD_MMAP: return apply_mapping(recording, record, size, misc, false);
	case PERF_RECORD_MMAP2: return apply_mapping(recording, record, size, misc, true);
	case PERF_RECORD_KSYMBOL: return apply_symbol(recording, record, size);
	case PERF_RECORD_FORK:
		if (size < AT_PTHREAD + 4)
			return 0;
		return tasks_fork(tasks, get32(record + AT_PID), get32(record + AT_THREAD),
				  get32(record + AT_PARENT), get32(record + AT_PTHREAD),
				  !(misc & PERF_RECORD_MISC_FORK_EXEC));
	case PERF_RECORD_EXIT:
		if (size < AT_PTHREAD + 4)
			return 0;
		return tasks_exit(tasks, get32(record + AT_PID), get32(record + AT_THREAD),
				  time);
	default: return 0;
	}
}
