/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/vm_list.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "view/csv.h"

/* The names of the VM's taps, joined; an unnamed one is shown by index. Owned by the caller. */
static char *join_taps(const struct vm *vm, const char *separator)
{
	char *joined = NULL;
	size_t length;
	FILE *memory = open_memstream(&joined, &length);

	if (!memory)
		return NULL;
	for (size_t i = 0; i < vm->tap_count; i++) {
		if (i)
			fputs(separator, memory);
		if (vm->taps[i].name[0])
			fputs(vm->taps[i].name, memory);
		else
			fprintf(memory, "if%u", vm->taps[i].ifindex);
	}
	if (fclose(memory)) {
		free(joined);
		return NULL;
	}
	return joined;
}

static double halt_poll_s(const struct vm *vm)
{
	return vm->kvm_stats_known ? (double)vm->halt_poll_ns / 1e9 : (double)NAN;
}

static int add_vm_row(struct text_table *table, const struct vm *vm)
{
	char pid[16], vcpus[16], threads[24];
	char *taps = join_taps(vm, ",");
	int result;

	if (!taps)
		return -ENOMEM;
	snprintf(pid, sizeof(pid), "%d", vm->pid);
	snprintf(vcpus, sizeof(vcpus), "%u", vm->vcpus);
	snprintf(threads, sizeof(threads), "%zu", vm->thread_count);
	result = text_table_add(
		table,
		(const char *const[]){vm->name, pid, vm->vmm, vcpus, threads, taps, vm->id},
		TEXT_PLAIN);
	free(taps);
	return result;
}

int vm_list_print_table(const struct vm *const *vms, size_t count,
			const struct text_layout *layout, FILE *out)
{
	static const struct text_column columns[] = {
		{"NAME", TEXT_LEFT, 8},	  {"PID", TEXT_RIGHT, 0},     {"VMM", TEXT_LEFT, 0},
		{"VCPUS", TEXT_RIGHT, 0}, {"THREADS", TEXT_RIGHT, 0}, {"TAPS", TEXT_LEFT, 5},
		{"ID", TEXT_LEFT, 8},
	};
	struct text_table *table = text_table_new(columns, sizeof(columns) / sizeof(*columns));
	int result = table ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !result; i++)
		result = add_vm_row(table, vms[i]);
	if (!result)
		text_table_print(table, layout, out);
	text_table_free(table);
	return result;
}

static int print_threads(const struct vm *vm, const struct text_layout *layout, FILE *out)
{
	static const struct text_column columns[] = {
		{"     TID", TEXT_RIGHT, 0},
		{"ROLE", TEXT_LEFT, 0},
		{"INDEX", TEXT_RIGHT, 0},
		{"NAME", TEXT_LEFT, 0},
	};
	struct text_table *table = text_table_new(columns, sizeof(columns) / sizeof(*columns));
	int result = table ? 0 : -ENOMEM;

	for (size_t i = 0; i < vm->thread_count && !result; i++) {
		const struct vm_thread *thread = &vm->threads[i];
		char tid[16], index[16] = "";

		snprintf(tid, sizeof(tid), "%d", thread->tid);
		if (thread->index >= 0)
			snprintf(index, sizeof(index), "%d", thread->index);
		result = text_table_add(table,
					(const char *const[]){tid,
							      thread_role_name(thread->role),
							      index, thread->name},
					TEXT_PLAIN);
	}
	if (!result)
		text_table_print(table, layout, out);
	text_table_free(table);
	return result;
}

int vm_list_print_details(const struct vm *vm, const struct text_layout *layout, FILE *out)
{
	char *taps = join_taps(vm, ", ");

	if (!taps)
		return -ENOMEM;
	fprintf(out, "\n%s%s%s\n", layout->styles ? "\033[1m" : "", vm->name,
		layout->styles ? "\033[0m" : "");
	if (vm->display_name)
		fprintf(out, "  shown as      %s\n", vm->display_name);
	fprintf(out, "  uuid          %s\n", vm->uuid ? vm->uuid : "unknown");
	fprintf(out, "  cgroup        %s\n", vm->cgroup ? vm->cgroup : "unknown");
	fprintf(out, "  taps          %s\n", *taps ? taps : "none");
	free(taps);
	if (vm->kvm_stats_known)
		fprintf(out, "  exits         %" PRIu64 "\n  halt polling  %.3f s\n", vm->exits,
			halt_poll_s(vm));
	return print_threads(vm, layout, out);
}

int vm_list_print_csv(const struct vm *const *vms, size_t count, FILE *out)
{
	static const char *const header[] = {"name", "id",	     "pid",   "vmm",
					     "uuid", "display_name", "vcpus", "threads",
					     "taps", "cgroup",	     "exits", "halt_poll_s"};
	struct csv csv = {.out = out};

	for (size_t i = 0; i < sizeof(header) / sizeof(*header); i++)
		csv_text(&csv, header[i]);
	csv_end(&csv);
	for (size_t i = 0; i < count; i++) {
		const struct vm *vm = vms[i];
		char *taps = join_taps(vm, ";");

		if (!taps)
			return -ENOMEM;
		csv_text(&csv, vm->name);
		csv_text(&csv, vm->id);
		csv_integer(&csv, (uint64_t)vm->pid);
		csv_text(&csv, vm->vmm);
		csv_text(&csv, vm->uuid);
		csv_text(&csv, vm->display_name);
		csv_integer(&csv, vm->vcpus);
		csv_integer(&csv, vm->thread_count);
		csv_text(&csv, taps);
		csv_text(&csv, vm->cgroup);
		if (vm->kvm_stats_known)
			csv_integer(&csv, vm->exits);
		else
			csv_text(&csv, NULL);
		csv_seconds(&csv, halt_poll_s(vm));
		csv_end(&csv);
		free(taps);
	}
	return 0;
}

static json_t *threads_json(const struct vm *vm)
{
	json_t *threads = json_array();

	for (size_t i = 0; i < vm->thread_count && threads; i++) {
		const struct vm_thread *thread = &vm->threads[i];
		json_t *index = thread->index < 0 ? json_null() : json_integer(thread->index);
		json_t *object = json_pack("{s:i, s:s, s:o, s:s}", "tid", thread->tid, "role",
					   thread_role_name(thread->role), "index", index,
					   "name", thread->name);

		if (json_array_append_new(threads, object)) {
			json_decref(threads);
			threads = NULL;
		}
	}
	return threads;
}

static json_t *taps_json(const struct vm *vm)
{
	json_t *taps = json_array();

	for (size_t i = 0; i < vm->tap_count && taps; i++) {
		json_t *name = vm->taps[i].name[0] ? json_string(vm->taps[i].name)
						   : json_sprintf("if%u", vm->taps[i].ifindex);

		if (json_array_append_new(taps, name)) {
			json_decref(taps);
			taps = NULL;
		}
	}
	return taps;
}

/* Owns nothing of its arguments; NULL without memory. */
static json_t *vm_json(const struct vm *vm)
{
	json_t *exits = vm->kvm_stats_known ? json_integer((json_int_t)vm->exits) : json_null();
	json_t *halt_poll = vm->kvm_stats_known ? json_real(halt_poll_s(vm)) : json_null();

	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s?, s:s?, s:i, s:o, s:o, s:s?, s:o, s:o}",
			 "schema", "kvmperf.vm/1", "name", vm->name, "id", vm->id, "pid",
			 vm->pid, "vmm", vm->vmm, "uuid", vm->uuid, "display_name",
			 vm->display_name, "vcpus", (int)vm->vcpus, "taps", taps_json(vm),
			 "threads", threads_json(vm), "cgroup", vm->cgroup, "exits", exits,
			 "halt_poll_s", halt_poll);
}

int vm_list_print_json(const struct vm *const *vms, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		json_t *object = vm_json(vms[i]);

		if (!object)
			return -ENOMEM;
		json_dumpf(object, out, JSON_COMPACT);
		putc('\n', out);
		json_decref(object);
	}
	return 0;
}
