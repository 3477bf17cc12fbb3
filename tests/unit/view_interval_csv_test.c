/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample_interval.h"
#include "view/interval_csv.h"

#define ROWS_MAX   64
#define FIELDS_MAX 32

/* CSV as RFC 4180 has it, taken to pieces. The fields lie in text, unquoted. */
struct parsed {
	char *text;
	const char *fields[ROWS_MAX][FIELDS_MAX];
	size_t counts[ROWS_MAX];
	size_t rows;
};

/* Unquotes the field at *at in place, and leaves *at behind it. */
static const char *take_field(char **at)
{
	char *from = *at, *field = *at, *to = *at;

	if (*from != '"') {
		from += strcspn(from, ",\"\r\n");
		assert_true(*from == ',' || *from == '\n');
		*at = from;
		return field;
	}
	for (from++; *from != '"' || from[1] == '"'; *to++ = *from++) {
		assert_true(*from != '\0');
		from += *from == '"';
	}
	from++;
	assert_true(*from == ',' || *from == '\n');
	*at = from;
	if (to != from)
		*to = '\0';
	return field;
}

static void parse(struct parsed *parsed, char *text)
{
	char *at = text;

	*parsed = (struct parsed){.text = text};
	while (*at) {
		assert_true(parsed->rows < ROWS_MAX);
		size_t *count = &parsed->counts[parsed->rows];
		bool more = true;
		while (more) {
			assert_true(*count < FIELDS_MAX);
			parsed->fields[parsed->rows][(*count)++] = take_field(&at);
			more = *at == ',';
			*at++ = '\0';
		}
		parsed->rows++;
	}
}

static void write_csv(struct parsed *parsed, const struct interval *interval,
		      enum view_grouping by, bool header)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(interval_write_csv(stream, interval, by, header), 0);
	assert_int_equal(fclose(stream), 0);
	parse(parsed, text);
	assert_true(parsed->rows > (header ? 1 : 0));
	for (size_t row = 1; row < parsed->rows; row++)
		assert_int_equal(parsed->counts[row], parsed->counts[0]);
}

/* The field of a row, by the title of its column. */
static const char *field(const struct parsed *parsed, size_t row, const char *title)
{
	size_t column = 0;

	while (column < parsed->counts[0] && strcmp(parsed->fields[0][column], title) != 0)
		column++;
	if (column == parsed->counts[0])
		fail_msg("there is no column %s", title);
	assert_true(row < parsed->rows);
	return parsed->fields[row][column];
}

/* The nanoseconds that a number of seconds with nine digits behind the point is. */
static uint64_t to_ns(const char *seconds)
{
	char *end;
	uint64_t whole = strtoull(seconds, &end, 10);

	assert_true(end > seconds && *end == '.');
	assert_int_equal(strspn(end + 1, "0123456789"), 9);
	assert_int_equal(end[10], '\0');
	return whole * 1000000000 + strtoull(end + 1, NULL, 10);
}

static uint64_t total_ns(const struct parsed *parsed)
{
	uint64_t sum = 0;

	for (size_t row = 1; row < parsed->rows; row++)
		sum += to_ns(field(parsed, row, "total_s"));
	return sum;
}

struct sample {
	struct labels *labels;
	struct interval interval;
};

static int set_up(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	assert_non_null(sample);
	sample->labels = sample_labels();
	sample_three_vms(&sample->interval, sample->labels);
	*state = sample;
	return 0;
}

static int tear_down(void **state)
{
	struct sample *sample = *state;

	interval_free(&sample->interval);
	labels_free(sample->labels);
	free(sample);
	return 0;
}

static const enum view_grouping groupings[] = {VIEW_BY_VM, VIEW_BY_THREAD, VIEW_BY_MODULE,
					       VIEW_BY_EXIT};

static void test_rows_sum_to_the_capacity(void **state)
{
	struct sample *sample = *state;

	/* Whatever is selected. */
	for (unsigned mask = 0; mask < 8; mask++) {
		for (size_t v = 0; v < 3; v++)
			sample->interval.vms[v].selected = mask >> v & 1;
		for (size_t g = 0; g < 4; g++) {
			struct parsed parsed;
			write_csv(&parsed, &sample->interval, groupings[g], true);
			assert_int_equal(total_ns(&parsed),
					 sample->interval.ledger.capacity_ns);
			for (size_t row = 1; row < parsed.rows; row++) {
				assert_string_equal(field(&parsed, row, "start"),
						    "1763880000.123456001");
				assert_string_equal(field(&parsed, row, "duration_s"),
						    "1.000000000");
				assert_string_equal(field(&parsed, row, "capacity_s"),
						    "2.000000000");
			}
			free(parsed.text);
		}
	}
}

static void test_header_is_optional(void **state)
{
	struct sample *sample = *state;

	for (size_t g = 0; g < 4; g++) {
		struct parsed with, without;
		write_csv(&with, &sample->interval, groupings[g], true);
		write_csv(&without, &sample->interval, groupings[g], false);
		assert_int_equal(with.rows, without.rows + 1);
		assert_int_equal(with.counts[0], without.counts[0]);
		for (size_t row = 0; row < without.rows; row++)
			for (size_t column = 0; column < without.counts[row]; column++)
				assert_string_equal(without.fields[row][column],
						    with.fields[row + 1][column]);
		free(with.text);
		free(without.text);
	}
}

struct cell {
	const char *title, *value;
};

static void assert_row(const struct parsed *parsed, size_t row, const struct cell *cells)
{
	for (; cells->title; cells++)
		if (strcmp(field(parsed, row, cells->title), cells->value) != 0)
			fail_msg("row %zu: %s is '%s', not '%s'", row, cells->title,
				 field(parsed, row, cells->title), cells->value);
}

#define ROW(...) ((const struct cell[]){__VA_ARGS__, {NULL, NULL}})

/* Every column of the row behind the first three that is not named is empty. */
static void assert_rest_is_empty(const struct parsed *parsed, size_t row)
{
	for (size_t column = 3; column < parsed->counts[row]; column++) {
		const char *title = parsed->fields[0][column];
		if (strcmp(title, "account") != 0 && strcmp(title, "total_s") != 0)
			assert_string_equal(parsed->fields[row][column], "");
	}
}

/* The last rows are the host's, whose processes include the VM that is not selected. */
static void assert_host(const struct parsed *parsed, size_t row, bool by_module,
			uint64_t idle_ns)
{
	assert_row(parsed, row, ROW({"account", "processes"}, {"total_s", "0.150000000"}));
	assert_rest_is_empty(parsed, row++);
	assert_row(parsed, row, ROW({"account", "kernel"}, {"total_s", "0.020000000"}));
	assert_rest_is_empty(parsed, row++);
	if (!by_module) {
		assert_row(parsed, row,
			   ROW({"account", "shared_unattributed"}, {"total_s", "0.004000000"}));
		assert_rest_is_empty(parsed, row++);
	}
	assert_row(parsed, row, ROW({"account", "self"}, {"total_s", "0.001000000"}));
	assert_rest_is_empty(parsed, row++);
	assert_row(parsed, row, ROW({"account", "idle"}));
	assert_int_equal(to_ns(field(parsed, row, "total_s")), idle_ns);
	assert_rest_is_empty(parsed, row++);
	assert_int_equal(parsed->rows, row);
}

static void test_by_vm(void **state)
{
	struct sample *sample = *state;
	struct parsed parsed;

	write_csv(&parsed, &sample->interval, VIEW_BY_VM, true);
	assert_row(&parsed, 1,
		   ROW({"account", "vm"}, {"name", "web1"}, {"id", SAMPLE_UUID},
		       {"pid", "1234"}, {"total_s", "0.711000002"}, {"guest_s", "0.420000000"},
		       {"guest_user_s", "0.280000000"}, {"guest_kernel_s", "0.140000000"},
		       {"vmm_s", "0.134000000"}, {"kernel_s", "0.145000001"},
		       {"shared_s", "0.012000001"}, {"hypervisor_s", "0.291000002"},
		       {"error95_s", "0.004000000"}, {"ready_s", "0.010000000"},
		       {"exits", "12345"}, {"halt_poll_s", "0.005000000"}, {"rx_bytes", "1000"},
		       {"rx_packets", "10"}, {"tx_bytes", "2000"}, {"tx_packets", "20"}));
	/* What is not known is empty; what is nothing is nought. */
	assert_row(&parsed, 2,
		   ROW({"account", "vm"}, {"name", "db"}, {"id", "db"}, {"pid", "2345"},
		       {"total_s", "0.177000000"}, {"guest_s", "0.150000000"},
		       {"guest_user_s", ""}, {"guest_kernel_s", ""}, {"vmm_s", "0.002000000"},
		       {"kernel_s", "0.025000000"}, {"shared_s", "0.000000000"},
		       {"hypervisor_s", "0.027000000"}, {"error95_s", "0.000000000"},
		       {"ready_s", "0.000000000"}, {"exits", ""}, {"halt_poll_s", ""},
		       {"rx_bytes", ""}, {"rx_packets", ""}, {"tx_bytes", ""},
		       {"tx_packets", ""}));
	assert_host(&parsed, 3, false, sample->interval.ledger.idle_ns);
	free(parsed.text);
}

static void test_by_thread(void **state)
{
	static const struct {
		const char *tid, *role, *index, *thread, *total_s;
	} threads[] = {
		{"1240", "vcpu", "0", "CPU 0/KVM", "0.395000000"},
		{"1241", "vcpu", "1", "CPU 1/KVM", "0.150000000"},
		{"1242", "iothread", "", "IO iothread0", "0.038000000"},
		{"1234", "vmm", "", "qemu-system-x86", "0.076000000"},
		{"1250", "vhost", "", "vhost-1234", "0.040000000"},
		{"1251", "kvm", "", "kvm-pit/1234", "0.000000001"},
		{"1252", "other", "", "gmain", "0.000000000"},
		{"2346", "vcpu", "0", "fc_vcpu 0", "0.177000000"},
	};
	struct sample *sample = *state;
	struct parsed parsed;

	write_csv(&parsed, &sample->interval, VIEW_BY_THREAD, true);
	for (size_t i = 0; i < 8; i++)
		assert_row(&parsed, i + 1,
			   ROW({"account", "thread"}, {"name", i < 7 ? "web1" : "db"},
			       {"pid", i < 7 ? "1234" : "2345"}, {"tid", threads[i].tid},
			       {"role", threads[i].role}, {"index", threads[i].index},
			       {"thread", threads[i].thread}, {"total_s", threads[i].total_s}));
	assert_row(&parsed, 1,
		   ROW({"guest_s", "0.300000000"}, {"vmm_s", "0.015000000"},
		       {"kernel_s", "0.080000000"}, {"ready_s", "0.007000000"}));
	/* Shared work is no thread's. */
	assert_row(&parsed, 9,
		   ROW({"account", "shared"}, {"name", "web1"}, {"pid", "1234"}, {"tid", ""},
		       {"role", ""}, {"index", ""}, {"thread", ""}, {"total_s", "0.012000001"},
		       {"guest_s", ""}, {"vmm_s", ""}, {"kernel_s", ""}, {"ready_s", ""}));
	assert_row(&parsed, 10,
		   ROW({"account", "shared"}, {"name", "db"}, {"total_s", "0.000000000"}));
	assert_host(&parsed, 11, false, sample->interval.ledger.idle_ns);
	free(parsed.text);
}

static void test_by_module(void **state)
{
	static const struct {
		const char *account, *name, *mode, *module, *total_s;
	} rows[] = {
		{"vm", "web1", "guest", "user", "0.280000000"},
		{"vm", "web1", "guest", "kernel", "0.140000000"},
		{"vm", "web1", "vmm", "qemu-system-x86_64", "0.120000000"},
		{"vm", "web1", "vmm", "libc.so.6", "0.014000000"},
		{"vm", "web1", "kernel", "kvm", "0.097000001"},
		{"vm", "web1", "kernel", "tun", "0.048000000"},
		{"vm", "web1", "shared", "bridge", "0.012000001"},
		{"vm", "db", "guest", "", "0.150000000"},
		{"vm", "db", "vmm", "qemu-system-x86_64", "0.002000000"},
		{"vm", "db", "kernel", "unsampled", "0.025000000"},
		{"shared_unattributed", "", "shared", "bridge", "0.003000000"},
		{"shared_unattributed", "", "shared", "core", "0.001000000"},
	};
	struct sample *sample = *state;
	struct parsed parsed;

	sample->interval.ledger.vms[1].kernel.items[0].label = LABEL_UNSAMPLED;
	write_csv(&parsed, &sample->interval, VIEW_BY_MODULE, true);
	for (size_t i = 0; i < 12; i++)
		assert_row(&parsed, i + 1,
			   ROW({"account", rows[i].account}, {"name", rows[i].name},
			       {"mode", rows[i].mode}, {"module", rows[i].module},
			       {"total_s", rows[i].total_s}));
	assert_host(&parsed, 13, true, sample->interval.ledger.idle_ns);
	free(parsed.text);
}

static void test_odd_names(void **state)
{
	static const char *const names[] = {"",
					    ",",
					    "a,b",
					    "\"",
					    "say \"hello\", \"world\"",
					    "two\nlines",
					    "carriage\rreturn",
					    "\"\n,\"",
					    " blanks ",
					    "Größe 東京",
					    "=1+1"};
	struct sample *sample = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct interval interval;
		uint32_t label;
		sample_begin(&interval, sample->labels, 1, 1.0);
		sample_vm(&interval, names[i], NULL, 1);
		sample_thread(&interval, 1, THREAD_VMM, -1, names[i],
			      &(struct sample_times){.guest_ns = 1});
		assert_int_equal(labels_intern(sample->labels, names[i], &label), 0);
		assert_int_equal(label_times_add(&interval.ledger.vms[0].vmm, label, 7), 0);
		sample_end(&interval);
		for (size_t g = 0; g < 4; g++) {
			struct parsed parsed;
			write_csv(&parsed, &interval, groupings[g], true);
			assert_string_equal(field(&parsed, 1, "name"), names[i]);
			assert_string_equal(field(&parsed, 1, "id"), names[i]);
			if (groupings[g] == VIEW_BY_THREAD)
				assert_memory_equal(field(&parsed, 1, "thread"), names[i],
						    strnlen(names[i], 15));
			if (groupings[g] == VIEW_BY_MODULE)
				assert_string_equal(field(&parsed, 3, "module"), names[i]);
			free(parsed.text);
		}
		interval_free(&interval);
	}
}

static void test_stream_fails(void **state)
{
	struct sample *sample = *state;

	for (size_t g = 0; g < 4; g++) {
		/* At the end, and on every write. */
		for (int buffered = 0; buffered < 2; buffered++) {
			FILE *full = fopen("/dev/full", "w");
			assert_non_null(full);
			if (!buffered)
				assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
			assert_int_equal(
				interval_write_csv(full, &sample->interval, groupings[g], true),
				-EIO);
			fclose(full);
		}
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rows_sum_to_the_capacity),
		TEST(test_header_is_optional),
		TEST(test_by_vm),
		TEST(test_by_thread),
		TEST(test_by_module),
		TEST(test_odd_names),
		TEST(test_stream_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
