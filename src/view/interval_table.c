/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/interval_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "symbols/exit_reasons.h"
#include "view/shared_table.h"
#include "view/text_table.h"

#define COLUMNS_MAX 12
#define CELL_SIZE   24

/* One row being made: text that is borrowed, or numbers in room of their own. */
struct row {
	const char *cells[COLUMNS_MAX];
	char room[COLUMNS_MAX][CELL_SIZE];
	unsigned count;
};

struct page {
	const struct interval *interval;
	struct text_table *table;
	unsigned columns;
	unsigned total_column; /* where the accounts that are no VM's have their figure */
	int error;
};

static void put_text(struct row *row, const char *text)
{
	row->cells[row->count++] = text;
}

/* Percent of one CPU. Nothing at all is a dot, so that figures stand out. */
static void put_percent(const struct page *page, struct row *row, uint64_t ns)
{
	double percent = (double)ns / 1e7 / page->interval->duration_s;

	if (ns == 0)
		snprintf(row->room[row->count], CELL_SIZE, ".");
	else
		snprintf(row->room[row->count], CELL_SIZE, "%.1f", percent);
	put_text(row, row->room[row->count]);
}

static void put_integer(struct row *row, long number)
{
	snprintf(row->room[row->count], CELL_SIZE, "%ld", number);
	put_text(row, row->room[row->count]);
}

static void put_rate(const struct page *page, struct row *row, bool known, uint64_t count)
{
	if (known)
		put_integer(row, lround((double)count / page->interval->duration_s));
	else
		put_text(row, "?");
}

/* Samples don't tell who waited for a CPU. */
static void put_ready(const struct page *page, struct row *row, uint64_t ns)
{
	if (page->interval->source.anchor)
		put_text(row, "?");
	else
		put_percent(page, row, ns);
}

static void finish_row(struct page *page, struct row *row, enum text_style style)
{
	while (row->count < page->columns)
		put_text(row, NULL);
	if (!page->error)
		page->error = text_table_add(page->table, row->cells, style);
}

static void add_account(struct page *page, const char *name, uint64_t ns, enum text_style style)
{
	struct row row = {0};

	put_text(&row, name);
	while (row.count < page->total_column)
		put_text(&row, NULL);
	put_percent(page, &row, ns);
	finish_row(page, &row, style);
}

static const struct text_column vm_columns[] = {
	{"VM", TEXT_LEFT, 12},	   {"GUEST", TEXT_RIGHT, 0},  {"VMM", TEXT_RIGHT, 0},
	{"KERNEL", TEXT_RIGHT, 0}, {"SHARED", TEXT_RIGHT, 0}, {"HYPERV", TEXT_RIGHT, 0},
	{"TOTAL", TEXT_RIGHT, 0},  {"READY", TEXT_RIGHT, 0},  {"EXITS/s", TEXT_RIGHT, 0},
};

static const struct text_column error_columns[] = {
	{"VM", TEXT_LEFT, 12},	   {"GUEST", TEXT_RIGHT, 0},  {"+/-", TEXT_RIGHT, 0},
	{"VMM", TEXT_RIGHT, 0},	   {"+/-", TEXT_RIGHT, 0},    {"KERNEL", TEXT_RIGHT, 0},
	{"+/-", TEXT_RIGHT, 0},	   {"SHARED", TEXT_RIGHT, 0}, {"+/-", TEXT_RIGHT, 0},
	{"HYPERV", TEXT_RIGHT, 0}, {"+/-", TEXT_RIGHT, 0},    {"TOTAL", TEXT_RIGHT, 0},
};

static void put_estimate(const struct page *page, struct row *row, uint64_t ns, double error95)
{
	put_percent(page, row, ns);
	put_percent(page, row, (uint64_t)llround(error95));
}

static void add_vms_with_errors(struct page *page, size_t index)
{
	const struct ledger_vm *ledger = &page->interval->ledger.vms[index];
	const struct ledger_error *error = &ledger->error95;
	struct row row = {0};

	put_text(&row, page->interval->vms[index].name);
	put_estimate(page, &row, ledger->guest_ns, error->guest);
	put_estimate(page, &row, ledger->vmm.total_ns, error->vmm);
	put_estimate(page, &row, ledger->kernel.total_ns, error->kernel);
	put_estimate(page, &row, ledger->shared.total_ns, error->shared);
	put_estimate(page, &row, ledger_vm_hypervisor_ns(ledger), error->hypervisor);
	put_percent(page, &row, ledger_vm_total_ns(ledger));
	finish_row(page, &row, TEXT_PLAIN);
}

static void add_vms(struct page *page)
{
	for (size_t i = 0; i < page->interval->ledger.vm_count; i++) {
		const struct interval_vm *vm = &page->interval->vms[i];
		const struct ledger_vm *ledger = &page->interval->ledger.vms[i];
		struct row row = {0};
		if (!vm->selected)
			continue;
		put_text(&row, vm->name);
		put_percent(page, &row, ledger->guest_ns);
		put_percent(page, &row, ledger->vmm.total_ns);
		put_percent(page, &row, ledger->kernel.total_ns);
		put_percent(page, &row, ledger->shared.total_ns);
		put_percent(page, &row, ledger_vm_hypervisor_ns(ledger));
		put_percent(page, &row, ledger_vm_total_ns(ledger));
		put_ready(page, &row, vm->ready_ns);
		put_rate(page, &row, vm->kvm_stats_known, vm->exits);
		finish_row(page, &row, TEXT_PLAIN);
	}
}

static const struct text_column thread_columns[] = {
	{"VM", TEXT_LEFT, 12},	   {"THREAD", TEXT_LEFT, 10}, {"TID", TEXT_RIGHT, 0},
	{"ROLE", TEXT_LEFT, 0},	   {"GUEST", TEXT_RIGHT, 0},  {"VMM", TEXT_RIGHT, 0},
	{"KERNEL", TEXT_RIGHT, 0}, {"TOTAL", TEXT_RIGHT, 0},  {"READY", TEXT_RIGHT, 0},
};

static void add_threads(struct page *page, size_t vm)
{
	const struct interval *interval = page->interval;

	for (size_t i = 0; i < interval->ledger.thread_count; i++) {
		const struct interval_thread *thread = &interval->threads[i];
		const struct ledger_thread *times = &interval->ledger.threads[i];
		struct row row = {0};
		if (thread->owner != OWNER_VM || thread->vm != vm)
			continue;
		put_text(&row, interval->vms[vm].name);
		put_text(&row, thread->name);
		put_integer(&row, thread->tid);
		put_text(&row, thread_role_name(thread->role));
		put_percent(page, &row, times->guest_ns);
		put_percent(page, &row, times->user_ns);
		put_percent(page, &row, times->kernel_ns);
		put_percent(page, &row, times->guest_ns + times->user_ns + times->kernel_ns);
		put_ready(page, &row, thread->ready_ns);
		finish_row(page, &row, TEXT_PLAIN);
	}
	struct row row = {0};
	put_text(&row, interval->vms[vm].name);
	put_text(&row, "(shared work)");
	while (row.count < page->total_column)
		put_text(&row, NULL);
	put_percent(page, &row, interval->ledger.vms[vm].shared.total_ns);
	finish_row(page, &row, TEXT_PLAIN);
}

static const struct text_column module_columns[] = {
	{"VM", TEXT_LEFT, 12},
	{"MODE", TEXT_LEFT, 0},
	{"MODULE", TEXT_LEFT, 12},
	{"TOTAL", TEXT_RIGHT, 0},
};

static int compare_times(const void *left, const void *right)
{
	const struct label_time *a = left, *b = right;

	return (a->ns < b->ns) - (a->ns > b->ns);
}

static void add_module(struct page *page, const char *vm, const char *mode, const char *module,
		       uint64_t ns)
{
	struct row row = {0};

	put_text(&row, vm);
	put_text(&row, mode);
	put_text(&row, module);
	put_percent(page, &row, ns);
	finish_row(page, &row, TEXT_PLAIN);
}

/* The largest first. */
static void add_labels(struct page *page, const char *vm, const char *mode,
		       const struct label_times *times)
{
	struct label_time *items = calloc(times->count + 1, sizeof(*items));

	if (!items) {
		page->error = -ENOMEM;
		return;
	}
	if (times->count)
		memcpy(items, times->items, times->count * sizeof(*items));
	qsort(items, times->count, sizeof(*items), compare_times);
	for (size_t i = 0; i < times->count; i++)
		add_module(page, vm, mode, labels_name(page->interval->labels, items[i].label),
			   items[i].ns);
	free(items);
}

static void add_modules(struct page *page, size_t index)
{
	const char *name = page->interval->vms[index].name;
	const struct ledger_vm *ledger = &page->interval->ledger.vms[index];

	if (ledger->guest_split_known) {
		add_module(page, name, "guest", "user", ledger->guest_user_ns);
		add_module(page, name, "guest", "kernel", ledger->guest_kernel_ns);
	} else {
		add_module(page, name, "guest", NULL, ledger->guest_ns);
	}
	add_labels(page, name, "vmm", &ledger->vmm);
	add_labels(page, name, "kernel", &ledger->kernel);
	add_labels(page, name, "shared", &ledger->shared);
}

static const struct text_column exit_columns[] = {
	{"VM", TEXT_LEFT, 12},	    {"EXIT", TEXT_LEFT, 12},  {"EXITS/s", TEXT_RIGHT, 0},
	{"us/EXIT", TEXT_RIGHT, 0}, {"TOTAL", TEXT_RIGHT, 0},
};

static void add_exit(struct page *page, const char *vm, const char *name,
		     const struct interval_exits *exits, uint64_t ns)
{
	struct row row = {0};

	put_text(&row, vm);
	put_text(&row, name);
	if (exits) {
		put_rate(page, &row, true, exits->count);
		if (exits->count)
			snprintf(row.room[row.count], CELL_SIZE, "%.1f",
				 (double)exits->ns / 1e3 / (double)exits->count);
		put_text(&row, exits->count ? row.room[row.count] : NULL);
	} else {
		put_text(&row, NULL);
		put_text(&row, NULL);
	}
	put_percent(page, &row, ns);
	finish_row(page, &row, TEXT_PLAIN);
}

/* What the time of a VM's exits, and that outside of them, sums to with guest and shared. */
static void add_exits(struct page *page, size_t index)
{
	const struct interval_vm *vm = &page->interval->vms[index];
	const struct ledger_vm *ledger = &page->interval->ledger.vms[index];
	char name[EXIT_REASON_SIZE];

	add_exit(page, vm->name, "(guest)", NULL, ledger->guest_ns);
	for (size_t i = 0; i < vm->exit_reasons; i++) {
		const struct interval_exits *exits = &vm->exits_by_reason[i];
		add_exit(page, vm->name, exit_reason_name(exits->isa, exits->code, name), exits,
			 exits->ns);
	}
	add_exit(page, vm->name, vm->exits_known ? "(no exit's)" : "(all exits)", NULL,
		 interval_outside_exits_ns(page->interval, index));
	add_exit(page, vm->name, "(shared work)", NULL, ledger->shared.total_ns);
}

static void add_host(struct page *page, enum view_grouping by)
{
	const struct ledger *ledger = &page->interval->ledger;
	uint64_t other_vms_ns = interval_other_vms_ns(page->interval);

	if (other_vms_ns)
		add_account(page, "other VMs", other_vms_ns, TEXT_PLAIN);
	add_account(page, "host processes", ledger->processes_ns, TEXT_PLAIN);
	add_account(page, "host kernel", ledger->kernel_ns, TEXT_PLAIN);
	if (by == VIEW_BY_MODULE)
		add_labels(page, "no VM's", "shared", &ledger->unattributed);
	else
		add_account(page, "shared, no VM's", ledger->unattributed.total_ns, TEXT_PLAIN);
	add_account(page, "kvmperf", ledger->self_ns, TEXT_PLAIN);
	add_account(page, "idle", ledger->idle_ns, TEXT_DIM);
	add_account(page, "sum", ledger_sum(ledger), TEXT_BOLD);
}

static void add_selected(struct page *page, void (*add)(struct page *, size_t))
{
	for (size_t i = 0; i < page->interval->ledger.vm_count; i++)
		if (page->interval->vms[i].selected)
			add(page, i);
}

struct text_layout interval_table_layout(FILE *stream)
{
	struct text_layout layout = {0};
	struct winsize size;
	const char *no_color = getenv("NO_COLOR");

	if (isatty(fileno(stream))) {
		layout.width = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col
				       ? size.ws_col
				       : 80;
		layout.styles = !no_color || no_color[0] == '\0';
	}
	return layout;
}

void interval_table_title(FILE *stream, const struct interval *interval, const char *title,
			  unsigned width)
{
	const struct interval_source *source = &interval->source;
	time_t seconds = isnan(interval->start) ? 0 : (time_t)interval->start;
	struct tm local;
	char clock[16] = "recorded", lost[32] = "", exact[48] = "", line[256];

	if (!title && !isnan(interval->start) && localtime_r(&seconds, &local))
		strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	if (source->lost)
		snprintf(lost, sizeof(lost), ", %llu lost", (unsigned long long)source->lost);
	if (source->exact && source->duty < 1)
		snprintf(exact, sizeof(exact), "exact in %.0f %% of the time, ",
			 100 * source->duty);
	else if (source->exact)
		snprintf(exact, sizeof(exact), "exact, ");
	snprintf(line, sizeof(line),
		 "%s  %.3f s, %zu CPUs, %s%s %s %u Hz, %llu samples%s; %% of one CPU",
		 title ? title : clock, interval->duration_s, interval->cpus, exact,
		 source->collector, source->event, source->frequency_hz,
		 (unsigned long long)source->samples, lost);
	fprintf(stream, "%.*s\n", width ? (int)width : (int)sizeof(line), line);
}

void interval_table_footer(FILE *stream, const struct interval *interval)
{
	const struct ledger *ledger = &interval->ledger;
	double percent = 1e7 * interval->duration_s;

	if (interval->source.anchor)
		fprintf(stream, "threads' times are estimated from %s\n",
			interval->source.anchor);
	fprintf(stream, "capacity %.1f, sum %.1f: %s\n\n",
		(double)ledger->capacity_ns / percent, (double)ledger_sum(ledger) / percent,
		ledger_sum(ledger) == ledger->capacity_ns ? "balanced to the nanosecond"
							  : "NOT BALANCED");
}

int interval_write_table(FILE *stream, const struct interval *interval, enum view_grouping by,
			 const char *title)
{
	static const struct {
		const struct text_column *columns;
		unsigned count, total;
	} forms[] = {
		{vm_columns, sizeof(vm_columns) / sizeof(vm_columns[0]), 6},
		{thread_columns, sizeof(thread_columns) / sizeof(thread_columns[0]), 7},
		{module_columns, sizeof(module_columns) / sizeof(module_columns[0]), 3},
		{exit_columns, sizeof(exit_columns) / sizeof(exit_columns[0]), 4},
		{module_columns, sizeof(module_columns) / sizeof(module_columns[0]), 3},
		{error_columns, sizeof(error_columns) / sizeof(error_columns[0]), 11},
	};
	struct page page = {
		.interval = interval,
		.columns = forms[by].count,
		.total_column = forms[by].total,
		.table = text_table_new(forms[by].columns, forms[by].count),
	};
	struct text_layout layout = interval_table_layout(stream);

	if (!page.table)
		return -ENOMEM;
	switch (by) {
	case VIEW_BY_VM: add_vms(&page); break;
	case VIEW_BY_THREAD: add_selected(&page, add_threads); break;
	case VIEW_BY_MODULE:
	case VIEW_BY_SYMBOL: add_selected(&page, add_modules); break;
	case VIEW_BY_EXIT: add_selected(&page, add_exits); break;
	case VIEW_BY_VM_WITH_ERRORS: add_selected(&page, add_vms_with_errors); break;
	}
	add_host(&page, by);
	if (!page.error) {
		interval_table_title(stream, interval, title, layout.width);
		text_table_print(page.table, &layout, stream);
		interval_table_footer(stream, interval);
		if (by == VIEW_BY_MODULE)
			page.error = shared_table_write(stream, interval, &layout);
	}
	text_table_free(page.table);
	if (page.error)
		return page.error;
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}
