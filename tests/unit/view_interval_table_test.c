/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample_interval.h"
#include "view/interval_table.h"

static const enum view_grouping groupings[] = {VIEW_BY_VM, VIEW_BY_THREAD, VIEW_BY_MODULE,
					       VIEW_BY_EXIT};

/* The table as it goes to a file. */
static char *to_file(const struct interval *interval, enum view_grouping by, const char *title)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(interval_write_table(stream, interval, by, title), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* The table as it goes to a terminal of so many columns. */
static char *to_terminal(const struct interval *interval, enum view_grouping by,
			 unsigned short columns)
{
	const struct winsize size = {.ws_row = 24, .ws_col = columns};
	struct termios modes;
	char *text = calloc(1, 65536);
	size_t length = 0;
	ssize_t got;
	int master, slave;

	assert_non_null(text);
	memset(&modes, 0, sizeof(modes));
	cfmakeraw(&modes);
	assert_int_equal(openpty(&master, &slave, NULL, &modes, &size), 0);
	FILE *stream = fdopen(slave, "w");
	assert_non_null(stream);
	assert_int_equal(interval_write_table(stream, interval, by, NULL), 0);
	/* What was written is there to be read; then there is no writer: EIO. */
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(tcdrain(slave), 0);
	assert_int_equal(fclose(stream), 0);
	while ((got = read(master, text + length, 65535 - length)) > 0)
		length += (size_t)got;
	close(master);
	assert_true(length > 0);
	return text;
}

/* Removes the escape sequences; returns how many there were. */
static size_t strip_styles(char *text)
{
	char *to = text;
	size_t count = 0;

	for (char *from = text; *from;) {
		if (*from == '\033') {
			from += strcspn(from, "m") + 1;
			count++;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return count;
}

/* Columns that the widest line takes. */
static size_t widest_line(const char *text)
{
	size_t widest = 0, width = 0;

	for (; *text; text++) {
		if (*text == '\n')
			width = 0;
		else if ((*text & 0xc0) != 0x80)
			width++;
		if (width > widest)
			widest = width;
	}
	return widest;
}

/* Takes the line at *text, with blanks made one, and leaves *text behind it; false at the end.
 */
static bool take_line(const char **text, char *line, size_t size)
{
	size_t length = 0;

	if (**text == '\0')
		return false;
	for (; **text && **text != '\n'; ++*text)
		if (length + 1 < size &&
		    (**text != ' ' || length == 0 || line[length - 1] != ' '))
			line[length++] = **text;
	line[length] = '\0';
	*text += **text == '\n';
	return true;
}

/* The first line whose first cells are these, with blanks made one; valid until the next call.
 */
static const char *line_of(const char *text, const char *cells)
{
	static char line[512];
	size_t length = strlen(cells);

	while (take_line(&text, line, sizeof(line)))
		if (strncmp(line, cells, length) == 0 && line[length] == ' ')
			return line;
	fail_msg("no line begins with '%s'", cells);
	return NULL;
}

struct sample {
	struct labels *labels;
	struct interval interval;
};

static int set_up(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	unsetenv("NO_COLOR");
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

static void test_by_vm(void **state)
{
	struct sample *sample = *state;
	char *text = to_file(&sample->interval, VIEW_BY_VM, "summary of 3 intervals");

	assert_int_equal(strncmp(text, "summary of 3 intervals  ", 24), 0);
	const char *title = line_of(text, "summary of");
	assert_non_null(strstr(title, "1.000 s, 2 CPUs, bpf cpu-clock 250 Hz, 498 samples"));
	assert_non_null(strstr(title, "2 lost"));
	assert_non_null(strstr(title, "% of one CPU"));
	assert_string_equal(line_of(text, "VM"), "VM GUEST VMM KERNEL SHARED HYPERV TOTAL "
						 "READY EXITS/s");
	/* Percent of one CPU; nothing at all is a dot, and what is not known a question mark.
	 */
	assert_string_equal(line_of(text, "web1"),
			    "web1 42.0 13.4 14.5 1.2 29.1 71.1 1.0 12345");
	assert_string_equal(line_of(text, "db"), "db 15.0 0.2 2.5 . 2.7 17.7 . ?");
	assert_string_equal(line_of(text, "other VMs"), "other VMs 10.0");
	assert_string_equal(line_of(text, "host processes"), "host processes 5.0");
	assert_string_equal(line_of(text, "host kernel"), "host kernel 2.0");
	assert_string_equal(line_of(text, "shared, no VM's"), "shared, no VM's 0.4");
	assert_string_equal(line_of(text, "kvmperf"), "kvmperf 0.1");
	assert_string_equal(line_of(text, "idle"), "idle 93.7");
	assert_string_equal(line_of(text, "sum"), "sum 200.0");
	assert_null(strstr(text, "batch"));
	assert_string_equal(line_of(text, "capacity"),
			    "capacity 200.0, sum 200.0: balanced to the nanosecond");
	assert_int_equal(strip_styles(text), 0);
	free(text);
}

static void test_by_thread(void **state)
{
	struct sample *sample = *state;
	char *text = to_file(&sample->interval, VIEW_BY_THREAD, NULL);

	assert_string_equal(line_of(text, "VM"),
			    "VM THREAD TID ROLE GUEST VMM KERNEL TOTAL READY");
	assert_string_equal(line_of(text, "web1 CPU 0/KVM"),
			    "web1 CPU 0/KVM 1240 vcpu 30.0 1.5 8.0 39.5 0.7");
	assert_string_equal(line_of(text, "web1 IO iothread0"),
			    "web1 IO iothread0 1242 iothread . 3.0 0.8 3.8 .");
	assert_string_equal(line_of(text, "web1 vhost-1234"),
			    "web1 vhost-1234 1250 vhost . . 4.0 4.0 .");
	/* Too little to be seen is not nothing. */
	assert_string_equal(line_of(text, "web1 kvm-pit/1234"),
			    "web1 kvm-pit/1234 1251 kvm . . 0.0 0.0 .");
	assert_string_equal(line_of(text, "web1 (shared work)"), "web1 (shared work) 1.2");
	assert_string_equal(line_of(text, "db fc_vcpu 0"),
			    "db fc_vcpu 0 2346 vcpu 15.0 0.2 2.5 17.7 .");
	assert_string_equal(line_of(text, "other VMs"), "other VMs 10.0");
	assert_string_equal(line_of(text, "sum"), "sum 200.0");
	free(text);
}

static void test_by_module(void **state)
{
	struct sample *sample = *state;

	sample->interval.ledger.vms[1].kernel.items[0].label = LABEL_UNSAMPLED;
	char *text = to_file(&sample->interval, VIEW_BY_MODULE, NULL);
	assert_string_equal(line_of(text, "VM"), "VM MODE MODULE TOTAL");
	assert_string_equal(line_of(text, "web1 guest user"), "web1 guest user 28.0");
	assert_string_equal(line_of(text, "web1 guest kernel"), "web1 guest kernel 14.0");
	assert_string_equal(line_of(text, "web1 vmm qemu-system-x86_64"),
			    "web1 vmm qemu-system-x86_64 12.0");
	assert_string_equal(line_of(text, "web1 kernel kvm"), "web1 kernel kvm 9.7");
	assert_string_equal(line_of(text, "web1 shared bridge"), "web1 shared bridge 1.2");
	assert_string_equal(line_of(text, "db guest"), "db guest 15.0");
	assert_string_equal(line_of(text, "db kernel"), "db kernel unsampled 2.5");
	assert_string_equal(line_of(text, "no VM's shared bridge"),
			    "no VM's shared bridge 0.3");
	assert_string_equal(line_of(text, "sum"), "sum 200.0");
	free(text);
}

/* The second table: a shared module, all of it, nobody's part, and whose the rest is. */
static void test_who_makes_a_module_busy(void **state)
{
	struct sample *sample = *state;
	struct ledger *ledger = &sample->interval.ledger;

	char *text = to_file(&sample->interval, VIEW_BY_MODULE, NULL);
	assert_string_equal(line_of(text, "SHARED"), "SHARED ALL NO VM'S MADE BUSY BY");
	assert_string_equal(line_of(text, "bridge"), "bridge 1.5 0.3 web1 1.2");
	free(text);
	assert_int_equal(label_times_add(&ledger->vms[1].shared, SAMPLE_BRIDGE, 700 * MS), 0);
	text = to_file(&sample->interval, VIEW_BY_MODULE, NULL);
	assert_non_null(strstr(text, "db 70.0, web1 1.2\n"));
	free(text);
	text = to_file(&sample->interval, VIEW_BY_VM, NULL);
	assert_null(strstr(text, "MADE BUSY BY"));
	free(text);
}

static void test_largest_module_first(void **state)
{
	struct sample *sample = *state;
	struct label_times *kernel = &sample->interval.ledger.vms[0].kernel;

	assert_int_equal(label_times_add(kernel, SAMPLE_BRIDGE, 70 * MS), 0);
	char *text = to_file(&sample->interval, VIEW_BY_MODULE, NULL);
	const char *kvm = strstr(text, "kernel  kvm "), *tun = strstr(text, "kernel  tun ");
	const char *bridge = strstr(text, "kernel  bridge ");
	assert_true(kvm && bridge && tun);
	assert_true(kvm < bridge && bridge < tun);
	free(text);
}

static void test_percent_of_one_cpu(void **state)
{
	struct sample *sample = *state;
	struct interval interval;

	/* Half a second of two CPUs in full: 200 %, whatever the interval. */
	sample_begin(&interval, sample->labels, 64, 0.5);
	interval.source.lost = 0;
	sample_vm(&interval, "web1", NULL, 1)->exits = 600;
	sample_thread(&interval, 2, THREAD_VCPU, 0, "CPU 0/KVM",
		      &(struct sample_times){.guest_ns = 1000 * MS, .ready_ns = 250 * MS});
	sample_end(&interval);
	char *text = to_file(&interval, VIEW_BY_VM, NULL);
	assert_string_equal(line_of(text, "web1"), "web1 200.0 . . . . 200.0 50.0 1200");
	assert_string_equal(line_of(text, "host processes"), "host processes 10.0");
	assert_string_equal(line_of(text, "sum"), "sum 6400.0");
	assert_non_null(strstr(text, "capacity 6400.0, sum 6400.0: balanced"));
	/* Nobody needs to hear that nothing was lost, or of VMs that are not there. */
	assert_null(strstr(text, "lost"));
	assert_null(strstr(text, "other VMs"));
	/* Without a title the time of day. */
	assert_true(text[2] == ':' && text[5] == ':' && text[8] == ' ');
	free(text);
	interval_free(&interval);
}

static void test_not_balanced(void **state)
{
	struct sample *sample = *state;
	struct ledger *ledger = &sample->interval.ledger;
	uint64_t *const accounts[] = {&ledger->idle_ns,
				      &ledger->processes_ns,
				      &ledger->kernel_ns,
				      &ledger->self_ns,
				      &ledger->vms[0].guest_ns,
				      &ledger->vms[2].kernel.total_ns,
				      &ledger->unattributed.total_ns};

	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		for (int step = -1; step <= 1; step += 2) {
			*accounts[i] += (uint64_t)step;
			for (size_t g = 0; g < 4; g++) {
				char *text = to_file(&sample->interval, groupings[g], NULL);
				assert_non_null(strstr(text, ": NOT BALANCED\n"));
				assert_null(strstr(text, "balanced to the nanosecond"));
				free(text);
			}
			*accounts[i] -= (uint64_t)step;
		}
	}
	ledger->idle_ns += 500 * MS;
	char *text = to_file(&sample->interval, VIEW_BY_VM, NULL);
	assert_string_equal(line_of(text, "capacity"),
			    "capacity 200.0, sum 250.0: NOT BALANCED");
	free(text);
}

#define LONG_NAME "kubevirt-production_web-frontend-%d-of-nine-on-this-host-größe"

/* A host of 64 CPUs with nine VMs of long names, each busy with some 18 vCPUs. */
static void nine_vms(struct interval *interval, const struct labels *labels)
{
	sample_begin(interval, labels, 64, 10.0);
	interval->source.lost = 0;
	interval->source.samples = 159998;
	for (int v = 0; v < 9; v++) {
		char name[96];
		snprintf(name, sizeof(name), LONG_NAME, v);
		sample_vm(interval, name, SAMPLE_UUID, 1000000 + v * 1000)->exits = 1234567;
		sample_thread(interval, 1000001 + v * 1000, THREAD_VCPU, 0, "CPU 0/KVM",
			      &(struct sample_times){9000 * MS, 100 * MS, 100 * MS, 500 * MS,
						     100 * MS, 90 * MS, 2000 * MS});
		sample_thread(interval, 1000002 + v * 1000, THREAD_IOTHREAD, -1,
			      "IO iothread0123",
			      &(struct sample_times){0, 9000 * MS, 0, 1000 * MS, 0, 0, 0});
		sample_thread(interval, 1000003 + v * 1000, THREAD_OTHER, -1, "threads of all",
			      &(struct sample_times){.guest_ns = 46000 * MS});
	}
	sample_end(interval);
}

static void test_terminal_of_80_columns(void **state)
{
	struct sample *sample = *state;
	struct interval interval;

	nine_vms(&interval, sample->labels);
	for (size_t g = 0; g < 4; g++) {
		char *text = to_terminal(&interval, groupings[g], 80);
		assert_true(strip_styles(text) > 0);
		if (widest_line(text) > 80)
			fail_msg("%zu columns:\n%s", widest_line(text), text);
		/* Names give way, and show it; figures and titles stay. */
		assert_null(strstr(text, "größe"));
		assert_non_null(strstr(text, "kubevirt-pr"));
		assert_non_null(strstr(text, "~ "));
		assert_non_null(strstr(text, "6400.0"));
		assert_non_null(strstr(text, "TOTAL"));
		assert_non_null(strstr(text, ": balanced to the nanosecond\n"));
		free(text);
	}
	char *text = to_terminal(&interval, VIEW_BY_VM, 80);
	strip_styles(text);
	assert_non_null(strstr(line_of(text, "kubevirt-production_web-fr~"),
			       "~ 550.0 92.0 16.0 0.9 108.9 658.9 20.0 123457"));
	free(text);
	interval_free(&interval);
}

static void test_nothing_is_cut_elsewhere(void **state)
{
	struct sample *sample = *state;
	struct interval interval;

	nine_vms(&interval, sample->labels);
	for (size_t g = 0; g < 4; g++) {
		char *wide = to_terminal(&interval, groupings[g], 250);
		char *file = to_file(&interval, groupings[g], NULL);
		strip_styles(wide);
		assert_string_equal(wide, file);
		for (int v = 0; v < 9; v++) {
			char name[96];
			snprintf(name, sizeof(name), LONG_NAME "  ", v);
			assert_non_null(strstr(file, name));
		}
		assert_null(strchr(file, '~'));
		assert_null(strchr(file, '\033'));
		free(wide);
		free(file);
	}
	interval_free(&interval);
}

static void test_styles(void **state)
{
	struct sample *sample = *state;
	char *text = to_terminal(&sample->interval, VIEW_BY_VM, 80);

	assert_non_null(strstr(text, "\033[1mVM "));
	assert_non_null(strstr(text, "\033[1msum "));
	assert_non_null(strstr(text, "\033[2midle "));
	free(text);
	/* https://no-color.org: set and not empty */
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	text = to_terminal(&sample->interval, VIEW_BY_VM, 80);
	assert_int_equal(strip_styles(text), 0);
	free(text);
	assert_int_equal(setenv("NO_COLOR", "", 1), 0);
	text = to_terminal(&sample->interval, VIEW_BY_VM, 80);
	assert_true(strip_styles(text) > 0);
	free(text);
	/* A terminal that does not know its size. */
	sample->interval.source.lost = 0;
	text = to_terminal(&sample->interval, VIEW_BY_VM, 0);
	strip_styles(text);
	assert_true(widest_line(text) <= 80);
	free(text);
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
			assert_int_equal(interval_write_table(full, &sample->interval,
							      groupings[g], NULL),
					 -EIO);
			fclose(full);
		}
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_vm),
		TEST(test_by_thread),
		TEST(test_by_module),
		TEST(test_who_makes_a_module_busy),
		TEST(test_largest_module_first),
		TEST(test_percent_of_one_cpu),
		TEST(test_not_balanced),
		TEST(test_terminal_of_80_columns),
		TEST(test_nothing_is_cut_elsewhere),
		TEST(test_styles),
		TEST(test_stream_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
