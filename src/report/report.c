/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collect/collector.h"
#include "measure/interval_builder.h"
#include "measure/shared_causes.h"
#include "report/collect_profile.h"

/* CPUs x ns: a thousand CPUs for 73 years; the ledger's sums fit into 64 bits four times. */
#define CAPACITY_MAX 0x1p61

int report_set_duration(struct report_input *input, double ns, struct error *error)
{
	if (!(ns >= 1))
		return error_set(error, -ENODATA,
				 "nothing tells how long was recorded: there are neither times "
				 "nor a period");
	if (ns * (double)(input->cpus ? input->cpus : 1) > CAPACITY_MAX)
		return error_set(error, -EBADMSG,
				 "%.3g s on %zu CPUs can't have been recorded: a time is wrong",
				 ns / 1e9, input->cpus);
	input->duration_ns = (uint64_t)ns;
	return 0;
}

const char *report_anchor_name(const struct report_input *input)
{
	static const char *const names[] = {
		[ANCHOR_GAPS] = "sample gaps",
		[ANCHOR_CYCLES] = "cycles",
		[ANCHOR_WEIGHTS] = "sample weights",
		[ANCHOR_SHARES] = "sample shares",
	};

	return input->times ? NULL : names[input->profile->anchor];
}

int report_find_vms(struct report *report, const struct report_input *input)
{
	return vm_finder_find(input->profile, input->facts, &report->vms);
}

/* What a unit of the cells' times is in ns, so that all of it fits into the capacity. */
static double unit_of(const struct report_input *input)
{
	const struct profile *profile = input->profile;
	double sum = 0;

	switch (profile->anchor) {
	case ANCHOR_GAPS:
	case ANCHOR_WEIGHTS: return 1;
	case ANCHOR_CYCLES: return 1 / profile_cycle_rate(profile);
	case ANCHOR_SHARES: break;
	}
	for (size_t i = 0; i < profile->tally.cell_count; i++)
		if (profile->tally.cells[i].group != GROUP_NONE)
			sum += profile->tally.cells[i].time;
	return sum > 0 ? (double)input->cpus * (double)input->duration_ns / sum : 0;
}

static const struct recorded_counters *counters_of(const struct report_input *input, pid_t pid)
{
	for (size_t i = 0; input->times && i < input->times->counter_count; i++)
		if ((pid_t)input->times->counters[i].pid == pid)
			return &input->times->counters[i];
	return NULL;
}

static void describe_traffic(const struct report_input *input, struct interval_vm *out,
			     struct shared_use *use)
{
	for (size_t i = 0; i < input->traffic_count; i++)
		if ((pid_t)input->traffic[i].pid == out->pid) {
			out->traffic_known = true;
			out->traffic = input->traffic[i].traffic;
		}
	if (!out->traffic_known)
		return;
	use->traffic.counts[TRAFFIC_TAP][TRAFFIC_RECEIVED] =
		(struct traffic_count){out->traffic.rx_packets, out->traffic.rx_bytes};
	use->traffic.counts[TRAFFIC_TAP][TRAFFIC_SENT] =
		(struct traffic_count){out->traffic.tx_packets, out->traffic.tx_bytes};
}

static int describe_vm(const struct report_input *input, const struct vm *vm,
		       struct interval_vm *out, struct shared_use *use)
{
	const struct recorded_counters *counters = counters_of(input, vm->pid);
	int code = interval_vm_describe(out, vm, input->vms, input->vm_count);

	if (code)
		return code;
	if (counters) {
		out->kvm_stats_known = counters->exits_known;
		out->exits = counters->exits;
		out->halt_poll_ns = counters->halt_poll_ns;
		out->traffic_known = counters->traffic_known;
		out->traffic = counters->traffic;
	}
	describe_traffic(input, out, use);
	return 0;
}

static int describe_vms(struct report *report, const struct report_input *input,
			struct shared_use *users, bool *any_traffic)
{
	struct interval *interval = &report->interval;
	size_t count = report->vms.list.count;
	int code = 0;

	interval->vms = calloc(count + 1, sizeof(*interval->vms));
	if (!interval->vms)
		return -ENOMEM;
	*any_traffic = false;
	for (size_t v = 0; !code && v < count; v++) {
		code = describe_vm(input, &report->vms.list.vms[v], &interval->vms[v],
				   &users[v]);
		*any_traffic |= interval->vms[v].traffic_known;
	}
	users[count].traffic = input->unowned;
	return code;
}

static void describe_source(struct report *report, const struct report_input *input,
			    enum shared_policy used)
{
	struct interval *interval = &report->interval;

	interval->start = input->start;
	interval->duration_s = (double)input->duration_ns / 1e9;
	interval->cpus = input->cpus;
	interval->labels = report->labels;
	interval->recorded = true;
	interval->source = (struct interval_source){
		.collector = input->collector,
		.event = input->event,
		.frequency_hz = input->frequency_hz,
		.samples = input->profile->samples,
		.lost = input->profile->lost,
		.apportion = shared_policy_name(used),
		.irqs_off_correction = input->calibration ? "calibrated" : "none",
		.overhead_s =
			input->times ? (double)input->times->collection.self_run_ns / 1e9 : NAN,
		.anchor = report_anchor_name(input),
	};
}

/* Hands the recorded exits and their costs to what corrects a live interval. */
static int correct_guests(struct report *report, const struct report_input *input,
			  struct interval_builder *builder)
{
	struct vm_list *list = &report->vms.list;
	int code = 0;

	for (size_t v = 0; !code && v < list->count; v++)
		code = recorded_exits_give(&input->times->exits, &list->vms[v]);
	return code ? code
		    : interval_builder_correct(builder, &input->calibration->costs, NULL);
}

static void drop_vms(struct interval *interval, size_t count)
{
	/* Without a ledger nobody knows how many VMs there are to free. */
	for (size_t v = 0; interval->ledger.vm_count == 0 && interval->vms && v < count; v++) {
		free(interval->vms[v].name);
		free(interval->vms[v].id);
		free(interval->vms[v].uuid);
		free(interval->vms[v].taps);
		free(interval->vms[v].samples.items);
		interval->vms[v] = (struct interval_vm){0};
	}
}

int report_build(struct report *report, const struct report_input *input)
{
	size_t count = report->vms.list.count;
	struct builder_vm *vms = calloc(count + 1, sizeof(*vms));
	struct shared_use *users = calloc(count + 1, sizeof(*users));
	struct interval_builder *builder = NULL;
	struct shared_weights weights = {0};
	struct collection collection = {0};
	bool any_traffic = false;
	int code = 0;

	report->labels = labels_new();
	if (report->labels)
		builder = interval_builder_new(report->labels);
	if (!vms || !users || !builder)
		code = -ENOMEM;
	if (!code) {
		interval_builder_set_self(builder, -1);
		report->ns_per_unit = unit_of(input);
		code = describe_vms(report, input, users, &any_traffic);
	}
	if (!code)
		code = shared_weights_make(&weights, any_traffic ? input->policy : POLICY_NONE,
					   &affine_model_default, users, count + 1);
	if (!code)
		code = collect_profile(&collection, report, input);
	if (!code && input->calibration)
		code = correct_guests(report, input, builder);
	for (size_t v = 0; v < count && vms; v++)
		vms[v].vm = &report->vms.list.vms[v];
	if (!code)
		code = interval_build(builder, &collection, vms, count, weights.of,
				      input->frequency_hz ? 1000000000 / input->frequency_hz
							  : 4000000,
				      &report->interval);
	if (!code) {
		report->interval.unowned = traffic_use_total(&input->unowned);
		describe_source(report, input, weights.used);
		code = collect_sample_counts(report, input);
	} else {
		drop_vms(&report->interval, count);
	}
	collection_free(&collection);
	shared_weights_free(&weights);
	interval_builder_free(builder);
	free(users);
	free(vms);
	return code;
}

void report_clear(struct report *report)
{
	interval_free(&report->interval);
	labels_free(report->labels);
	found_vms_clear(&report->vms);
}
