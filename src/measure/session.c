/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account/budget.h"
#include "base/array.h"
#include "base/clock.h"
#include "calibrate/calibration.h"
#include "calibrate/sample_cost.h"
#include "collect/collector.h"
#include "discover/discover.h"
#include "discover/exit_layout.h"
#include "measure/causal_tagging.h"
#include "measure/interval_builder.h"
#include "measure/shared_causes.h"
#include "symbols/dso.h"
#include "symbols/kernel_map.h"

/* What is remembered of a VM from interval to interval. */
struct tracked_vm {
	pid_t pid;
	uint64_t start_time;
	struct vm_causes causes;
	uint32_t owner; /* its number for causal tagging */
	uint64_t exits;
	uint64_t halt_poll_ns;
	pid_t *groups; /* thread groups handed to the collector */
	size_t group_count, group_room;
};

struct session {
	struct session_options options;
	struct kernel_map *kernel_map;
	struct labels *labels;
	struct dso_cache *dsos;
	struct discoverer *discoverer;
	struct collector *collector;
	struct interval_builder *builder;
	struct error fallback;
	struct exact_exit_layout exit_layout; /* for exact mode */
	struct error inexact;		      /* why there is none */
	bool corrects, corrects_exact;	      /* guest times by samples, and exact ones */
	struct calibration calibration;	      /* when it corrects */
	struct error uncorrected;	      /* why not */
	struct budget budget;
	unsigned frequency_hz; /* now */
	struct tracked_vm *tracked;
	size_t tracked_count, tracked_room;
	/* VMs that were seen in guest mode and ended before their files could be read. */
	struct vm *unseen;
	size_t unseen_count, unseen_room;
	struct host_causes host_causes;
	struct net_dev_texts *net_dev_texts;
	struct affine_model model;	/* what shared network work costs */
	enum shared_policy policy_used; /* in the last interval */
	struct causal_tagging *tagging; /* NULL: not wanted or not to be had */
	struct error tagging_refusal;
	uint32_t last_owner; /* given to a VM */
	double interval_start;
	uint64_t interval_start_ns;
	uint64_t deadline_ns; /* of the current interval; 0 before the first */
	uint64_t next_tick_ns;
	bool first_scan_done;
};

static bool is_selected(const struct session *session, const struct vm *vm)
{
	for (size_t i = 0; i < session->options.vm_count; i++)
		if (vm_matches(vm, session->options.vms[i]))
			return true;
	return session->options.vm_count == 0;
}

/* The place in the list (in rising order of pid, then start time) where the VM is or would be.
 */
static size_t tracked_place(const struct session *session, pid_t pid, uint64_t start_time)
{
	size_t low = 0, high = session->tracked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tracked_vm *vm = &session->tracked[middle];
		if (vm->pid < pid || (vm->pid == pid && vm->start_time < start_time))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct tracked_vm *find_tracked(const struct session *session, const struct vm *vm)
{
	size_t place = tracked_place(session, vm->pid, vm->start_time);

	if (place < session->tracked_count && session->tracked[place].pid == vm->pid &&
	    session->tracked[place].start_time == vm->start_time)
		return &session->tracked[place];
	return NULL;
}

static int track_group(struct session *session, struct tracked_vm *tracked, pid_t tgid)
{
	for (size_t i = 0; i < tracked->group_count; i++)
		if (tracked->groups[i] == tgid)
			return 0;
	if (array_reserve(&tracked->groups, &tracked->group_room, tracked->group_count + 1,
			  sizeof(*tracked->groups)))
		return -ENOMEM;
	tracked->groups[tracked->group_count++] = tgid;
	return collector_track(session->collector, tgid);
}

/*
 * Starts to keep a VM. One that was there when the session began has a past that is not ours;
 * one that came later has all its exits in the session.
 */
static struct tracked_vm *track_vm(struct session *session, const struct vm *vm)
{
	if (array_reserve(&session->tracked, &session->tracked_room, session->tracked_count + 1,
			  sizeof(*session->tracked)))
		return NULL;
	size_t place = tracked_place(session, vm->pid, vm->start_time);
	struct tracked_vm *tracked = &session->tracked[place];
	memmove(tracked + 1, tracked, (session->tracked_count++ - place) * sizeof(*tracked));
	*tracked = (struct tracked_vm){
		.pid = vm->pid, .start_time = vm->start_time, .owner = ++session->last_owner};
	if (!session->first_scan_done) {
		tracked->exits = vm->exits;
		tracked->halt_poll_ns = vm->halt_poll_ns;
	}
	/* Where it starts from. */
	struct shared_use use;
	struct traffic traffic;
	bool known;
	if (vm_causes_read(&tracked->causes, vm, session->net_dev_texts, &use, &traffic,
			   &known))
		return NULL;
	return tracked;
}

/* Tells causal tagging which device and thread group belongs to which VM. */
static int tell_owners(struct session *session, struct error *error)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);
	int code = 0;

	if (!session->tagging)
		return 0;
	causal_tagging_clear_vms(session->tagging);
	for (size_t i = 0; !code && i < list->count; i++) {
		const struct tracked_vm *tracked = find_tracked(session, &list->vms[i]);
		if (tracked && !list->vms[i].gone)
			code = causal_tagging_add_vm(session->tagging, &list->vms[i],
						     &tracked->causes, tracked->owner);
	}
	if (!code)
		code = causal_tagging_use_vms(session->tagging);
	return code ? error_set(error, code, "cannot hand the VMs' devices to BPF: %s",
				strerror(-code))
		    : 0;
}

/* Looks for VMs and has the collector report their threads. */
static int scan(struct session *session, struct error *error)
{
	int code = discoverer_scan(session->discoverer, false, error);

	if (code)
		return code;
	net_dev_texts_clear(session->net_dev_texts);
	const struct vm_list *list = discoverer_vms(session->discoverer);
	for (size_t i = 0; i < list->count; i++) {
		const struct vm *vm = &list->vms[i];
		struct tracked_vm *tracked = find_tracked(session, vm);
		if (!tracked)
			tracked = track_vm(session, vm);
		if (!tracked)
			return error_set(error, -ENOMEM, "no memory for VM %s", vm->name);
		code = track_group(session, tracked, vm->pid);
		for (size_t j = 0; !code && j < vm->thread_count; j++)
			code = track_group(session, tracked, vm->threads[j].tgid);
		if (code)
			return error_set(error, code, "cannot follow the threads of VM %s",
					 vm->name);
	}
	session->first_scan_done = true;
	return tell_owners(session, error);
}

static void untrack_vm(struct session *session, struct tracked_vm *tracked)
{
	for (size_t i = 0; i < tracked->group_count; i++)
		collector_untrack(session->collector, tracked->groups[i]);
	free(tracked->groups);
	vm_causes_free(&tracked->causes);
	size_t place = (size_t)(tracked - session->tracked);
	memmove(tracked, tracked + 1, (--session->tracked_count - place) * sizeof(*tracked));
}

/* Drops the VMs that ended in the interval that was just handed out. */
static void forget_ended(struct session *session)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);

	for (size_t i = 0; i < list->count; i++) {
		struct tracked_vm *tracked = find_tracked(session, &list->vms[i]);
		if (list->vms[i].gone && tracked)
			untrack_vm(session, tracked);
	}
	discoverer_drop_gone(session->discoverer);
	for (size_t i = 0; i < session->unseen_count; i++) {
		collector_untrack(session->collector, session->unseen[i].pid);
		vm_clear(&session->unseen[i]);
	}
	session->unseen_count = 0;
}

/* A VM that is known from its guest-mode samples alone: all that is left of it is its pid. */
static int add_unseen(struct session *session, pid_t pid)
{
	char text[24];

	if (array_reserve(&session->unseen, &session->unseen_room, session->unseen_count + 1,
			  sizeof(*session->unseen)))
		return -ENOMEM;
	struct vm *vm = &session->unseen[session->unseen_count];
	*vm = (struct vm){.pid = pid, .gone = true};
	snprintf(text, sizeof(text), "vm-%d", pid);
	vm->name = strdup(text);
	snprintf(text, sizeof(text), "%d", pid);
	vm->id = strdup(text);
	snprintf(vm->vmm, sizeof(vm->vmm), "unknown");
	session->unseen_count++;
	return vm->name && vm->id ? 0 : -ENOMEM;
}

static bool is_vm_group(const struct session *session, pid_t tgid)
{
	size_t place = tracked_place(session, tgid, 0);

	if (place < session->tracked_count && session->tracked[place].pid == tgid)
		return true;
	for (size_t i = 0; i < session->tracked_count; i++)
		for (size_t j = 0; j < session->tracked[i].group_count; j++)
			if (session->tracked[i].groups[j] == tgid)
				return true;
	for (size_t i = 0; i < session->unseen_count; i++)
		if (session->unseen[i].pid == tgid)
			return true;
	return false;
}

static int find_unseen(struct session *session, const struct collection *collection)
{
	int error = 0;

	for (size_t i = 0; !error && i < collection->count_count; i++)
		if (collection->counts[i].mode == MODE_GUEST &&
		    !is_vm_group(session, collection->counts[i].tgid))
			error = add_unseen(session, collection->counts[i].tgid);
	return error;
}

/* The rise of a VM's counters in the interval. */
static int count_vm(struct session *session, const struct vm *vm, struct interval_vm *out,
		    struct shared_use *use)
{
	struct tracked_vm *tracked = find_tracked(session, vm);

	if (!tracked)
		return 0;
	if (vm->kvm_stats_known) {
		out->kvm_stats_known = true;
		out->exits = vm->exits - tracked->exits;
		out->halt_poll_ns = vm->halt_poll_ns - tracked->halt_poll_ns;
		tracked->exits = vm->exits;
		tracked->halt_poll_ns = vm->halt_poll_ns;
	}
	int error = vm_causes_read(&tracked->causes, vm, session->net_dev_texts, use,
				   &out->traffic, &out->traffic_known);
	out->unseen = tracked->causes.unseen;
	/* 0 would say that it has no traffic. */
	if (out->unseen && !vm->tap_count)
		out->traffic_known = false;
	return error;
}

static int describe_vm(struct session *session, struct vm *vm, struct interval_vm *out,
		       struct shared_use *use)
{
	int error = interval_vm_set(out, vm->name, vm->id, vm->uuid, vm->taps, vm->tap_count);

	if (error)
		return error;
	memcpy(out->vmm, vm->vmm, sizeof(out->vmm));
	out->pid = vm->pid;
	out->start_time = vm->start_time;
	out->vcpus = vm->vcpus;
	out->selected = is_selected(session, vm);
	out->ended = vm->gone;
	return count_vm(session, vm, out, use);
}

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
		const struct tracked_vm *tracked = find_tracked(session, vms[i].vm);
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
		error = describe_vm(session, vms[i].vm, &out->vms[i], &users[i]);
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

static int end_interval(struct session *session, struct interval *out, struct error *error)
{
	const struct collection *collection;
	int code = scan(session, error);

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
	code = find_unseen(session, collection);
	if (!code)
		code = make_interval(session, collection, out);
	if (code) {
		interval_free(out);
		return error_set(error, code, "cannot make the ledger: %s", strerror(-code));
	}
	describe_source(session, collection, out);
	keep_budget(session, collection);
	forget_ended(session);
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
	return new_vm ? scan(session, error) : 0;
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

	uint64_t next_progress_ns = session->interval_start_ns + NS_PER_S;
	for (uint64_t now; !stopped && (now = clock_monotonic_ns()) < end_ns;) {
		int code = wait_until(session, end_ns, stop_fd, &stopped, error);
		if (code)
			return code;
		if (session->options.progress && now >= next_progress_ns) {
			session->options.progress(session->options.context,
						  (double)(now - session->interval_start_ns) /
							  1e9,
						  (double)duration_ns / 1e9);
			next_progress_ns += NS_PER_S;
		}
	}
	*event = stopped ? SESSION_STOPPED : SESSION_INTERVAL;
	return end_interval(session, interval, error);
}

size_t session_vm_count(const struct session *session, size_t *selected)
{
	const struct vm_list *list = discoverer_vms(session->discoverer);

	*selected = 0;
	for (size_t i = 0; i < list->count; i++)
		*selected += is_selected(session, &list->vms[i]);
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

const char *session_inexact_reason(const struct session *session)
{
	return session->inexact.code ? session->inexact.message : NULL;
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

/* What a sample costs here, and how many the budget allows. */
static void set_up_budget(struct session *session)
{
	struct calibration kept;
	const char *collector =
		session->options.collector == SESSION_COLLECTOR_PERF ? "perf" : "bpf";
	const struct kernel_map *map = session->options.collector == SESSION_COLLECTOR_PERF
					       ? NULL
					       : session->kernel_map;

	session->budget = (struct budget){
		.share = session->options.budget > 0 ? session->options.budget : INFINITY,
		.asked_hz = session->options.frequency_hz,
	};
	session->frequency_hz = session->options.frequency_hz;
	if (session->options.new_collector)
		return;
	if (calibration_load(&kept, CALIBRATION_FILE, collector, NULL) == 0)
		session->budget.sample_cost_ns = kept.sample_cost_ns;
	if (session->budget.sample_cost_ns <= 0 &&
	    sample_cost_measure(map, &session->budget.sample_cost_ns, NULL))
		session->budget.sample_cost_ns = 0;
	session->frequency_hz = budget_first_rate(&session->budget);
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
		code = kernel_map_load(&session->kernel_map, NULL, error);
	if (!code && labels_use_map(session->labels, session->kernel_map))
		code = error_set(error, -ENOMEM, "no memory for the kernel map");
	if (!code)
		code = discoverer_new(&session->discoverer,
				      &(struct discover_options){.classify_exits = true},
				      error);
	if (!code)
		set_up_budget(session);
	if (!code)
		code = open_collector(session, error);
	if (!code)
		open_tagging(session);
	if (!code)
		code = set_up_correction(session, error);
	if (!code)
		code = scan(session, error);
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
	for (size_t i = 0; i < session->tracked_count; i++) {
		free(session->tracked[i].groups);
		vm_causes_free(&session->tracked[i].causes);
	}
	free(session->tracked);
	for (size_t i = 0; i < session->unseen_count; i++)
		vm_clear(&session->unseen[i]);
	free(session->unseen);
	net_dev_texts_free(session->net_dev_texts);
	dso_cache_free(session->dsos);
	labels_free(session->labels);
	kernel_map_free(session->kernel_map);
	free(session);
}
