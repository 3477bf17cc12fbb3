/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/samples_file.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "discover/vmm_options.h"
#include "perf_data/sample.h"
#include "report/samples_fields.h"
#include "report/time_window.h"
#include "report/vmm_names.h"

/* A longer line is no sample. */
#define LINE_MAX_BYTES 65536

static int wrong_line(const struct samples_file *file, struct error *error, const char *what,
		      const char *text)
{
	return error_set(error, -EBADMSG, "%s: line %zu: %s%s%.60s%s", file->path, file->line,
			 what, text ? " '" : "", text ? text : "", text ? "'" : "");
}

/* What names say of a process, since no record does. */
static int name_thread(struct profile *profile, const struct neutral_sample *sample,
		       uint32_t thread)
{
	struct tasks *tasks = &profile->tasks;
	struct recorded_process *process = &tasks->processes[tasks->threads[thread].process];

	if (!sample->comm[0])
		return 0;
	bool works_for_all = strncmp(sample->comm, "ksoftirqd/", 10) == 0 ||
			     strncmp(sample->comm, "napi/", 5) == 0;
	process->kernel_thread |= sample->has_kernel_thread
					  ? sample->kernel_thread
					  : works_for_all || vmm_is_served_by(sample->comm);
	if (vmm_of_executable(sample->comm) && sample->pid == sample->tid) {
		process->vmm_program = true;
		process->program =
			names_intern(&profile->names, sample->comm, strlen(sample->comm));
	}
	const char *known = profile->names.texts[tasks->threads[thread].comm];
	if (strcmp(known, sample->comm) == 0)
		return 0;
	return tasks_name(tasks, (uint32_t)sample->pid, (uint32_t)sample->tid, sample->comm,
			  strlen(sample->comm), false);
}

static int add_sample(struct samples_file *file, struct neutral_sample *sample)
{
	struct profile *profile = file->profile;

	if (sample->idle)
		sample->pid = sample->tid = 0;
	else if (!sample->has_tid)
		sample->tid = sample->pid;
	uint32_t thread =
		tasks_thread(&profile->tasks, (uint32_t)sample->pid, (uint32_t)sample->tid);
	if (thread == TASK_NONE || (sample->pid && name_thread(profile, sample, thread)))
		return -ENOMEM;
	double ns = 0;
	if (file->unit == WEIGHT_NS)
		ns = sample->weight;
	else if (file->frequency_hz > 0)
		ns = sample->weight * 1e9 / file->frequency_hz;
	struct profile_sample out = {
		.time = sample->has_time ? sample->time_ns : SAMPLE_NO_TIME,
		.address = sample->address,
		.weight = (uint64_t)(ns > 0 ? ns + 0.5 : sample->weight),
		.count = file->unit == WEIGHT_NS ? 1 : (uint64_t)(sample->weight + 0.5),
		.pid = (uint32_t)sample->pid,
		.tid = (uint32_t)sample->tid,
		.cpu = (uint16_t)sample->cpu,
		.mode = sample->mode,
		.place = PLACE_NONE,
	};
	if (sample->module[0] || !sample->has_address) {
		const char *module = sample->module[0]		     ? sample->module
				     : sample->mode >= SAMPLE_KERNEL ? "core"
				     : sample->mode == SAMPLE_USER   ? "[unknown]"
								     : "[guest]";
		uint32_t name = names_intern(&profile->names, module, strlen(module));
		if (name == NAME_NONE)
			return -ENOMEM;
		out.place = places_intern(&profile->places, PLACE_NONE, name, NAME_NONE);
		if (out.place == PLACE_NONE)
			return -ENOMEM;
	}
	return profile_add(profile, &out);
}

static int finish_sample(struct samples_file *file, struct neutral_sample *sample,
			 struct error *error)
{
	if (!sample->has_mode)
		return wrong_line(file, error, "no mode", NULL);
	if (!sample->has_pid && !sample->idle)
		return wrong_line(file, error, "no pid", NULL);
	return add_sample(file, sample) ? error_set(error, -ENOMEM, "no memory for the samples")
					: 0;
}

/* "# cpus=2 duration_s=3": what the file tells of itself; words without '=' are comment. */
static int take_meta_line(struct samples_file *file, char *text, struct error *error)
{
	char *rest = text;

	for (char *word; (word = strsep(&rest, " \t"));) {
		char *equals = strchr(word, '=');
		if (!equals)
			continue;
		*equals = '\0';
		if (samples_meta_set(file, word, equals + 1) < 0)
			return wrong_line(file, error, word, equals + 1);
	}
	return 0;
}

/* Takes the next field of a CSV line, with quotes as of RFC 4180, ended with 0 in place. */
static char *next_csv_field(char **rest)
{
	char *start = *rest, *from = start, *to = start;

	if (!start)
		return NULL;
	if (*start != '"') {
		start = strsep(rest, ",");
		return start;
	}
	for (from++; *from; from++) {
		if (*from == '"' && from[1] != '"')
			break;
		if (*from == '"')
			from++;
		*to++ = *from;
	}
	char *end = *from ? from + 1 : from;
	bool more = *end == ',';
	*to = '\0';
	*rest = more ? end + 1 : NULL;
	return *end == '\0' || more ? start : NULL;
}

static int take_csv_header(struct samples_file *file, char *text, struct error *error)
{
	char *rest = text;

	for (char *name; (name = next_csv_field(&rest));) {
		enum samples_field field = samples_field_find(name);
		if (field == FIELD_COUNT)
			return wrong_line(file, error, "no field has the name", name);
		if (file->column_count >= sizeof(file->columns) / sizeof(*file->columns))
			return wrong_line(file, error, "too many columns", NULL);
		file->columns[file->column_count++] = field;
	}
	return 0;
}

static int take_csv_line(struct samples_file *file, char *text, struct error *error)
{
	struct neutral_sample sample = {.weight = 1};
	char *rest = text, *field;
	size_t column = 0;

	while ((field = next_csv_field(&rest))) {
		if (column >= file->column_count)
			return wrong_line(file, error, "more fields than columns", NULL);
		enum samples_field which = (enum samples_field)file->columns[column++];
		if (!samples_field_set(&sample, which, field))
			return wrong_line(file, error, samples_field_name(which), field);
	}
	if (column < file->column_count)
		return wrong_line(file, error, "fewer fields than columns", NULL);
	return finish_sample(file, &sample, error);
}

/* A value as it would stand in CSV. */
static const char *text_of(const json_t *value, char *room, size_t size)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(room, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(room, size, "%.17g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(room, size, "%d", json_is_true(value));
	else
		room[0] = '\0';
	return room;
}

static int take_json_field(struct samples_file *file, struct neutral_sample *sample,
			   const char *key, const json_t *value, struct error *error)
{
	enum samples_field field = samples_field_find(key);
	char room[64];

	/* Fields that are not known are for others. */
	if (field == FIELD_COUNT)
		return 0;
	if (field == FIELD_ADDRESS && json_is_integer(value)) {
		sample->has_address = true;
		sample->address = (uint64_t)json_integer_value(value);
		return 0;
	}
	const char *text = text_of(value, room, sizeof(room));
	if (samples_field_set(sample, field, text))
		return 0;
	return wrong_line(file, error, key, text);
}

static int take_json_line(struct samples_file *file, const char *text, size_t length,
			  struct error *error)
{
	struct neutral_sample sample = {.weight = 1};
	json_error_t reason;
	json_t *root = json_loadb(text, length, 0, &reason), *value;
	const char *key;
	char room[64];
	int code = 0;

	if (!json_is_object(root)) {
		json_decref(root);
		return wrong_line(file, error, "no JSON object", root ? NULL : reason.text);
	}
	const char *schema = json_string_value(json_object_get(root, "schema"));
	if (schema && strncmp(schema, "kvmperf.samples/1", 17) != 0)
		code = wrong_line(file, error, "a schema that is not known:", schema);
	json_object_foreach(root, key, value)
	{
		if (code)
			break;
		if (!schema)
			code = take_json_field(file, &sample, key, value, error);
		else if (samples_meta_set(file, key, text_of(value, room, sizeof(room))) < 0)
			code = wrong_line(file, error, key, text_of(value, room, sizeof(room)));
	}
	json_decref(root);
	if (code || schema)
		return code;
	return finish_sample(file, &sample, error);
}

static int take_line(struct samples_file *file, char *text, size_t length, struct error *error)
{
	while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	if (strlen(text) != length)
		return wrong_line(file, error, "a byte 0", NULL);
	if (length == 0)
		return 0;
	if (length > LINE_MAX_BYTES)
		return wrong_line(file, error, "too long", NULL);
	if (text[0] == '#')
		return take_meta_line(file, text + 1, error);
	if (text[0] == '{')
		return take_json_line(file, text, length, error);
	return file->column_count ? take_csv_line(file, text, error)
				  : take_csv_header(file, text, error);
}

/* How the time is told is fixed with the first sample. */
static void set_anchor(const struct samples_file *file)
{
	file->profile->anchor = file->unit == WEIGHT_NS || file->frequency_hz > 0
					? ANCHOR_WEIGHTS
					: ANCHOR_SHARES;
}

int samples_file_read_stream(struct samples_file *file, struct profile *profile, FILE *stream,
			     const char *name, struct error *error)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t length;
	int code = 0;

	file->profile = profile;
	file->path = name;
	file->start = NAN;
	/* Until all is known that the file tells of itself, the weights are kept as they are.
	 */
	profile->anchor = ANCHOR_SHARES;
	while (!code && (length = getline(&text, &room, stream)) >= 0) {
		file->line++;
		code = take_line(file, text, (size_t)length, error);
	}
	set_anchor(file);
	free(text);
	if (!code && ferror(stream))
		code = error_set(error, -EIO, "cannot read %s", name);
	return code;
}

int samples_file_read(struct samples_file *file, struct profile *profile, const char *path,
		      const char *time, struct error *error)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *stream;
	int code = 0;

	if (time)
		code = time_window_parse(time, 0, 0, &profile->start_ns, &profile->stop_ns,
					 error);
	if (code)
		return code;
	stream = standard ? stdin : fopen(path, "re");
	if (!stream)
		return error_set(error, -errno, "cannot open %s: %m", path);
	code = samples_file_read_stream(file, profile, stream,
					standard ? "standard input" : path, error);
	if (!standard)
		fclose(stream);
	return code;
}

int samples_file_describe(const struct samples_file *file, const struct profile *profile,
			  struct report_input *input, struct error *error)
{
	double ns, period_ns = file->frequency_hz > 0 ? 1e9 / file->frequency_hz : 0;
	bool window = profile->start_ns > 0 || profile->stop_ns < UINT64_MAX;

	input->collector = "samples";
	input->event = file->event[0] ? file->event : "samples";
	input->frequency_hz = (unsigned)lround(file->frequency_hz);
	input->cpus = file->cpus ? file->cpus : profile->cpus_seen ? profile->cpus_seen : 1;
	input->start = NAN;
	if (file->duration_s > 0 && !window)
		ns = file->duration_s * 1e9;
	else if (profile->first_ns != UINT64_MAX)
		ns = (double)(profile->last_ns - profile->first_ns) + period_ns;
	else
		ns = period_ns * (double)profile->samples / (double)input->cpus;
	if (profile->first_ns != UINT64_MAX && !isnan(file->start))
		input->start = file->start + (double)profile->first_ns / 1e9;
	else if (!isnan(file->start))
		input->start = file->start;
	return report_set_duration(input, ns, error);
}
