/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "calibrate/sample_cost.h"

/* The kernel side counts by the pids of the initial namespace (PROC_PID_INIT_INO, proc_fs.h).
 */
static int check_pid_namespace(struct error *error)
{
	char link[64] = "";

	if (readlink("/proc/self/ns/pid", link, sizeof(link) - 1) > 0 &&
	    strcmp(link, "pid:[4026531836]") != 0)
		return error_set(
			error, -EOPNOTSUPP,
			"this is a process namespace of its own (a container?): run kvmperf "
			"in the host's, as with --pid=host");
	return 0;
}

/* False, and the reason kept, when there can't be exact times. */
static bool open_exact(struct session *session, const struct collector_options *options)
{
	struct collector_options exact = *options;
	struct error no_layout;

	exact.budget = session->options.budget;
	/* Without kvm there is nobody to enter guest mode. */
	if (exit_layout_read(&session->exit_layout, &no_layout) == 0)
		exact.exit_layout = &session->exit_layout;
	return exact_collector_new(&session->collector, &exact, &session->inexact) == 0;
}

/* How many samples the budget allows, by what one costs here. */
static void set_up_budget(struct session *session)
{
	const char *judged_as = collector_judged_as(session->collector);
	bool bpf = strcmp(judged_as, "bpf") == 0;
	struct calibration kept;

	session->budget = (struct budget){
		.share = session->options.budget > 0 ? session->options.budget : INFINITY,
		.asked_hz = session->options.frequency_hz,
	};
	if (session->options.new_collector)
		return;
	if (session->corrects)
		session->budget.sample_cost_ns = session->calibration.sample_cost_ns;
	else if (calibration_load(&kept, CALIBRATION_FILE, judged_as, NULL) == 0)
		session->budget.sample_cost_ns = kept.sample_cost_ns;
	if (session->budget.sample_cost_ns <= 0 &&
	    sample_cost_measure(bpf ? session->kernel_map : NULL,
				&session->budget.sample_cost_ns, NULL))
		session->budget.sample_cost_ns = 0;
	session->frequency_hz = budget_first_rate(&session->budget);
	collector_set_frequency(session->collector, session->frequency_hz);
}

static int open_collector(struct session *session, struct error *error)
{
	struct collector_options options = {
		.frequency_hz = session->frequency_hz,
		.kernel_map = session->kernel_map,
		.dsos = session->dsos,
	};

	if (session->options.new_collector)
		return session->options.new_collector(&session->collector, &options,
						      session->options.context, error);
	if (session->options.exact && open_exact(session, &options))
		return 0;
	if (session->options.collector == SESSION_COLLECTOR_PERF)
		return perf_collector_new(&session->collector, &options, error);
	if (session->options.collector == SESSION_COLLECTOR_BPF)
		return bpf_collector_new(&session->collector, &options, error);
	int code = bpf_collector_new(&session->collector, &options, &session->fallback);
	if (!code)
		return 0;
	session->fallback.code = code;
	return perf_collector_new(&session->collector, &options, error);
}

/* Causal tagging is an addition: without it packets and bytes tell. */
static void open_tagging(struct session *session)
{
	enum shared_policy policy = session->options.apportion;
	bool by_bpf = session->options.collector != SESSION_COLLECTOR_PERF &&
		      !session->fallback.code && !session->options.new_collector;

	if (policy != POLICY_CAUSAL && (policy != POLICY_AFFINE || !by_bpf))
		return;
	int code = causal_tagging_new(&session->tagging, policy,
				      (size_t)sysconf(_SC_NPROCESSORS_ONLN),
				      &session->tagging_refusal);
	session->tagging_refusal.code = code;
}

/*
 * Before VMs are looked for: the calibration's own is not to be among them. That guest times
 * can't be corrected is no reason not to measure.
 */
static int set_up_correction(struct session *session, struct error *error)
{
	struct calibration *calibration = &session->calibration;

	if (session->options.correction == SESSION_CORRECTION_NONE)
		return 0;
	if (discoverer_source(session->discoverer) != DISCOVER_BPF) {
		error_set(&session->uncorrected, -EOPNOTSUPP, "VM exits can't be counted: %s",
			  discoverer_note(session->discoverer));
		return 0;
	}
	if (calibration_obtain(calibration, collector_judged_as(session->collector),
			       collector_event(session->collector), session->kernel_map,
			       &session->uncorrected)) {
		error_prefix(&session->uncorrected, "cannot calibrate: ");
		return 0;
	}
	if (session->options.exact && !session->inexact.code) {
		session->corrects_exact =
			calibration_obtain_exact(calibration, &session->uncorrected) == 0;
		error_prefix(&session->uncorrected, "cannot calibrate exact mode: ");
		/* Without its tracepoints there is no exact time: test_exact(). */
		if (session->uncorrected.code == -EOPNOTSUPP)
			session->uncorrected = (struct error){0};
	}
	if (interval_builder_correct(session->builder, &calibration->costs,
				     session->corrects_exact ? &calibration->exact_costs
							     : NULL))
		return error_set(error, -ENOMEM, "no memory for the correction");
	session->corrects = true;
	return 0;
}

static int skip_exits(struct session *session, struct error *error)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);

	for (size_t i = 0; i < list->count; i++)
		if (interval_builder_skip_exits(session->builder, &list->vms[i]))
			return error_set(error, -ENOMEM, "no memory for VM %s",
					 list->vms[i].name);
	return 0;
}

int session_open(struct session **out, const struct session_options *options,
		 struct error *error)
{
	struct session *session = calloc(1, sizeof(*session));
	int code = 0;

	if (!session)
		return error_set(error, -ENOMEM, "no memory for the session");
	session->options = *options;
	session->labels = labels_new();
	session->dsos = dso_cache_new(NULL);
	if (session->labels)
		session->builder = interval_builder_new(session->labels);
	session->net_dev_texts = net_dev_texts_new(NULL);
	session->model = affine_model_default;
	if (!session->builder || !session->dsos || !session->net_dev_texts)
		code = error_set(error, -ENOMEM, "no memory for the session");
	if (!code)
		code = check_pid_namespace(error);
	if (!code)
		code = cpus_online_list(session->online, error);
	if (!code)
		code = kernel_map_load(&session->kernel_map, NULL, error);
	if (!code && labels_use_map(session->labels, session->kernel_map))
		code = error_set(error, -ENOMEM, "no memory for the kernel map");
	if (!code)
		code = discoverer_new(&session->discoverer,
				      &(struct discover_options){.classify_exits = true},
				      error);
	/* Until the budget is known. */
	session->frequency_hz = session->options.frequency_hz;
	if (!code)
		code = open_collector(session, error);
	if (!code)
		open_tagging(session);
	if (!code)
		code = set_up_correction(session, error);
	if (!code)
		set_up_budget(session);
	if (!code)
		code = session_scan(session, error);
	if (!code)
		code = skip_exits(session, error);
	host_causes_begin(&session->host_causes);
	if (!code)
		code = collector_start(session->collector, error);
	if (code) {
		session_close(session);
		return code;
	}
	session->interval_start_ns = collector_started(session->collector);
	session->interval_start =
		clock_wall_s() -
		(double)(clock_monotonic_ns() - session->interval_start_ns) / 1e9;
	*out = session;
	return 0;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	causal_tagging_free(session->tagging);
	collector_free(session->collector);
	discoverer_free(session->discoverer);
	interval_builder_free(session->builder);
	session_free_vms(session);
	net_dev_texts_free(session->net_dev_texts);
	dso_cache_free(session->dsos);
	labels_free(session->labels);
	kernel_map_free(session->kernel_map);
	free(session);
}
