/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Do the tracepoints fire at all? */
static void test_exact(struct session *session, const struct collection *collection,
		       const struct interval_vm *vms, size_t vm_count)
{
	uint64_t exits = 0;

	for (size_t i = 0; i < vm_count; i++)
		exits += vms[i].exits;
	if (!collection_exact_silent(collection, exits))
		return;
	collector_refuse_exact(session->collector);
	error_set(
		&session->inexact, -EOPNOTSUPP,
		"guests run (%llu VM exits in one interval) and the tracepoints kvm_entry and "
		"kvm_exit are silent",
		(unsigned long long)exits);
}

/* What causal tagging measured in the interval. */
static void take_tagged(struct session *session, const struct builder_vm *vms,
			struct shared_use *users, size_t count)
{
	if (!session->tagging)
		return;
	causal_tagging_tick(session->tagging, clock_monotonic_ns(), &session->model);
	for (size_t i = 0; i < count; i++) {
		const struct tracked_vm *tracked = session_find_tracked(session, vms[i].vm);
		if (tracked)
			causal_tagging_take(session->tagging, tracked->owner, &users[i]);
	}
	causal_tagging_take(session->tagging, 0, &users[count]);
}

static int make_interval(struct session *session, const struct collection *collection,
			 struct interval *out)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);
	size_t count = list->count + session->unseen_count;
	struct builder_vm *vms = calloc(count + 1, sizeof(*vms));
	struct shared_use *users = calloc(count + 1, sizeof(*users));
	struct shared_weights weights = {0};
	int error = 0;

	out->vms = calloc(count + 1, sizeof(*out->vms));
	if (!vms || !users || !out->vms)
		error = -ENOMEM;
	net_dev_texts_clear(session->net_dev_texts);
	for (size_t i = 0; !error && i < count; i++) {
		vms[i].vm = i < list->count ? &list->vms[i] : &session->unseen[i - list->count];
		error = session_describe_vm(session, vms[i].vm, &out->vms[i], &users[i]);
	}
	if (!error) {
		host_causes_read(&session->host_causes, users, count, &users[count]);
		take_tagged(session, vms, users, count);
		error = shared_weights_make(&weights, session->options.apportion,
					    &session->model, users, count + 1);
		session->policy_used = weights.used;
	}
	if (!error)
		out->unowned = traffic_use_total(&users[count].traffic);
	if (!error)
		test_exact(session, collection, out->vms, count);
	out->duration_s =
		(double)collection_capacity(collection) / (double)collection->cpus / 1e9;
	if (!error)
		error = interval_build(session->builder, collection, vms, count, weights.of,
				       NS_PER_S / session->frequency_hz, out);
	/* Without a ledger nobody knows how many VMs there are to free. */
	for (size_t i = 0; out->ledger.vm_count == 0 && out->vms && i < count; i++) {
		free(out->vms[i].name);
		free(out->vms[i].id);
		free(out->vms[i].uuid);
		free(out->vms[i].taps);
		free(out->vms[i].exits_by_reason);
	}
	shared_weights_free(&weights);
	free(users);
	free(vms);
	return error;
}

static void describe_source(struct session *session, const struct collection *collection,
			    struct interval *out)
{
	const struct collected_exact *exact = &collection->exact;
	uint64_t lost_exits = out->source.lost_exits + exact->lost;

	out->source = (struct interval_source){
		.collector = collector_name(session->collector),
		.event = collector_event(session->collector),
		.frequency_hz = session->frequency_hz,
		.frequency_asked_hz = session->options.frequency_hz,
		.sample_cost_s = session->budget.sample_cost_ns / 1e9,
		.budget = session->budget.share,
		.samples = out->ledger.samples,
		.lost = collection->lost,
		.apportion = shared_policy_name(session->policy_used),
		.irqs_off_correction =
			(exact->valid ? session->corrects_exact : session->corrects)
				? "calibrated"
				: "none",
		.overhead_s = budget_overhead_ns(&session->budget, collection->self_run_ns,
						 out->ledger.samples) /
			      1e9,
	};
	double reference_ns = session->calibration.costs.reference_ns;
	if (session->corrects && !exact->valid && reference_ns > 0) {
		struct collected_references all = collection_references(collection);
		out->source.exit_cost_factor = all.mean_ns / reference_ns;
		out->source.references = all.count;
	}
	if (session->tagging) {
		struct causal_tagging_state state = causal_tagging_state(session->tagging);
		out->source.fit_batches = state.fit.batches;
		out->source.fit_sum_error = state.fit.sum_error;
		out->source.fit_batch_error = state.fit.batch_error;
		out->source.tagged_s = state.on_s;
		out->source.tagged_packets = state.packets;
	}
	if (!exact->valid)
		return;
	out->source.exact = true;
	out->source.duty = exact->duty;
	out->source.events = exact->events;
	out->source.event_ns = exact->event_ns;
	out->source.lost_exits = lost_exits;
	out->source.lost_threads = exact->lost_threads;
	out->source.overhead_s += (double)exact->events * exact->event_ns / 1e9;
}

/* Module addresses change when modules come and go. */
static int refresh_kernel_map(struct session *session, struct error *error)
{
	struct kernel_map *map;

	if (!kernel_map_stale(session->kernel_map))
		return 0;
	int code = kernel_map_load(&map, NULL, error);
	if (!code)
		code = collector_use_map(session->collector, map, error);
	if (!code && labels_use_map(session->labels, map))
		code = error_set(error, -ENOMEM, "no memory for the kernel map");
	if (code)
		return code;
	kernel_map_free(session->kernel_map);
	session->kernel_map = map;
	return 0;
}

/* After an interval: what it cost decides on the rate of the next. */
static void keep_budget(struct session *session, const struct collection *collection)
{
	if (session->options.new_collector || collection->self_run_ns == 0)
		return;
	session->frequency_hz =
		budget_next_rate(&session->budget, session->frequency_hz,
				 collection->self_run_ns, collection_capacity(collection));
	collector_set_frequency(session->collector, session->frequency_hz);
}

/* A CPU that was not there at the start is not sampled, and one that has gone has no capacity.
 */
static int check_cpus(const struct session *session, struct error *error)
{
	char online[CPUS_LIST_SIZE];
	int code = cpus_online_list(online, error);

	if (code || strcmp(online, session->online) == 0)
		return code;
	return error_set(error, -ESTALE, "CPUs %.100s were online and %.100s are now",
			 session->online, online);
}

static int end_interval(struct session *session, struct interval *out, struct error *error)
{
	const struct collection *collection;
	int code = check_cpus(session, error);

	if (!code)
		code = session_scan(session, error);
	if (!code)
		code = collector_read(session->collector, &collection, error);
	if (code)
		return code;
	/* The wall clock when the threads' times were read, however long ago that is. */
	double since_reading_s = (double)(clock_monotonic_ns() - collection->end_ns) / 1e9;
	double wall = clock_wall_s() - since_reading_s;
	*out = (struct interval){
		.start = session->interval_start,
		.cpus = collection->cpus,
		.labels = session->labels,
	};
	session->interval_start = wall;
	session->interval_start_ns = collection->end_ns;
	code = session_find_unseen(session, collection);
	if (!code)
		code = make_interval(session, collection, out);
	if (code) {
		interval_free(out);
		return error_set(error, code, "cannot make the ledger: %s", strerror(-code));
	}
	describe_source(session, collection, out);
	keep_budget(session, collection);
	session_forget_ended(session);
	code = refresh_kernel_map(session, error);
	if (code)
		interval_free(out);
	return code;
}

/* Waits for the next thing to do; *stopped is set when stop_fd is readable. */
static int wait_until(struct session *session, uint64_t end_ns, int stop_fd, bool *stopped,
		      struct error *error)
{
	struct pollfd fds[] = {
		{.fd = stop_fd, .events = POLLIN},
		{.fd = session->collector->wake_fd, .events = POLLIN},
	};
	uint64_t now = clock_monotonic_ns();
	uint64_t next = end_ns < session->next_tick_ns ? end_ns : session->next_tick_ns;
	uint64_t wait = next > now ? next - now : 0;
	struct timespec timeout = {
		.tv_sec = (time_t)(wait / NS_PER_S),
		.tv_nsec = (long)(wait % NS_PER_S),
	};

	if (ppoll(fds, 2, &timeout, NULL) < 0 && errno != EINTR)
		return error_set(error, -errno, "cannot wait: %m");
	*stopped = fds[0].revents != 0;
	if (clock_monotonic_ns() >= session->next_tick_ns) {
		collector_tick(session->collector);
		session->next_tick_ns =
			clock_monotonic_ns() + collector_tick_interval(session->collector);
		if (session->tagging)
			causal_tagging_tick(session->tagging, clock_monotonic_ns(),
					    &session->model);
	}
	/* A VM that runs and was not there at the last scan may be gone at the next. */
	bool new_vm = false;
	while (collector_new_vm(session->collector))
		new_vm = true;
	return new_vm ? session_scan(session, error) : 0;
}

/* Deadlines keep their distance, however late each interval ends; but none is in the past. */
static uint64_t next_deadline(struct session *session, uint64_t duration_ns)
{
	uint64_t start_ns = session->interval_start_ns;
	uint64_t next_ns =
		(session->deadline_ns ? session->deadline_ns : start_ns) + duration_ns;

	if (next_ns < start_ns + duration_ns / 2)
		next_ns = start_ns + duration_ns;
	session->deadline_ns = next_ns;
	return next_ns;
}

int session_next(struct session *session, uint64_t duration_ns, int stop_fd,
		 struct interval *interval, enum session_event *event, struct error *error)
{
	uint64_t end_ns = next_deadline(session, duration_ns);
	bool stopped = false;

	uint64_t next_second_ns = session->interval_start_ns + NS_PER_S;
	for (uint64_t now; !stopped && (now = clock_monotonic_ns()) < end_ns;) {
		int code = wait_until(session, end_ns, stop_fd, &stopped, error);
		if (code)
			return code;
		if (now < next_second_ns)
			continue;
		next_second_ns += NS_PER_S;
		code = check_cpus(session, error);
		if (code)
			return code;
		if (session->options.progress)
			session->options.progress(session->options.context,
						  (double)(now - session->interval_start_ns) /
							  1e9,
						  (double)duration_ns / 1e9);
	}
	*event = stopped ? SESSION_STOPPED : SESSION_INTERVAL;
	return end_interval(session, interval, error);
}

size_t session_vm_count(const struct session *session, size_t *selected)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);

	*selected = 0;
	for (size_t i = 0; i < list->count; i++)
		*selected += vm_is_selected(&list->vms[i], session->options.vms,
					    session->options.vm_count);
	return list->count;
}

const char *session_tagging_refusal(const struct session *session)
{
	return session->tagging_refusal.code && session->options.apportion == POLICY_CAUSAL
		       ? session->tagging_refusal.message
		       : NULL;
}

const char *session_fallback_reason(const struct session *session)
{
	return session->fallback.code ? session->fallback.message : NULL;
}

const struct calibration *session_calibration(const struct session *session)
{
	return session->corrects ? &session->calibration : NULL;
}

const char *session_uncorrected_reason(const struct session *session)
{
	return session->uncorrected.code ? session->uncorrected.message : NULL;
}

const char *session_inexact_reason(const struct session *session)
{
	return session->inexact.code ? session->inexact.message : NULL;
}
