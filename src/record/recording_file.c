/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/existing_tasks.h"
#include "record/host_facts.h"
#include "record/kernel_mappings.h"

/* Not a privilege that kvmperf needs, whatever the errno is. */
static int cannot_write(const char *path, struct error *error)
{
	return error_set(error, -EIO, "cannot write %s: %m", path);
}

static int open_file(struct recording_file *file, bool replace, struct error *error)
{
	char old[PATH_MAX];
	struct stat status;

	if (strcmp(file->path, "-") == 0) {
		file->fd = dup(STDOUT_FILENO);
		return file->fd < 0 ? cannot_write("standard output", error) : 0;
	}
	if (!replace && stat(file->path, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size > 0 &&
	    snprintf(old, sizeof(old), "%s.old", file->path) < (int)sizeof(old) &&
	    rename(file->path, old) < 0)
		return cannot_write(old, error);
	/* It tells what all processes of the host did. */
	file->fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return file->fd < 0 ? cannot_write(file->path, error) : 0;
}

static int begin_writer(struct recording_file *file, const struct perf_events *events,
			struct error *error)
{
	size_t cpus = perf_events_cpus(events);
	uint64_t *ids = calloc(cpus, sizeof(*ids));
	bool is_stdout = strcmp(file->path, "-") == 0;

	if (!ids)
		return error_set(error, -ENOMEM, "no memory for %zu CPUs", cpus);
	for (size_t i = 0; i < cpus; i++)
		ids[i] = perf_events_id(events, i);
	struct perf_data_target target = {
		.fd = file->fd,
		.name = is_stdout ? "standard output" : file->path,
		.pipe = is_stdout,
	};
	int code = perf_data_writer_new(&file->writer, &target, perf_events_attr(events), ids,
					cpus, perf_events_name(events), error);
	free(ids);
	return code;
}

int recording_file_begin(struct recording_file *file, const char *path, bool replace,
			 const struct perf_events *events, void (*between)(void *context),
			 void *context, struct error *error)
{
	*file = (struct recording_file){.path = path, .fd = -1};
	int code = open_file(file, replace, error);

	if (!code)
		code = begin_writer(file, events, error);
	if (!code)
		code = kernel_mappings_record(file->writer, &file->mapped, error);
	/* From here on the file is one that perf reads. */
	if (!code)
		code = perf_data_writer_flush(file->writer, error);
	if (!code)
		code = existing_tasks_record(file->writer, &file->mapped, between, context,
					     error);
	if (!code)
		code = perf_data_writer_flush(file->writer, error);
	if (file->writer)
		file->first_size = perf_data_writer_size(file->writer);
	return code;
}

/* The sections of a file, in the order of their bits. */
struct features {
	struct section_bytes bytes[32];
	struct perf_data_feature_section sections[33];
	size_t count;
};

static void put_event(struct section_bytes *bytes, const struct perf_events *events)
{
	size_t cpus = perf_events_cpus(events);
	const struct perf_event_attr *attr = perf_events_attr(events);

	section_put_u32(bytes, 1); /* events */
	section_put_u32(bytes, sizeof(*attr));
	section_put(bytes, attr, sizeof(*attr));
	section_put_u32(bytes, (uint32_t)cpus);
	section_put_string(bytes, perf_events_name(events));
	for (size_t i = 0; i < cpus; i++)
		section_put_u64(bytes, perf_events_id(events, i));
}

static void put_command_line(struct section_bytes *bytes, char *const *words)
{
	uint32_t count = 0;

	while (words[count])
		count++;
	section_put_u32(bytes, count);
	for (uint32_t i = 0; i < count; i++)
		section_put_string(bytes, words[i]);
}

static void put_clock(struct section_bytes *bytes)
{
	struct perf_data_clock clock = {
		.version = 1,
		.clockid = CLOCK_MONOTONIC,
		.wall_ns = (uint64_t)(clock_wall_s() * (double)NS_PER_S),
		.clockid_ns = clock_monotonic_ns(),
	};

	section_put(bytes, &clock, sizeof(clock));
}

static void put_features(struct features *features, const struct recording_file *file,
			 const struct perf_events *events, char *const *command_line)
{
	struct section_bytes *bytes = features->bytes;

	mapped_files_put(&file->mapped, &bytes[PERF_FEATURE_BUILD_ID]);
	host_facts_put_uname(&bytes[PERF_FEATURE_HOSTNAME], &bytes[PERF_FEATURE_OSRELEASE],
			     &bytes[PERF_FEATURE_ARCH]);
	section_put_string(&bytes[PERF_FEATURE_VERSION], "kvmperf " KVMPERF_VERSION);
	host_facts_put_cpus(&bytes[PERF_FEATURE_NRCPUS]);
	host_facts_put_cpu_description(&bytes[PERF_FEATURE_CPUDESC]);
	host_facts_put_cpuid(&bytes[PERF_FEATURE_CPUID]);
	host_facts_put_memory(&bytes[PERF_FEATURE_TOTAL_MEM]);
	put_command_line(&bytes[PERF_FEATURE_CMDLINE], command_line);
	put_event(&bytes[PERF_FEATURE_EVENT_DESC], events);
	section_put_u64(&bytes[PERF_FEATURE_SAMPLE_TIME], file->tally.first_time);
	section_put_u64(&bytes[PERF_FEATURE_SAMPLE_TIME], file->tally.last_time);
	section_put_u64(&bytes[PERF_FEATURE_CLOCKID], 1);
	put_clock(&bytes[PERF_FEATURE_CLOCK_DATA]);
}

static int finish_writer(struct recording_file *file, const struct perf_events *events,
			 char *const *command_line, const char *section, size_t section_size,
			 struct error *error)
{
	struct features *features = calloc(1, sizeof(*features));
	bool failed = !features;

	if (features)
		put_features(features, file, events, command_line);
	for (unsigned bit = 0; features && bit < 32; bit++) {
		const struct section_bytes *bytes = &features->bytes[bit];
		failed = failed || bytes->failed;
		if (bytes->size > 0)
			features->sections[features->count++] =
				(struct perf_data_feature_section){bit, bytes->data,
								   bytes->size};
	}
	if (features && section)
		features->sections[features->count++] = (struct perf_data_feature_section){
			PERF_FEATURE_KVMPERF, section, section_size};
	int code = perf_data_writer_finish(file->writer, features ? features->sections : NULL,
					   failed ? 0 : features->count, error);
	if (!code && failed)
		code = error_set(error, -ENOMEM, "no memory for the features of %s",
				 file->path);
	for (unsigned bit = 0; features && bit < 32; bit++)
		section_bytes_clear(&features->bytes[bit]);
	free(features);
	return code;
}

int recording_file_end(struct recording_file *file, const struct perf_events *events,
		       char *const *command_line, const char *section, size_t section_size,
		       struct error *error)
{
	int code = file->writer ? finish_writer(file, events, command_line, section,
						section_size, error)
				: 0;

	perf_data_writer_free(file->writer);
	mapped_files_clear(&file->mapped);
	if (file->fd >= 0 && close(file->fd) < 0 && !code)
		code = cannot_write(file->path, error);
	file->writer = NULL;
	file->fd = -1;
	return code;
}
