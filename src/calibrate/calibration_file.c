/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/calibration.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA "kvmperf.calibration/1"

static const char *const class_names[VM_EXIT_CLASSES] = {
	[VM_EXIT_KERNEL] = "kernel",
	[VM_EXIT_USER] = "user",
	[VM_EXIT_INTERRUPT] = "interrupt",
};

int calibration_identify(struct calibration *calibration, struct error *error)
{
	static const char *const vendors[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	FILE *file = fopen(path, "re");

	if (!file || fscanf(file, "%39s", calibration->boot_id) != 1) {
		if (file)
			fclose(file);
		return error_set(error, -EIO, "cannot read %s", path);
	}
	fclose(file);
	/* Built in, a module without parameters has no folder. */
	snprintf(calibration->vendor, sizeof(calibration->vendor), "kvm");
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		char folder[64];
		snprintf(folder, sizeof(folder), "/sys/module/%s", vendors[i]);
		if (access(folder, F_OK) == 0)
			snprintf(calibration->vendor, sizeof(calibration->vendor), "%s",
				 vendors[i]);
	}
	return 0;
}

static json_t *cost_json(const struct exit_cost *cost)
{
	return json_pack("{s:f, s:f}", "ns", cost->ns, "error95_ns", cost->error95_ns);
}

static json_t *costs_json(const struct exit_costs *costs)
{
	json_t *object = json_object();

	for (int i = 0; i < VM_EXIT_CLASSES; i++)
		json_object_set_new(object, class_names[i], cost_json(&costs->by_class[i]));
	json_object_set_new(object, "tick", cost_json(&costs->tick));
	json_object_set_new(object, "sample", cost_json(&costs->sample));
	json_object_set_new(object, "tick_hz", json_real(costs->tick_hz));
	return object;
}

json_t *calibration_json(const struct calibration *from)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o}",
		"schema", SCHEMA, "boot_id", from->boot_id, "vendor", from->vendor, "collector",
		from->collector, "event", from->event, "time", from->time, "duration_s",
		from->duration_s, "samples", (json_int_t)from->samples, "kernel_exits_hz",
		from->kernel_exits_hz, "user_exits_hz", from->user_exits_hz, "kernel_round_ns",
		from->kernel_round_ns, "user_round_ns", from->user_round_ns, "sample_cost_ns",
		from->sample_cost_ns, "exit_cost", costs_json(&from->costs), "exact_exit_cost",
		from->exact_known ? costs_json(&from->exact_costs) : json_null());
}

static bool copy_text(char *to, size_t size, const char *from)
{
	return (size_t)snprintf(to, size, "%s", from) < size;
}

static bool read_cost(struct exit_cost *out, const json_t *object, const char *name)
{
	return json_unpack(json_object_get(object, name), "{s:F, s:F}", "ns", &out->ns,
			   "error95_ns", &out->error95_ns) == 0 &&
	       out->ns >= 0 && out->error95_ns >= 0 && out->ns <= 1e9;
}

static bool read_costs(struct exit_costs *out, const json_t *object)
{
	for (int i = 0; i < VM_EXIT_CLASSES; i++)
		if (!read_cost(&out->by_class[i], object, class_names[i]))
			return false;
	out->tick_hz = json_number_value(json_object_get(object, "tick_hz"));
	return read_cost(&out->tick, object, "tick") &&
	       read_cost(&out->sample, object, "sample") && out->tick_hz >= 0 &&
	       out->tick_hz <= 1e6;
}

/* Fills out from an element of the file; false when it is no calibration. */
static bool read_calibration(struct calibration *out, json_t *object)
{
	const char *schema, *boot_id, *vendor, *collector, *event;
	json_int_t samples;
	json_t *costs, *exact;

	if (json_unpack(object,
			"{s:s, s:s, s:s, s:s, s:s, s:F, s:F, s:I, s:F, s:F, s:F, s:F, s:F, "
			"s:o, s:o}",
			"schema", &schema, "boot_id", &boot_id, "vendor", &vendor, "collector",
			&collector, "event", &event, "time", &out->time, "duration_s",
			&out->duration_s, "samples", &samples, "kernel_exits_hz",
			&out->kernel_exits_hz, "user_exits_hz", &out->user_exits_hz,
			"kernel_round_ns", &out->kernel_round_ns, "user_round_ns",
			&out->user_round_ns, "sample_cost_ns", &out->sample_cost_ns,
			"exit_cost", &costs, "exact_exit_cost", &exact) ||
	    strcmp(schema, SCHEMA) != 0 ||
	    !copy_text(out->boot_id, sizeof(out->boot_id), boot_id) ||
	    !copy_text(out->vendor, sizeof(out->vendor), vendor) ||
	    !copy_text(out->collector, sizeof(out->collector), collector) ||
	    !copy_text(out->event, sizeof(out->event), event))
		return false;
	out->samples = (uint64_t)samples;
	out->exact_known = !json_is_null(exact);
	return read_costs(&out->costs, costs) &&
	       (!out->exact_known || read_costs(&out->exact_costs, exact));
}

static bool fits(const struct calibration *one, const struct calibration *other)
{
	return strcmp(one->boot_id, other->boot_id) == 0 &&
	       strcmp(one->vendor, other->vendor) == 0 &&
	       strcmp(one->collector, other->collector) == 0;
}

int calibration_load(struct calibration *out, const char *path, const char *collector,
		     struct error *error)
{
	struct calibration wanted = {0};
	int code = calibration_identify(&wanted, error);
	json_error_t reason;
	json_t *list;

	if (code)
		return code;
	copy_text(wanted.collector, sizeof(wanted.collector), collector);
	if (access(path, F_OK))
		return error_set(error, -ENOENT, "there is no %s", path);
	list = json_load_file(path, 0, &reason);
	if (!json_is_array(list)) {
		json_decref(list);
		return error_set(error, -EBADMSG, "%s is no calibration of kvmperf", path);
	}
	code = -ENOENT;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct calibration one = {0};
		if (!read_calibration(&one, json_array_get(list, i)))
			code = -EBADMSG;
		else if (fits(&one, &wanted)) {
			*out = one;
			code = 0;
			break;
		}
	}
	json_decref(list);
	return code ? error_set(error, code, "%s has no calibration of this boot for %s", path,
				collector)
		    : 0;
}

/* The list in the file without those that calibration takes the place of. */
static json_t *others_in(const struct calibration *calibration, const char *path)
{
	json_t *list = json_load_file(path, 0, NULL), *kept = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct calibration one = {0};
		json_t *object = json_array_get(list, i);
		if (read_calibration(&one, object) && !fits(&one, calibration) &&
		    strcmp(one.boot_id, calibration->boot_id) == 0)
			json_array_append(kept, object);
	}
	json_decref(list);
	return kept;
}

int calibration_save(const struct calibration *calibration, const char *path,
		     struct error *error)
{
	json_t *list = others_in(calibration, path);
	char folder[256], temporary[300];
	int code = 0;

	json_array_append_new(list, calibration_json(calibration));
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		(void)mkdir(folder, 0755);
	}
	/* Whole or not at all: another kvmperf may read it now. */
	snprintf(temporary, sizeof(temporary), "%s.%d", path, getpid());
	if (json_dump_file(list, temporary, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) ||
	    rename(temporary, path))
		code = error_set(error, -EIO, "cannot write %s: %m", path);
	if (code)
		(void)unlink(temporary);
	json_decref(list);
	return code;
}
