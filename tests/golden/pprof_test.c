/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile for pprof, read back, has the stacks and samples of the folded ones, of every
 * recording: with and without symbols, of one VM, corrected, and with names of any bytes.
 */
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "pprof.pb-c.h"

#include "base/printable.h"
#include "report/recording_times.h"
#include "report/report.h"
#include "view/folded.h"
#include "view/pprof.h"

/* They are described in tests/golden/perf_data/README.md. */
#define RECORDINGS "tests/golden/perf_data/"

#define OUTER_MAPPING 1

struct reading {
	struct profile profile;
	struct recording recording;
	struct recording_times times;
	struct report report;
	struct report_input input;
};

/* A file of the recordings, unpacked; the path is valid until fd is closed. */
static int unpack(const char *packed, char path[32])
{
	char command[256], bytes[65536];
	int fd = memfd_create("unpacked", MFD_CLOEXEC);
	size_t size;

	snprintf(command, sizeof(command), "xz -dc '%s'", packed);
	FILE *pipe = popen(command, "r");
	assert_true(fd >= 0);
	assert_non_null(pipe);
	while ((size = fread(bytes, 1, sizeof(bytes), pipe)))
		assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(pclose(pipe), 0);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void read_recording(struct reading *reading, const char *packed, bool symbols,
			   const char *const *vms)
{
	char data[32], kallsyms[32];
	int data_fd = unpack(packed, data);
	int kallsyms_fd = unpack(RECORDINGS "kallsyms.xz", kallsyms);
	struct error error = {0};

	*reading = (struct reading){
		.recording = {.profile = &reading->profile, .keeps_stacks = true},
		.input = {.profile = &reading->profile, .vms = vms, .vm_count = vms ? 1 : 0},
	};
	struct profile *profile = &reading->profile;
	assert_int_equal(resolver_init(&profile->resolver, &profile->names, &profile->places),
			 0);
	assert_int_equal(profile_init(profile), 0);
	profile->resolver.detail = PLACE_BY_STACK;
	if (symbols)
		assert_int_equal(resolver_use_kallsyms(&profile->resolver, kallsyms,
						       RECORDINGS "modules", &error),
				 0);
	assert_int_equal(recording_open(&reading->recording, data, &error), 0);
	assert_int_equal(
		recording_times_open(&reading->times, &reading->recording, NULL, &error), 0);
	assert_int_equal(recording_read(&reading->recording, &error), 0);
	assert_int_equal(recording_times_describe(&reading->times, &reading->input, &error), 0);
	assert_int_equal(report_find_vms(&reading->report, &reading->input), 0);
	assert_int_equal(report_build(&reading->report, &reading->input), 0);
	close(data_fd);
	close(kallsyms_fd);
}

static void clear(struct reading *reading)
{
	report_clear(&reading->report);
	recording_times_clear(&reading->times);
	recording_close(&reading->recording);
	profile_clear(&reading->profile);
}

static char *fold(struct reading *reading)
{
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(folded_write(stream, &reading->report, &reading->input), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static Pprof__Profile *read_profile(struct reading *reading)
{
	static uint8_t plain[1 << 24];
	char *packed;
	size_t size;
	FILE *stream = open_memstream(&packed, &size);
	z_stream zip = {.next_out = plain, .avail_out = sizeof(plain)};

	assert_non_null(stream);
	assert_int_equal(pprof_write(stream, &reading->report, &reading->input), 0);
	assert_int_equal(fclose(stream), 0);
	zip.next_in = (uint8_t *)packed;
	zip.avail_in = (uInt)size;
	/* 16: nothing but gzip. */
	assert_int_equal(inflateInit2(&zip, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&zip, Z_FINISH), Z_STREAM_END);
	assert_int_equal(zip.avail_in, 0);
	inflateEnd(&zip);
	free(packed);
	Pprof__Profile *profile = pprof__profile__unpack(NULL, zip.total_out, plain);
	assert_non_null(profile);
	return profile;
}

static const char *text_of(const Pprof__Profile *profile, int64_t number)
{
	assert_in_range(number, 0, profile->n_string_table - 1);
	return profile->string_table[number];
}

/* All that refers to something refers to what is there. */
static void check_tables(const Pprof__Profile *profile)
{
	assert_int_equal(profile->n_sample_type, 1);
	assert_string_equal(text_of(profile, profile->sample_type[0]->type), "samples");
	assert_string_equal(text_of(profile, profile->sample_type[0]->unit), "count");
	assert_string_equal(profile->string_table[0], "");
	for (size_t i = 0; i < profile->n_mapping; i++) {
		assert_int_equal(profile->mapping[i]->id, i + 1);
		assert_true(profile->mapping[i]->has_functions);
		text_of(profile, profile->mapping[i]->filename);
	}
	assert_int_equal(profile->n_location, profile->n_function);
	for (size_t i = 0; i < profile->n_location; i++) {
		assert_int_equal(profile->location[i]->id, i + 1);
		assert_int_equal(profile->function[i]->id, i + 1);
		assert_in_range(profile->location[i]->mapping_id, 1, profile->n_mapping);
		assert_int_equal(profile->location[i]->n_line, 1);
		assert_int_equal(profile->location[i]->line[0]->function_id, i + 1);
		text_of(profile, profile->function[i]->name);
	}
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void check_strings_differ(Pprof__Profile *profile)
{
	qsort(profile->string_table, profile->n_string_table, sizeof(char *), compare_texts);
	for (size_t i = 1; i < profile->n_string_table; i++)
		assert_string_not_equal(profile->string_table[i - 1], profile->string_table[i]);
}

static const char *label_of(const Pprof__Profile *profile, const Pprof__Sample *sample,
			    const char *key)
{
	const char *found = NULL;

	for (size_t i = 0; i < sample->n_label; i++)
		if (strcmp(text_of(profile, sample->label[i]->key), key) == 0) {
			assert_null(found);
			found = text_of(profile, sample->label[i]->str);
		}
	return found;
}

/* Adds a name to a folded line, as folded_write() does. */
static void add_name(char *line, const char *name)
{
	size_t length = strlen(line);

	assert_true(length + strlen(name) + 2 < 65536);
	if (length)
		line[length++] = ';';
	for (; *name; name++)
		line[length++] = *name == ';' ? ':' : *name;
	line[length] = '\0';
}

/* The folded line of a sample. */
static void fold_sample(const Pprof__Profile *profile, const Pprof__Sample *sample, char *line)
{
	const char *outer[3] = {0};
	size_t count = 0;
	bool inner = false;

	*line = '\0';
	for (size_t i = sample->n_location_id; i > 0; i--) {
		uint64_t id = sample->location_id[i - 1];
		assert_in_range(id, 1, profile->n_location);
		const Pprof__Location *location = profile->location[id - 1];
		if (location->mapping_id != OUTER_MAPPING && !inner) {
			/* Folded lines show the module of the innermost. */
			uint64_t leaf =
				profile->location[sample->location_id[0] - 1]->mapping_id;
			add_name(line, text_of(profile, profile->mapping[leaf - 1]->filename));
			inner = true;
		}
		assert_true(inner == (location->mapping_id != OUTER_MAPPING));
		const char *name = text_of(profile, profile->function[id - 1]->name);
		add_name(line, name);
		if (!inner) {
			assert_true(count < 3);
			outer[count++] = name;
		}
	}
	assert_true(inner);
	/* The labels say the same: VM and mode; host processes, name and mode; idle and mode.
	 */
	const char *vm = label_of(profile, sample, "vm");
	const char *process = label_of(profile, sample, "process");
	const char *mode = label_of(profile, sample, "mode");
	assert_non_null(mode);
	assert_string_equal(mode, outer[count - 1]);
	if (count == 3) {
		assert_null(vm);
		assert_non_null(process);
		assert_string_equal(process, outer[1]);
	} else {
		assert_int_equal(count, 2);
		assert_null(process);
		assert_string_equal(vm ? vm : "idle", outer[0]);
	}
	assert_int_equal(sample->n_value, 1);
	assert_true(sample->value[0] > 0);
	sprintf(line + strlen(line), " %lld", (long long)sample->value[0]);
}

/* The samples of all. */
static uint64_t compare(struct reading *reading)
{
	static char line[65600];
	char *folded = fold(reading), *rest = folded;
	Pprof__Profile *profile = read_profile(reading);
	uint64_t sum = 0;

	check_tables(profile);
	assert_true(profile->n_sample > 0);
	for (size_t i = 0; i < profile->n_sample; i++) {
		char *expected = strsep(&rest, "\n");
		assert_non_null(expected);
		printable(expected);
		fold_sample(profile, profile->sample[i], line);
		assert_string_equal(line, expected);
		sum += (uint64_t)profile->sample[i]->value[0];
	}
	assert_string_equal(rest, "");
	pprof__profile__free_unpacked(profile, NULL);
	free(folded);
	return sum;
}

static void test_recordings(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob(RECORDINGS "*.data.xz", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		for (int symbols = 0; symbols < 2; symbols++) {
			struct reading reading;
			/* Of another kernel. */
			if (symbols && strstr(found.gl_pathv[i], "i386"))
				continue;
			read_recording(&reading, found.gl_pathv[i], symbols, NULL);
			assert_int_equal(compare(&reading), reading.profile.samples);
			Pprof__Profile *profile = read_profile(&reading);
			assert_int_equal(profile->duration_nanos, reading.input.duration_ns);
			check_strings_differ(profile);
			pprof__profile__free_unpacked(profile, NULL);
			clear(&reading);
		}
	globfree(&found);
}

/* What a reader should know of the figures. */
static void test_header(void **state)
{
	struct reading reading;

	(void)state;
	read_recording(&reading, RECORDINGS "kvm.data.xz", false, NULL);
	reading.input.start = 1700000000.5;
	Pprof__Profile *profile = read_profile(&reading);
	assert_int_equal(profile->time_nanos, 1700000000500000000);
	assert_non_null(profile->period_type);
	assert_string_equal(text_of(profile, profile->period_type->type), "cpu");
	assert_string_equal(text_of(profile, profile->period_type->unit), "nanoseconds");
	assert_int_equal(profile->period, 4000000);
	assert_int_equal(profile->n_comment, 2);
	assert_non_null(strstr(text_of(profile, profile->comment[0]), "samples of cpu-clock"));
	assert_string_equal(text_of(profile, profile->comment[1]),
			    "correction of guest time: none");
	pprof__profile__free_unpacked(profile, NULL);
	/* What counts no time has no period in ns; nobody may know when it was. */
	reading.profile.anchor = ANCHOR_SHARES;
	reading.input.start = NAN;
	profile = read_profile(&reading);
	assert_null(profile->period_type);
	assert_int_equal(profile->period, 0);
	assert_int_equal(profile->time_nanos, 0);
	pprof__profile__free_unpacked(profile, NULL);
	clear(&reading);
}

/* Other VMs and the host are left out. */
static void test_one_vm(void **state)
{
	static const char *const vms[] = {"227"};
	struct reading reading;

	(void)state;
	read_recording(&reading, RECORDINGS "callchain.data.xz", true, vms);
	uint64_t samples = compare(&reading);
	assert_in_range(samples, 1, reading.profile.samples - 1);
	Pprof__Profile *profile = read_profile(&reading);
	for (size_t i = 0; i < profile->n_sample; i++)
		assert_string_equal(label_of(profile, profile->sample[i], "vm"), "vm-227");
	pprof__profile__free_unpacked(profile, NULL);
	clear(&reading);
}

static uint64_t samples_with(const char *folded, const char *part)
{
	uint64_t sum = 0;

	for (const char *line = folded; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');
		if (memmem(line, (size_t)(end - line), part, strlen(part))) {
			while (end > line && end[-1] != ' ')
				end--;
			sum += strtoull(end, NULL, 10);
		}
	}
	return sum;
}

/* A quarter of a VM's guest time wasn't: so much of its guest samples stands elsewhere. */
static void test_correction(void **state)
{
	struct reading reading;
	char comment[128];

	(void)state;
	read_recording(&reading, RECORDINGS "callchain.data.xz", true, NULL);
	char *before = fold(&reading);
	struct ledger_vm *ledger = &reading.report.interval.ledger.vms[0];
	const char *name = reading.report.vms.list.vms[0].name;
	assert_true(ledger->guest_ns > 0);
	ledger->corrected_ns = ledger->guest_ns / 4;
	ledger->guest_ns -= ledger->corrected_ns;
	char *after = fold(&reading);
	assert_int_equal(compare(&reading), reading.profile.samples);
	char guest[64], moved[64];
	snprintf(guest, sizeof(guest), "%s;guest", name);
	snprintf(moved, sizeof(moved), "%s;kernel;kvm/world-switch;kvm/world-switch ", name);
	uint64_t guest_before = samples_with(before, guest);
	uint64_t switches = samples_with(after, moved);
	assert_int_equal(samples_with(before, moved), 0);
	assert_in_range(switches, guest_before / 4 - 1, guest_before / 4 + 1);
	assert_int_equal(samples_with(after, guest) + switches, guest_before);
	assert_int_equal(samples_with(after, "kvm/world-switch"), switches);
	Pprof__Profile *profile = read_profile(&reading);
	assert_int_equal(profile->n_comment, 3);
	snprintf(comment, sizeof(comment),
		 "%s: %llu samples were moved from guest to kvm/world-switch", name,
		 (unsigned long long)switches);
	assert_string_equal(text_of(profile, profile->comment[2]), comment);
	pprof__profile__free_unpacked(profile, NULL);
	free(before);
	free(after);
	clear(&reading);
}

/* Names that divide folded lines, and such that are no UTF-8. */
static void test_any_names(void **state)
{
	struct reading reading;

	(void)state;
	read_recording(&reading, RECORDINGS "callchain.data.xz", true, NULL);
	for (size_t i = 0; i < reading.profile.names.count; i++)
		if (reading.profile.names.texts[i][0] && i % 3)
			reading.profile.names.texts[i][0] = i % 3 == 1 ? ';' : '\xff';
	reading.report.vms.list.vms[0].name[0] = '\xc3';
	assert_int_equal(compare(&reading), reading.profile.samples);
	clear(&reading);
}

static void test_full_disk(void **state)
{
	struct reading reading;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	read_recording(&reading, RECORDINGS "kvm.data.xz", false, NULL);
	errno = 0;
	assert_int_equal(pprof_write(full, &reading.report, &reading.input), -EIO);
	assert_int_equal(errno, ENOSPC);
	fclose(full);
	clear(&reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings), cmocka_unit_test(test_header),
		cmocka_unit_test(test_one_vm),	   cmocka_unit_test(test_correction),
		cmocka_unit_test(test_any_names),  cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
