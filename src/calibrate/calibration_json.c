/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/calibration.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA "kvmperf.calibration/1"

/* Beyond these no host is, so that products with any number of exits stay finite. */
#define COST_MAX_NS 1e9
#define TICK_MAX_HZ 1e6

static const char *const class_names[VM_EXIT_CLASSES] = {
	[VM_EXIT_KERNEL] = "kernel",
	[VM_EXIT_USER] = "user",
	[VM_EXIT_INTERRUPT] = "interrupt",
};

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
	json_object_set_new(object, "rested_tick", cost_json(&costs->rested_tick));
	json_object_set_new(object, "rested_sample", cost_json(&costs->rested_sample));
	json_object_set_new(object, "tick_hz", json_real(costs->tick_hz));
	json_object_set_new(object, "reference_ns", json_real(costs->reference_ns));
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
	       out->ns >= 0 && out->ns <= COST_MAX_NS && out->error95_ns >= 0 &&
	       out->error95_ns <= COST_MAX_NS;
}

/* A cost that calibrations before 2026-11-26 don't tell apart from another one. */
static bool read_cost_or(struct exit_cost *out, const json_t *object, const char *name,
			 const struct exit_cost *otherwise)
{
	*out = *otherwise;
	return !json_object_get(object, name) || read_cost(out, object, name);
}

static bool read_costs(struct exit_costs *out, const json_t *object)
{
	for (int i = 0; i < VM_EXIT_CLASSES; i++)
		if (!read_cost(&out->by_class[i], object, class_names[i]))
			return false;
	out->tick_hz = json_number_value(json_object_get(object, "tick_hz"));
	out->reference_ns = json_number_value(json_object_get(object, "reference_ns"));
	return read_cost(&out->tick, object, "tick") &&
	       read_cost(&out->sample, object, "sample") &&
	       read_cost_or(&out->rested_tick, object, "rested_tick", &out->tick) &&
	       read_cost_or(&out->rested_sample, object, "rested_sample", &out->sample) &&
	       out->tick_hz >= 0 && out->tick_hz <= TICK_MAX_HZ && out->reference_ns >= 0 &&
	       out->reference_ns <= COST_MAX_NS;
}

int calibration_from_json(struct calibration *out, json_t *object)
{
	const char *schema, *boot_id, *vendor, *collector, *event;
	json_int_t samples;
	json_t *costs, *exact;

	*out = (struct calibration){0};
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
		return -EBADMSG;
	out->samples = (uint64_t)samples;
	out->exact_known = !json_is_null(exact);
	if (!read_costs(&out->costs, costs) ||
	    (out->exact_known && !read_costs(&out->exact_costs, exact)))
		return -EBADMSG;
	return 0;
}
