/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/interval_csv.h"

#include <errno.h>
#include <math.h>

#include "symbols/exit_reasons.h"
#include "view/csv.h"

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double seconds_if(bool known, uint64_t ns)
{
	return known ? seconds(ns) : NAN;
}

static void begin_line(struct csv *csv, const struct interval *interval, const char *account)
{
	csv_seconds(csv, interval->start);
	csv_seconds(csv, interval->duration_s);
	csv_seconds(csv, seconds(interval->ledger.capacity_ns));
	csv_text(csv, account);
}

static void write_identity(struct csv *csv, const struct interval_vm *vm)
{
	csv_text(csv, vm->name);
	csv_text(csv, vm->id);
	csv_integer(csv, (uint64_t)vm->pid);
}

static void skip(struct csv *csv, unsigned fields)
{
	while (fields--)
		csv_text(csv, NULL);
}

static void write_integer_if(struct csv *csv, bool known, uint64_t number)
{
	if (known)
		csv_integer(csv, number);
	else
		csv_text(csv, NULL);
}

static void write_vm(struct csv *csv, const struct interval *interval, size_t index,
		     bool with_errors)
{
	const struct interval_vm *vm = &interval->vms[index];
	const struct ledger_vm *ledger = &interval->ledger.vms[index];
	bool split = ledger->guest_split_known;

	begin_line(csv, interval, "vm");
	write_identity(csv, vm);
	csv_seconds(csv, seconds(ledger_vm_total_ns(ledger)));
	csv_seconds(csv, seconds(ledger->guest_ns));
	csv_seconds(csv, seconds_if(split, ledger->guest_user_ns));
	csv_seconds(csv, seconds_if(split, ledger->guest_kernel_ns));
	csv_seconds(csv, seconds(ledger->vmm.total_ns));
	csv_seconds(csv, seconds(ledger->kernel.total_ns));
	csv_seconds(csv, seconds(ledger->shared.total_ns));
	csv_seconds(csv, seconds(ledger_vm_hypervisor_ns(ledger)));
	csv_seconds(csv, ledger->error95.hypervisor / 1e9);
	csv_seconds(csv, seconds_if(!interval->source.anchor, vm->ready_ns));
	write_integer_if(csv, vm->kvm_stats_known, vm->exits);
	csv_seconds(csv, seconds_if(vm->kvm_stats_known, vm->halt_poll_ns));
	write_integer_if(csv, vm->traffic_known, vm->traffic.rx_bytes);
	write_integer_if(csv, vm->traffic_known, vm->traffic.rx_packets);
	write_integer_if(csv, vm->traffic_known, vm->traffic.tx_bytes);
	write_integer_if(csv, vm->traffic_known, vm->traffic.tx_packets);
	if (with_errors) {
		csv_seconds(csv, ledger->error95.guest / 1e9);
		csv_seconds(csv, ledger->error95.vmm / 1e9);
		csv_seconds(csv, ledger->error95.kernel / 1e9);
		csv_seconds(csv, ledger->error95.shared / 1e9);
	}
	csv_end(csv);
}

static void write_vm_titles(struct csv *csv)
{
	static const char *const titles[] = {
		"start",	"duration_s",	  "capacity_s",
		"account",	"name",		  "id",
		"pid",		"total_s",	  "guest_s",
		"guest_user_s", "guest_kernel_s", "vmm_s",
		"kernel_s",	"shared_s",	  "hypervisor_s",
		"error95_s",	"ready_s",	  "exits",
		"halt_poll_s",	"rx_bytes",	  "rx_packets",
		"tx_bytes",	"tx_packets",
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_text(csv, titles[i]);
}

static void write_vm_header(struct csv *csv)
{
	write_vm_titles(csv);
	csv_end(csv);
}

static void write_error_header(struct csv *csv)
{
	static const char *const titles[] = {"guest_error95_s", "vmm_error95_s",
					     "kernel_error95_s", "shared_error95_s"};

	write_vm_titles(csv);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_text(csv, titles[i]);
	csv_end(csv);
}

/* Columns behind total_s, for the lines that have no more to say. */
#define VM_TAIL	    15
#define ERROR_TAIL  (VM_TAIL + 4)
#define THREAD_TAIL 4
#define MODULE_TAIL 0

static void write_thread_header(struct csv *csv)
{
	static const char *const titles[] = {
		"start",   "duration_s", "capacity_s", "account", "name",   "id",
		"pid",	   "tid",	 "role",       "index",	  "thread", "total_s",
		"guest_s", "vmm_s",	 "kernel_s",   "ready_s",
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_text(csv, titles[i]);
	csv_end(csv);
}

static void write_thread(struct csv *csv, const struct interval *interval, size_t index)
{
	const struct interval_thread *thread = &interval->threads[index];
	const struct ledger_thread *times = &interval->ledger.threads[index];

	begin_line(csv, interval, "thread");
	write_identity(csv, &interval->vms[thread->vm]);
	csv_integer(csv, (uint64_t)thread->tid);
	csv_text(csv, thread_role_name(thread->role));
	write_integer_if(csv, thread->index >= 0, (uint64_t)thread->index);
	csv_text(csv, thread->name);
	csv_seconds(csv, seconds(times->guest_ns + times->user_ns + times->kernel_ns));
	csv_seconds(csv, seconds(times->guest_ns));
	csv_seconds(csv, seconds(times->user_ns));
	csv_seconds(csv, seconds(times->kernel_ns));
	csv_seconds(csv, seconds_if(!interval->source.anchor, thread->ready_ns));
	csv_end(csv);
}

static void write_threads(struct csv *csv, const struct interval *interval)
{
	for (size_t i = 0; i < interval->ledger.thread_count; i++)
		if (interval->threads[i].owner == OWNER_VM &&
		    interval->vms[interval->threads[i].vm].selected)
			write_thread(csv, interval, i);
	for (size_t i = 0; i < interval->ledger.vm_count; i++) {
		if (!interval->vms[i].selected)
			continue;
		begin_line(csv, interval, "shared");
		write_identity(csv, &interval->vms[i]);
		skip(csv, 4);
		csv_seconds(csv, seconds(interval->ledger.vms[i].shared.total_ns));
		skip(csv, THREAD_TAIL);
		csv_end(csv);
	}
}

static void write_module_header(struct csv *csv)
{
	static const char *const titles[] = {
		"start", "duration_s", "capacity_s", "account", "name",
		"id",	 "pid",	       "mode",	     "module",	"total_s",
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_text(csv, titles[i]);
	csv_end(csv);
}

static void write_module(struct csv *csv, const struct interval *interval,
			 const struct interval_vm *vm, const char *mode, const char *module,
			 uint64_t ns)
{
	begin_line(csv, interval, vm ? "vm" : "shared_unattributed");
	if (vm)
		write_identity(csv, vm);
	else
		skip(csv, 3);
	csv_text(csv, mode);
	csv_text(csv, module);
	csv_seconds(csv, seconds(ns));
	csv_end(csv);
}

static void write_labels(struct csv *csv, const struct interval *interval,
			 const struct interval_vm *vm, const char *mode,
			 const struct label_times *times)
{
	for (size_t i = 0; i < times->count; i++)
		write_module(csv, interval, vm, mode,
			     labels_name(interval->labels, times->items[i].label),
			     times->items[i].ns);
}

static void write_modules(struct csv *csv, const struct interval *interval)
{
	for (size_t i = 0; i < interval->ledger.vm_count; i++) {
		const struct interval_vm *vm = &interval->vms[i];
		const struct ledger_vm *ledger = &interval->ledger.vms[i];
		if (!vm->selected)
			continue;
		if (ledger->guest_split_known) {
			write_module(csv, interval, vm, "guest", "user", ledger->guest_user_ns);
			write_module(csv, interval, vm, "guest", "kernel",
				     ledger->guest_kernel_ns);
		} else {
			write_module(csv, interval, vm, "guest", NULL, ledger->guest_ns);
		}
		write_labels(csv, interval, vm, "vmm", &ledger->vmm);
		write_labels(csv, interval, vm, "kernel", &ledger->kernel);
		write_labels(csv, interval, vm, "shared", &ledger->shared);
	}
	write_labels(csv, interval, NULL, "shared", &interval->ledger.unattributed);
}

static void write_exit_header(struct csv *csv)
{
	static const char *const titles[] = {
		"start", "duration_s", "capacity_s", "account", "name",
		"id",	 "pid",	       "reason",     "count",	"total_s",
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_text(csv, titles[i]);
	csv_end(csv);
}

static void write_exit(struct csv *csv, const struct interval *interval,
		       const struct interval_vm *vm, const char *account, const char *reason,
		       const uint64_t *count, uint64_t ns)
{
	begin_line(csv, interval, account);
	write_identity(csv, vm);
	csv_text(csv, reason);
	write_integer_if(csv, count != NULL, count ? *count : 0);
	csv_seconds(csv, seconds(ns));
	csv_end(csv);
}

static void write_exits(struct csv *csv, const struct interval *interval, size_t index)
{
	const struct interval_vm *vm = &interval->vms[index];
	const struct ledger_vm *ledger = &interval->ledger.vms[index];
	char name[EXIT_REASON_SIZE];

	write_exit(csv, interval, vm, "guest", NULL, NULL, ledger->guest_ns);
	for (size_t i = 0; i < vm->exit_reasons; i++) {
		const struct interval_exits *exits = &vm->exits_by_reason[i];
		write_exit(csv, interval, vm, "exit",
			   exit_reason_name(exits->isa, exits->code, name), &exits->count,
			   exits->ns);
	}
	write_exit(csv, interval, vm, "outside_exits", NULL, NULL,
		   interval_outside_exits_ns(interval, index));
	write_exit(csv, interval, vm, "shared", NULL, NULL, ledger->shared.total_ns);
}

/* An account that is no VM's; fields: columns between the account and total_s. */
static void write_account(struct csv *csv, const struct interval *interval, const char *account,
			  uint64_t ns, unsigned fields, unsigned tail)
{
	begin_line(csv, interval, account);
	skip(csv, fields);
	csv_seconds(csv, seconds(ns));
	skip(csv, tail);
	csv_end(csv);
}

static void write_host(struct csv *csv, const struct interval *interval, enum view_grouping by)
{
	static const unsigned fields[] = {3, 7, 5, 5, 5, 3};
	static const unsigned tails[] = {VM_TAIL, THREAD_TAIL, MODULE_TAIL,
					 0,	  MODULE_TAIL, ERROR_TAIL};
	const struct ledger *ledger = &interval->ledger;

	write_account(csv, interval, "processes", interval_processes_ns(interval), fields[by],
		      tails[by]);
	write_account(csv, interval, "kernel", ledger->kernel_ns, fields[by], tails[by]);
	if (by != VIEW_BY_MODULE)
		write_account(csv, interval, "shared_unattributed",
			      ledger->unattributed.total_ns, fields[by], tails[by]);
	write_account(csv, interval, "self", ledger->self_ns, fields[by], tails[by]);
	write_account(csv, interval, "idle", ledger->idle_ns, fields[by], tails[by]);
}

int interval_write_csv(FILE *stream, const struct interval *interval, enum view_grouping by,
		       bool header)
{
	static void (*const headers[])(struct csv *) = {
		write_vm_header,   write_thread_header, write_module_header,
		write_exit_header, write_module_header, write_error_header};
	struct csv csv = {.out = stream};

	if (header)
		headers[by](&csv);
	if (by == VIEW_BY_THREAD)
		write_threads(&csv, interval);
	else if (by == VIEW_BY_MODULE)
		write_modules(&csv, interval);
	else if (by == VIEW_BY_EXIT)
		for (size_t i = 0; i < interval->ledger.vm_count; i++) {
			if (interval->vms[i].selected)
				write_exits(&csv, interval, i);
		}
	else
		for (size_t i = 0; i < interval->ledger.vm_count; i++)
			if (interval->vms[i].selected)
				write_vm(&csv, interval, i, by == VIEW_BY_VM_WITH_ERRORS);
	write_host(&csv, interval, by);
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}
