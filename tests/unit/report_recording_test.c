/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings as perf writes them, made byte by byte: every kind of record is counted or
 * skipped, attributes of old and new perfs are read (those of a 32-bit perf are laid out the
 * same), a file may be cut anywhere, and what is malformed is refused with its place.
 */
#include <errno.h>
#include <linux/perf_event.h>
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
#include <jansson.h>

#include "base/random.h"
#include "perf_data/format.h"
#include "report/recording_times.h"

#define PID	    4321
#define TRAILER	    24 /* pid, tid; time; cpu, reserved */
#define SAMPLES	    3
#define SAMPLE_SIZE 48

struct file {
	uint8_t bytes[16384];
	size_t size;
	size_t data; /* where the records begin */
};

static void put(struct file *file, const void *bytes, size_t size)
{
	assert_true(file->size + size <= sizeof(file->bytes));
	memcpy(file->bytes + file->size, bytes, size);
	file->size += size;
}

static void begin(struct file *file, size_t attr_size)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = (uint32_t)attr_size,
		.sample_period = 4000000,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			       PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD,
		.sample_id_all = 1,
	};
	uint8_t padded[256] = {0};
	struct perf_data_section ids = {0};
	struct perf_data_header header = {
		.magic = PERF_DATA_MAGIC,
		.size = sizeof(header),
		.attr_size = attr_size + sizeof(ids),
		.attrs = {sizeof(header), attr_size + sizeof(ids)},
	};

	*file = (struct file){0};
	header.data.offset = header.attrs.offset + header.attrs.size;
	memcpy(padded, &attr, attr_size < sizeof(attr) ? attr_size : sizeof(attr));
	put(file, &header, sizeof(header));
	put(file, padded, attr_size);
	put(file, &ids, sizeof(ids));
	file->data = file->size;
}

static void end(struct file *file)
{
	uint64_t size = file->size - file->data;

	memcpy(file->bytes + offsetof(struct perf_data_header, data.size), &size, sizeof(size));
}

static void put_record(struct file *file, uint32_t type, uint16_t misc, const void *body,
		       size_t size, uint64_t time)
{
	struct perf_data_record record = {
		.type = type,
		.misc = misc,
		.size = (uint16_t)(sizeof(record) + size + (time ? TRAILER : 0)),
	};
	uint32_t ids[2] = {PID, PID}, cpu[2] = {0, 0};

	put(file, &record, sizeof(record));
	put(file, body, size);
	if (time) {
		put(file, ids, sizeof(ids));
		put(file, &time, sizeof(time));
		put(file, cpu, sizeof(cpu));
	}
}

static void put_sample(struct file *file, uint16_t misc, uint64_t ip, uint64_t time)
{
	struct {
		uint64_t ip;
		uint32_t pid, tid;
		uint64_t time;
		uint32_t cpu, reserved;
		uint64_t period;
	} sample = {ip, PID, PID, time, 0, 0, 4000000};

	put_record(file, PERF_RECORD_SAMPLE, misc, &sample, sizeof(sample), 0);
}

static void put_text(struct file *file, const char *text, uint32_t part, uint32_t parts)
{
	char body[4096] = {0};
	const uint64_t type = PERF_DATA_UPDATE_KVMPERF;
	uint32_t numbers[4] = {part, parts, (uint32_t)strlen(text), 0};

	memcpy(body, &type, sizeof(type));
	memcpy(body + 16, numbers, sizeof(numbers));
	assert_true(strlen(text) <= sizeof(body) - 40);
	memcpy(body + 32, text, strlen(text));
	put_record(file, PERF_RECORD_EVENT_UPDATE, 0, body, 32 + (strlen(text) + 7) / 8 * 8, 0);
}

/* A process with three samples; between them, whatever else is in files. */
static void put_records(struct file *file)
{
	const uint64_t lost[2] = {0, 7}, lost_samples = 5, three[3] = {1, 2, 3};
	const struct {
		uint32_t pid, tid;
		char comm[8];
	} comm = {PID, PID, "loader"};
	const struct {
		uint64_t address;
		uint32_t length;
		uint16_t type, flags;
		char name[8];
	} symbol = {0xffffffffc0000000, 256, PERF_RECORD_KSYMBOL_TYPE_BPF, 0, "bpf_x"};
	struct perf_data_auxtrace trace = {.size = 64};
	uint32_t payload = 24;
	uint8_t noise[64];

	memset(noise, 0xff, sizeof(noise));
	put_record(file, PERF_RECORD_COMM, 0, &comm, sizeof(comm), 1000);
	put_sample(file, PERF_RECORD_MISC_KERNEL, 0xffffffffc0000010, 10000000);
	put_record(file, PERF_RECORD_LOST, 0, lost, sizeof(lost), 11000000);
	put_record(file, PERF_RECORD_THROTTLE, 0, three, sizeof(three), 11000001);
	put_record(file, PERF_RECORD_UNTHROTTLE, 0, three, sizeof(three), 11000002);
	put_record(file, PERF_RECORD_LOST_SAMPLES, 0, &lost_samples, 8, 11000003);
	put_record(file, PERF_RECORD_NAMESPACES, 0, noise, 32, 11000004);
	put_record(file, PERF_RECORD_CGROUP, 0, noise, 16, 11000005);
	put_record(file, PERF_RECORD_KSYMBOL, 0, &symbol, sizeof(symbol), 11000006);
	put_record(file, PERF_RECORD_BPF_EVENT, 0, noise, 16, 11000007);
	put_record(file, PERF_RECORD_TEXT_POKE, 0, noise, 24, 11000008);
	put_record(file, PERF_RECORD_AUX, 0, three, sizeof(three), 11000009);
	put_record(file, PERF_RECORD_ITRACE_START, 0, noise, 8, 11000010);
	put_record(file, PERF_RECORD_SWITCH, 0, noise, 0, 11000011);
	/* What perf adds; two of them with bytes behind that look like nothing. */
	put_record(file, PERF_RECORD_AUXTRACE_INFO, 0, noise, 24, 0);
	put_record(file, PERF_RECORD_AUXTRACE, 0, (uint8_t *)&trace + 8, sizeof(trace) - 8, 0);
	put(file, noise, trace.size);
	put_record(file, PERF_RECORD_HEADER_TRACING_DATA, 0, &payload, sizeof(payload), 0);
	put(file, noise, payload);
	put_record(file, PERF_RECORD_TIME_CONV, 0, noise, 24, 0);
	put_record(file, PERF_RECORD_THREAD_MAP, 0, noise, 24, 0);
	put_record(file, 211, 0, noise, 40, 0);
	put_sample(file, PERF_RECORD_MISC_USER, 0x401000, 14000000);
	put_record(file, PERF_RECORD_FINISHED_ROUND, 0, noise, 0, 0);
	put_sample(file, PERF_RECORD_MISC_GUEST_KERNEL, 0xffffffff81000000, 18000000);
}

struct reading {
	struct profile profile;
	struct recording recording;
	struct recording_times times;
	struct error error;
	int code;
};

static void read_file(struct reading *reading, const struct file *file, size_t size)
{
	static int fd = -1;
	static char path[32];

	if (fd < 0)
		fd = memfd_create("recording", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, file->bytes, size, 0), size);
	*reading = (struct reading){.recording.profile = &reading->profile};
	struct profile *profile = &reading->profile;
	assert_int_equal(resolver_init(&profile->resolver, &profile->names, &profile->places),
			 0);
	assert_int_equal(profile_init(profile), 0);
	reading->code = recording_open(&reading->recording, path, &reading->error);
	if (!reading->code)
		reading->code = recording_times_open(&reading->times, &reading->recording, NULL,
						     &reading->error);
	if (!reading->code)
		reading->code = recording_read(&reading->recording, &reading->error);
}

static void clear(struct reading *reading)
{
	recording_times_clear(&reading->times);
	recording_close(&reading->recording);
	profile_clear(&reading->profile);
}

static uint64_t samples_of(const struct profile *profile, enum sample_mode mode)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < profile->tally.cell_count; i++)
		if (profile->tally.cells[i].group != GROUP_NONE &&
		    cell_mode(&profile->tally.cells[i]) == mode)
			sum += profile->tally.cells[i].samples;
	return sum;
}

static void test_every_kind_of_record(void **state)
{
	/* PERF_ATTR_SIZE_VER0, 1, 2, 3, 4 and 5, 6, 7, 8, and of a perf of the future. */
	static const size_t sizes[] = {64, 72, 80, 96, 104, 112, 120, 128, 136, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct file file;
		struct reading reading;
		begin(&file, sizes[i]);
		put_records(&file);
		end(&file);
		read_file(&reading, &file, file.size);
		assert_string_equal(reading.error.message, "");
		assert_int_equal(reading.code, 0);
		assert_null(perf_data_warning(reading.recording.data));
		assert_int_equal(reading.profile.samples, SAMPLES);
		assert_int_equal(reading.profile.lost, 12);
		assert_int_equal(samples_of(&reading.profile, SAMPLE_KERNEL), 1);
		assert_int_equal(samples_of(&reading.profile, SAMPLE_USER), 1);
		assert_int_equal(samples_of(&reading.profile, SAMPLE_GUEST_KERNEL), 1);
		assert_true(tasks_find_process(&reading.profile.tasks, PID) != TASK_NONE);
		clear(&reading);
	}
}

/* All that stands before the cut is counted; what is missing is said. */
static void test_cut_anywhere(void **state)
{
	struct file file;
	uint64_t last = 0;

	(void)state;
	begin(&file, 128);
	put_records(&file);
	end(&file);
	for (size_t size = 0; size < file.size; size++) {
		struct reading reading;
		char place[32];
		read_file(&reading, &file, size);
		snprintf(place, sizeof(place), "byte %zu", size);
		if (size < file.data) {
			assert_int_equal(reading.code, -EBADMSG);
			assert_non_null(strstr(reading.error.message, place));
		} else {
			assert_int_equal(reading.code, 0);
			assert_non_null(perf_data_warning(reading.recording.data));
			assert_non_null(
				strstr(perf_data_warning(reading.recording.data), place));
			assert_true(reading.profile.samples >= last);
			last = reading.profile.samples;
		}
		clear(&reading);
	}
	assert_int_equal(last, SAMPLES - 1);
}

static void expect_refused(const struct file *file, size_t place, const char *reason)
{
	struct reading reading;
	char text[32];

	read_file(&reading, file, file->size);
	snprintf(text, sizeof(text), "byte %zu: ", place);
	assert_int_equal(reading.code, -EBADMSG);
	assert_non_null(strstr(reading.error.message, text));
	assert_non_null(strstr(reading.error.message, reason));
	assert_null(strchr(reading.error.message, '\n'));
	clear(&reading);
}

static void test_malformed(void **state)
{
	struct file file, good;
	uint16_t size;

	(void)state;
	begin(&good, 128);
	put_records(&good);
	size_t last = good.size - SAMPLE_SIZE;
	end(&good);

	file = good;
	memcpy(file.bytes, "PERFILE3", 8);
	expect_refused(&file, 0, "no recording of perf");
	file = good;
	memcpy(file.bytes, "2ELIFREP", 8);
	expect_refused(&file, 0, "big-endian");
	file = good;
	file.bytes[offsetof(struct perf_data_header, size)] = 96;
	expect_refused(&file, offsetof(struct perf_data_header, size), "header of 96 bytes");
	file = good;
	file.bytes[offsetof(struct perf_data_header, attr_size)] = 17;
	expect_refused(&file, offsetof(struct perf_data_header, attr_size), "17 bytes");
	file = good;
	size = 4;
	memcpy(file.bytes + last + 6, &size, sizeof(size));
	expect_refused(&file, last, "4 bytes, less than its header");
	file = good;
	size = 400;
	memcpy(file.bytes + last + 6, &size, sizeof(size));
	expect_refused(&file, last, "400 bytes goes beyond");
	file = good;
	size = 24;
	memcpy(file.bytes + last + 6, &size, sizeof(size));
	expect_refused(&file, last, "24 bytes is too short");
	file = good;
	size_t place = file.size;
	put_text(&file, "{}", 1, 1);
	end(&file);
	expect_refused(&file, place, "kvmperf's record is malformed");
	file = good;
	put_text(&file, "{\"schema\":", 0, 1);
	end(&file);
	expect_refused(&file, place, "no JSON");
}

#define TEXT_START                                                                             \
	"{\"schema\":\"kvmperf.recording/"                                                     \
	"1\",\"cpus\":2,\"vms\":[{\"pid\":4321,\"name\":\"web\"}],"
#define TEXT_END                                                                               \
	"\"intervals\":[{\"start_ns\":10000000,\"end_ns\":20000000,\"idle_ns\":1,\"tasks\":[{" \
	"\"tgid\":4321,\"tid\":4321,\"name\":\"x\",\"run_ns\":3000000,\"ready_ns\":0}]}]}"
#define TEXT_SECOND                                                                            \
	"{\"schema\":\"kvmperf.recording/"                                                     \
	"1\",\"intervals\":[{\"start_ns\":20000000,\"end_ns\":"                                \
	"30000000,\"idle_ns\":2,\"tasks\":[{\"tgid\":4321,\"tid\":4321,\"name\":\"x\","        \
	"\"run_ns\":4000000,\"ready_ns\":0}]}]}"

/* A recorder that was killed: its VMs and times are those of the records between samples. */
static void test_texts_of_a_killed_recorder(void **state)
{
	struct file file;
	struct reading reading;
	struct report_input input = {0};

	(void)state;
	begin(&file, 128);
	put_sample(&file, PERF_RECORD_MISC_USER, 0x401000, 14000000);
	put_text(&file, TEXT_START, 0, 2);
	put_text(&file, TEXT_END, 1, 2);
	put_text(&file, "a part that has no beginning", 1, 2);
	put_sample(&file, PERF_RECORD_MISC_USER, 0x401000, 24000000);
	put_text(&file, TEXT_SECOND, 0, 1);
	end(&file);
	read_file(&reading, &file, file.size);
	assert_string_equal(reading.error.message, "");
	assert_non_null(strstr(perf_data_warning(reading.recording.data), "not finished"));
	const struct vm *vm = recorded_facts_vm(reading.times.facts, PID);
	assert_non_null(vm);
	assert_string_equal(vm->name, "web");
	input.profile = &reading.profile;
	assert_int_equal(recording_times_describe(&reading.times, &input, &reading.error), 0);
	assert_int_equal(input.duration_ns, 20000000);
	assert_int_equal(input.cpus, 2);
	assert_int_equal(input.times->idle_ns, 3);
	assert_int_equal(input.times->collection.task_count, 1);
	assert_int_equal(input.times->collection.tasks[0].run_ns, 7000000);
	clear(&reading);
}

/* Times that no machine had are no figures. */
static void test_impossible_duration(void **state)
{
	struct file file;
	struct reading reading;
	struct report_input input = {0};

	(void)state;
	begin(&file, 128);
	put_sample(&file, PERF_RECORD_MISC_USER, 0x401000, 1);
	put_sample(&file, PERF_RECORD_MISC_USER, 0x401000, UINT64_MAX - 1);
	end(&file);
	read_file(&reading, &file, file.size);
	assert_int_equal(reading.code, 0);
	input.profile = &reading.profile;
	assert_int_equal(recording_times_describe(&reading.times, &input, &reading.error),
			 -EBADMSG);
	clear(&reading);
}

static const struct calibration calibration = {
	.event = "cpu-clock",
	.costs = {.by_class = {[VM_EXIT_KERNEL] = {1000, 10},
			       [VM_EXIT_USER] = {3000, 20},
			       [VM_EXIT_INTERRUPT] = {1000, 30}}},
};

/* The text of one interval of 10 ms, of which the VM's only thread ran run_ns. */
static json_t *interval_text(uint64_t start_ns, uint64_t run_ns, json_t *exits)
{
	return json_pack("{s:s, s:i, s:[{s:i, s:s}], s:[{s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:[{s:i, s:i, s:s, s:I}], s:[{s:i, s:i, s:o}]}]}",
			 "schema", "kvmperf.recording/1", "cpus", 2, "vms", "pid", PID, "name",
			 "web", "intervals", "start_ns", (json_int_t)start_ns, "end_ns",
			 (json_int_t)start_ns + 10000000, "idle_ns", (json_int_t)0,
			 "processes_run_ns", (json_int_t)0, "kernel_run_ns", (json_int_t)0,
			 "shared_run_ns", (json_int_t)0, "self_run_ns", (json_int_t)0, "tasks",
			 "tgid", PID, "tid", PID, "name", "x", "run_ns", (json_int_t)run_ns,
			 "vms", "pid", PID, "exits", 1, "vcpu_exits", exits);
}

static json_t *exits_of(json_int_t kernel, json_int_t user, json_int_t interrupt)
{
	return json_pack("[{s:i, s:I, s:I, s:I}]", "tid", PID, "kernel", kernel, "user", user,
			 "interrupt", interrupt);
}

static void put_json(struct file *file, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	assert_non_null(text);
	put_text(file, text, 0, 1);
	free(text);
	json_decref(object);
}

/* Two intervals, half of whose samples are guest's, and their report. */
static void make_report(struct reading *reading, struct report *report, json_t *first,
			json_t *second)
{
	struct report_input input = {.profile = &reading->profile};
	struct file file;

	begin(&file, 128);
	for (uint64_t i = 0; i < 40; i++)
		put_sample(&file, i % 2 ? PERF_RECORD_MISC_GUEST_USER : PERF_RECORD_MISC_USER,
			   0x401000, 10000000 + i * 500000);
	put_json(&file, first);
	put_json(&file, second);
	end(&file);
	read_file(reading, &file, file.size);
	assert_int_equal(reading->code, 0);
	*report = (struct report){0};
	assert_int_equal(recording_times_describe(&reading->times, &input, &reading->error), 0);
	assert_int_equal(report_find_vms(report, &input), 0);
	assert_int_equal(report_build(report, &input), 0);
	const struct ledger *ledger = &report->interval.ledger;
	assert_int_equal(ledger_sum(ledger), ledger->capacity_ns);
	assert_int_equal(ledger->vm_count, 1);
	assert_true(isfinite(ledger->vms[0].error95.guest));
}

static void clear_report(struct reading *reading, struct report *report)
{
	report_clear(report);
	clear(reading);
}

/* The exits of both intervals, by the costs of the first text. */
static void test_correction(void **state)
{
	json_t *first = interval_text(10000000, 4000000, exits_of(100, 20, 40));
	json_t *second = interval_text(20000000, 6000000, exits_of(200, 30, 10));
	struct reading reading;
	struct report report;

	(void)state;
	json_object_set_new(first, "calibration", calibration_json(&calibration));
	make_report(&reading, &report, first, second);
	const struct ledger_vm *vm = &report.interval.ledger.vms[0];
	assert_string_equal(report.interval.source.irqs_off_correction, "calibrated");
	assert_int_equal(vm->corrected_ns, 300 * 1000 + 50 * 3000 + 50 * 1000);
	assert_int_equal(vm->guest_ns, 5000000 - vm->corrected_ns);
	assert_int_equal(vm->kernel.count, 1);
	assert_int_equal(vm->kernel.total_ns, vm->corrected_ns);
	assert_string_equal(labels_name(report.labels, vm->kernel.items[0].label),
			    "kvm/world-switch");
	clear_report(&reading, &report);
}

/* Without costs, with those of another event, or without exits it is as it was sampled. */
static void test_no_correction(void **state)
{
	struct calibration cycles = calibration;

	(void)state;
	memcpy(cycles.event, "cycles", sizeof("cycles"));
	for (int round = 0; round < 4; round++) {
		struct reading reading;
		struct report report;
		json_t *exits = round == 3 ? json_null() : exits_of(100, 20, 40);
		json_t *first = interval_text(10000000, 4000000, json_deep_copy(exits));
		json_t *second = interval_text(20000000, 6000000, exits);
		if (round == 1)
			json_object_set_new(first, "calibration", json_null());
		if (round > 1)
			json_object_set_new(
				first, "calibration",
				calibration_json(round == 2 ? &cycles : &calibration));
		make_report(&reading, &report, first, second);
		assert_string_equal(report.interval.source.irqs_off_correction, "none");
		assert_int_equal(report.interval.ledger.vms[0].guest_ns, 5000000);
		assert_int_equal(report.interval.ledger.vms[0].kernel.count, 0);
		clear_report(&reading, &report);
	}
}

/* Exits of a wrong form are none, and no number of them breaks the books. */
static void test_malformed_exits(void **state)
{
	static const char *const wrong[] = {
		"7",
		"{}",
		"[7,null,[],\"x\",{}]",
		"[{\"tid\":4321}]",
		"[{\"tid\":4321,\"kernel\":-1,\"user\":0,\"interrupt\":0}]",
		"[{\"tid\":4321,\"kernel\":1.5,\"user\":0,\"interrupt\":0}]",
		"[{\"tid\":4321,\"kernel\":\"1\",\"user\":0,\"interrupt\":0}]",
		"[{\"tid\":-4321,\"kernel\":1,\"user\":0,\"interrupt\":0}]",
		"[{\"tid\":4294971617,\"kernel\":1,\"user\":0,\"interrupt\":0}]",
	};
	struct reading reading;
	struct report report;
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		json_t *first = interval_text(10000000, 4000000,
					      json_loads(wrong[i], JSON_DECODE_ANY, NULL));
		json_object_set_new(first, "calibration", calibration_json(&calibration));
		make_report(&reading, &report, first,
			    interval_text(20000000, 6000000, exits_of(100, 0, 0)));
		assert_int_equal(report.interval.ledger.vms[0].corrected_ns, 100000);
		clear_report(&reading, &report);
	}
	for (int round = 0; round < 200; round++) {
		struct calibration costs = calibration;
		json_int_t exits[6];
		for (size_t i = 0; i < 6; i++)
			exits[i] = (json_int_t)(random_next(&random) >>
						(1 + random_next(&random) % 63));
		for (int c = 0; c < VM_EXIT_CLASSES; c++) {
			costs.costs.by_class[c].ns =
				(double)(random_next(&random) % 1000000001);
			costs.costs.by_class[c].error95_ns =
				(double)(random_next(&random) % 1000000001);
		}
		costs.costs.tick_hz = (double)(random_next(&random) % 1000001);
		costs.costs.tick.ns = costs.costs.by_class[0].ns;
		costs.costs.sample.ns = costs.costs.by_class[1].ns;
		json_t *first = interval_text(10000000, 4000000,
					      exits_of(exits[0], exits[1], exits[2]));
		json_object_set_new(first, "calibration", calibration_json(&costs));
		make_report(&reading, &report, first,
			    interval_text(20000000, random_next(&random) % 9000000,
					  exits_of(exits[3], exits[4], exits[5])));
		const struct ledger_vm *vm = &report.interval.ledger.vms[0];
		assert_int_equal(vm->kernel.total_ns, vm->corrected_ns);
		clear_report(&reading, &report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_record),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_texts_of_a_killed_recorder),
		cmocka_unit_test(test_impossible_duration),
		cmocka_unit_test(test_correction),
		cmocka_unit_test(test_no_correction),
		cmocka_unit_test(test_malformed_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
