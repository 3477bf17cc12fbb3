/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/interval_builder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account/exact.h"
#include "base/array.h"
#include "measure/exit_counts.h"

/* The first threads of every ledger stand for all that is no VM's. */
static const enum account_owner pseudo_threads[] = {
	OWNER_PROCESSES, OWNER_KERNEL, OWNER_SHARED, OWNER_SELF, OWNER_IDLE,
};
#define PSEUDO_THREADS (sizeof(pseudo_threads) / sizeof(pseudo_threads[0]))

/* So many times of the reference loop are added to each thread's. */
#define COMMON_REFERENCES 16

struct id_index {
	pid_t id;
	uint32_t index;
};

/* CPU time that did not fit into the last interval. */
struct carry {
	enum account_owner owner;
	pid_t tid;
	uint64_t ns;
};

struct interval_builder {
	struct labels *labels;
	pid_t self;
	pid_t *shared_tids; /* kernel threads that do softirq work, in rising order */
	size_t shared_count, shared_room;
	struct carry *carries;
	size_t carry_count, carry_room;
	struct exit_counts *exits;
	bool corrects, corrects_exact;
	struct exit_costs exit_costs;  /* when it corrects */
	struct exit_costs exact_costs; /* likewise in exact mode */
	uint32_t world_switch_label;   /* when it corrects, and in exact mode */
	/* Rebuilt for each interval. */
	struct account_thread *accounts;
	size_t account_room;
	struct interval_thread *threads;
	size_t thread_count, thread_room;
	struct id_index *by_tid, *by_tgid;
	size_t tid_count, tid_room, tgid_count, tgid_room;
	struct account_count *counts;
	size_t count_count, count_room;
	struct account_split *splits;
	size_t split_count, split_room;
};

struct interval_builder *interval_builder_new(struct labels *labels)
{
	struct interval_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return NULL;
	builder->labels = labels;
	builder->self = getpid();
	builder->exits = exit_counts_new();
	if (!builder->exits) {
		free(builder);
		return NULL;
	}
	return builder;
}

int interval_builder_correct(struct interval_builder *builder, const struct exit_costs *costs,
			     const struct exit_costs *exact)
{
	int error = labels_intern(builder->labels, "kvm/world-switch",
				  &builder->world_switch_label);

	if (error)
		return error;
	builder->exit_costs = *costs;
	builder->corrects = true;
	if (exact)
		builder->exact_costs = *exact;
	builder->corrects_exact = exact != NULL;
	return 0;
}

int interval_builder_skip_exits(struct interval_builder *builder, const struct vm *vm)
{
	uint64_t by_class[VM_EXIT_CLASSES];
	int error = 0;

	for (size_t i = 0; !error && i < vm->counter_count; i++)
		error = exit_counts_take(builder->exits, &vm->counters[i], by_class);
	return error;
}

void interval_builder_set_self(struct interval_builder *builder, pid_t self)
{
	builder->self = self;
}

static int compare_ids(const void *left, const void *right)
{
	const struct id_index *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

static void sort_ids(struct id_index *ids, size_t count)
{
	if (count > 1)
		qsort(ids, count, sizeof(*ids), compare_ids);
}

static const struct id_index *find_id(const struct id_index *ids, size_t count, pid_t id)
{
	struct id_index key = {.id = id};

	return count ? bsearch(&key, ids, count, sizeof(*ids), compare_ids) : NULL;
}

static int compare_pids(const void *left, const void *right)
{
	const pid_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool is_shared_tid(const struct interval_builder *builder, pid_t tid)
{
	return builder->shared_count &&
	       bsearch(&tid, builder->shared_tids, builder->shared_count, sizeof(tid),
		       compare_pids);
}

/* Kernel threads whose work is done for others: softirqs that were put off, NAPI polling. */
static bool does_shared_work(const char *name)
{
	return strncmp(name, "ksoftirqd/", 10) == 0 || strncmp(name, "napi/", 5) == 0 ||
	       strncmp(name, "backlog_napi/", 13) == 0;
}

static int learn_shared_threads(struct interval_builder *builder,
				const struct collection *collection)
{
	for (size_t i = 0; i < collection->task_count; i++) {
		const struct collected_task *task = &collection->tasks[i];
		if (!task->kernel_thread || !does_shared_work(task->name) ||
		    is_shared_tid(builder, task->tid))
			continue;
		if (array_reserve(&builder->shared_tids, &builder->shared_room,
				  builder->shared_count + 1, sizeof(*builder->shared_tids)))
			return -ENOMEM;
		builder->shared_tids[builder->shared_count++] = task->tid;
		qsort(builder->shared_tids, builder->shared_count, sizeof(pid_t), compare_pids);
	}
	return 0;
}

static int add_id(struct id_index **ids, size_t *count, size_t *room, pid_t id, uint32_t index)
{
	if (array_reserve(ids, room, *count + 1, sizeof(**ids)))
		return -ENOMEM;
	(*ids)[(*count)++] = (struct id_index){id, index};
	return 0;
}

/* Which VM each thread group belongs to: a VM has its own and those of its other threads. */
static int index_groups(struct interval_builder *builder, const struct builder_vm *vms,
			size_t vm_count)
{
	int error = 0;

	builder->tgid_count = 0;
	for (uint32_t v = 0; !error && v < vm_count; v++) {
		const struct vm *vm = vms[v].vm;
		pid_t last = vm->pid;
		error = add_id(&builder->by_tgid, &builder->tgid_count, &builder->tgid_room,
			       vm->pid, v);
		for (size_t i = 0; !error && i < vm->thread_count; i++) {
			if (vm->threads[i].tgid == last)
				continue;
			last = vm->threads[i].tgid;
			error = add_id(&builder->by_tgid, &builder->tgid_count,
				       &builder->tgid_room, last, v);
		}
	}
	sort_ids(builder->by_tgid, builder->tgid_count);
	return error;
}

/* The VM that the thread belongs to, or NULL. */
static struct vm *vm_of_thread(const struct builder_vm *vms, size_t vm_count, pid_t tid)
{
	for (size_t v = 0; v < vm_count; v++)
		if (vms[v].vm->pid == tid || vm_find_thread(vms[v].vm, tid))
			return vms[v].vm;
	return NULL;
}

/* Gives the VMs the threads that were seen for the first time. */
static int adopt_threads(struct interval_builder *builder, const struct collection *collection,
			 const struct builder_vm *vms, size_t vm_count)
{
	int error = index_groups(builder, vms, vm_count);
	size_t groups = builder->tgid_count;

	for (size_t i = 0; !error && i < collection->task_count; i++) {
		const struct collected_task *task = &collection->tasks[i];
		const struct id_index *known = find_id(builder->by_tgid, groups, task->tgid);
		struct vm *vm = known ? vms[known->index].vm : NULL;
		/* The number in a name is only a hint: what discovery knows comes first. */
		pid_t master =
			!vm && task->kernel_thread ? thread_master_from_name(task->name) : 0;
		if (master)
			vm = vm_of_thread(vms, vm_count, master);
		if (vm && !vm_find_thread(vm, task->tid) &&
		    !vm_add_thread(vm, task->tid, task->tgid, task->name))
			error = -ENOMEM;
	}
	/* Again: kernel threads that were adopted are groups of their own. */
	return error ? error : index_groups(builder, vms, vm_count);
}

static int add_thread(struct interval_builder *builder, const struct interval_thread *thread)
{
	size_t count = builder->thread_count;

	if (array_reserve(&builder->threads, &builder->thread_room, count + 1,
			  sizeof(*builder->threads)) ||
	    array_reserve(&builder->accounts, &builder->account_room, count + 1,
			  sizeof(*builder->accounts)))
		return -ENOMEM;
	builder->threads[count] = *thread;
	builder->accounts[count] = (struct account_thread){
		.owner = thread->owner,
		.vm = thread->vm,
		.role = (uint32_t)thread->role,
	};
	builder->thread_count++;
	return 0;
}

static int list_threads(struct interval_builder *builder, const struct builder_vm *vms,
			size_t vm_count)
{
	int error = 0;

	builder->thread_count = 0;
	builder->tid_count = 0;
	for (size_t i = 0; !error && i < PSEUDO_THREADS; i++)
		error = add_thread(builder,
				   &(struct interval_thread){.owner = pseudo_threads[i]});
	for (uint32_t v = 0; !error && v < vm_count; v++) {
		for (size_t i = 0; !error && i < vms[v].vm->thread_count; i++) {
			const struct vm_thread *from = &vms[v].vm->threads[i];
			struct interval_thread thread = {
				.owner = OWNER_VM,
				.vm = v,
				.tid = from->tid,
				.role = from->role,
				.index = from->index,
			};
			memcpy(thread.name, from->name, sizeof(thread.name));
			error = add_id(&builder->by_tid, &builder->tid_count,
				       &builder->tid_room, from->tid,
				       (uint32_t)builder->thread_count);
			if (!error)
				error = add_thread(builder, &thread);
		}
	}
	sort_ids(builder->by_tid, builder->tid_count);
	return error;
}

static uint32_t pseudo_thread(enum account_owner owner)
{
	uint32_t i = 0;

	while (pseudo_threads[i] != owner)
		i++;
	return i;
}

/* The ledger's thread that a task's time or samples belong to. */
static uint32_t thread_of(const struct interval_builder *builder, pid_t tgid, pid_t tid,
			  bool kernel_thread)
{
	const struct id_index *found = find_id(builder->by_tid, builder->tid_count, tid);

	if (tid == 0)
		return pseudo_thread(OWNER_IDLE);
	if (found)
		return found->index;
	if (tgid == builder->self)
		return pseudo_thread(OWNER_SELF);
	if (!kernel_thread)
		return pseudo_thread(OWNER_PROCESSES);
	return pseudo_thread(is_shared_tid(builder, tid) ? OWNER_SHARED : OWNER_KERNEL);
}

/*
 * The threads' exact times, and run times that equal their sums when they cover the whole
 * interval.
 */
static void charge_exact_times(struct interval_builder *builder,
			       const struct collection *collection)
{
	const struct collected_exact *exact = &collection->exact;
	struct account_thread *accounts = builder->accounts;

	accounts[pseudo_thread(OWNER_PROCESSES)].exact = exact->processes;
	accounts[pseudo_thread(OWNER_KERNEL)].exact = exact->kernel;
	accounts[pseudo_thread(OWNER_SELF)].exact = exact->self;
	accounts[pseudo_thread(OWNER_IDLE)].exact = exact->idle;
	for (size_t i = 0; i < collection->task_count; i++) {
		const struct collected_task *task = &collection->tasks[i];
		uint32_t thread =
			thread_of(builder, task->tgid, task->tid, task->kernel_thread);
		exact_times_add(&accounts[thread].exact, &task->exact);
	}
	for (size_t i = 0; i < builder->thread_count; i++) {
		builder->threads[i].exact = accounts[i].exact;
		if (exact->whole && accounts[i].owner != OWNER_IDLE)
			accounts[i].run_ns = exact_times_sum(&accounts[i].exact);
	}
}

/* The kinds of work that the kernel's softirq vectors do (include/linux/interrupt.h). */
static void sum_softirqs(const struct collected_exact *exact, uint64_t by_kind[WORK_COUNT])
{
	static const enum shared_work kinds[COLLECTED_SOFTIRQS] = {
		WORK_OTHER, WORK_TIMER, WORK_NET_TX, WORK_NET_RX, WORK_BLOCK,
		WORK_BLOCK, WORK_OTHER, WORK_SCHED,  WORK_TIMER,  WORK_RCU,
	};

	for (size_t i = 0; i < COLLECTED_SOFTIRQS; i++)
		by_kind[kinds[i]] += exact->softirq_ns[i];
}

/* Exits of a part of the time stand for all of it. */
static int charge_exits(struct interval_builder *builder, const struct collection *collection,
			struct interval *out, size_t vm_count)
{
	double scale = collection->exact.whole ? 1 : 1 / collection->exact.duty;

	for (size_t v = 0; v < vm_count; v++)
		out->vms[v].exits_known = true;
	for (size_t i = 0; i < collection->exit_count; i++) {
		const struct collected_exit *from = &collection->exits[i];
		const struct id_index *vm =
			find_id(builder->by_tgid, builder->tgid_count, from->tgid);
		struct interval_exits exits = {
			.isa = from->isa,
			.code = from->code,
			.count = (uint64_t)llround((double)from->count * scale),
			.ns = (uint64_t)llround((double)from->ns * scale),
		};
		if (!vm)
			out->source.lost_exits += exits.count;
		else if (interval_vm_add_exits(&out->vms[vm->index], &exits))
			return -ENOMEM;
	}
	return 0;
}

/* Each exit has its part of the world switches that the correction found. */
static void add_world_switches(struct interval_vm *vm, uint64_t corrected_ns)
{
	uint64_t exits = 0;

	for (size_t i = 0; i < vm->exit_reasons; i++)
		exits += vm->exits_by_reason[i].count;
	for (size_t i = 0; exits && i < vm->exit_reasons; i++)
		vm->exits_by_reason[i].ns +=
			(uint64_t)((double)corrected_ns * (double)vm->exits_by_reason[i].count /
				   (double)exits);
}

/* Estimates for the whole interval may be more than the host time that there was. */
static void fit_exits(struct interval *out)
{
	for (size_t v = 0; v < out->ledger.vm_count; v++) {
		struct interval_vm *vm = &out->vms[v];
		uint64_t host_ns =
			out->ledger.vms[v].vmm.total_ns + out->ledger.vms[v].kernel.total_ns;
		uint64_t sum = 0;
		add_world_switches(vm, out->ledger.vms[v].corrected_ns);
		for (size_t i = 0; i < vm->exit_reasons; i++)
			sum += vm->exits_by_reason[i].ns;
		double fit = sum > host_ns ? (double)host_ns / (double)sum : 1;
		for (size_t i = 0; sum > host_ns && i < vm->exit_reasons; i++)
			vm->exits_by_reason[i].ns =
				(uint64_t)((double)vm->exits_by_reason[i].ns * fit);
	}
}

static void charge_times(struct interval_builder *builder, const struct collection *collection)
{
	struct account_thread *accounts = builder->accounts;

	accounts[pseudo_thread(OWNER_PROCESSES)].run_ns += collection->processes_run_ns;
	accounts[pseudo_thread(OWNER_KERNEL)].run_ns += collection->kernel_run_ns;
	accounts[pseudo_thread(OWNER_SHARED)].run_ns += collection->shared_run_ns;
	accounts[pseudo_thread(OWNER_SELF)].run_ns += collection->self_run_ns;
	for (size_t i = 0; i < collection->task_count; i++) {
		const struct collected_task *task = &collection->tasks[i];
		uint32_t thread =
			thread_of(builder, task->tgid, task->tid, task->kernel_thread);
		accounts[thread].run_ns += task->run_ns;
		builder->threads[thread].ready_ns += task->ready_ns;
	}
	for (size_t i = 0; i < builder->carry_count; i++) {
		const struct carry *carry = &builder->carries[i];
		/* A thread whose VM is gone leaves its rest to the processes. */
		uint32_t thread = carry->owner == OWNER_VM
					  ? thread_of(builder, 0, carry->tid, false)
					  : pseudo_thread(carry->owner);
		accounts[thread].run_ns += carry->ns;
	}
	builder->carry_count = 0;
}

/* The rest of the interval, of each thread; of one that has just begun, too. */
static void count_sleep(struct interval_builder *builder, const struct collection *collection)
{
	const uint64_t duration_ns = collection->end_ns - collection->start_ns;

	for (size_t i = 0; i < builder->thread_count; i++) {
		struct account_thread *account = &builder->accounts[i];
		uint64_t awake_ns = account->run_ns + builder->threads[i].ready_ns;
		account->slept_ns = awake_ns < duration_ns ? duration_ns - awake_ns : 0;
	}
}

/*
 * The mean time of the reference loop at each thread's samples. A few of them tell little, so
 * that some more, as all threads' are on average, count in.
 */
static int count_references(struct interval_builder *builder,
			    const struct collection *collection)
{
	const double common_ns = collection_references(collection).mean_ns;

	if (common_ns == 0)
		return 0;
	uint64_t *numbers = calloc(builder->thread_count, sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < collection->count_count; i++) {
		const struct collected_count *count = &collection->counts[i];
		uint32_t thread = builder->counts[i].thread;
		numbers[thread] += count->references;
		builder->accounts[thread].reference_ns += (double)count->reference_ns;
	}
	for (size_t i = 0; i < builder->thread_count; i++) {
		double *reference_ns = &builder->accounts[i].reference_ns;
		*reference_ns = (*reference_ns + COMMON_REFERENCES * common_ns) /
				((double)numbers[i] + COMMON_REFERENCES);
	}
	free(numbers);
	return 0;
}

/* Gives the threads the exits of the vCPUs that they run. */
static int count_exits(struct interval_builder *builder, const struct builder_vm *vms,
		       size_t vm_count)
{
	for (size_t v = 0; v < vm_count; v++) {
		const struct vm *vm = vms[v].vm;
		for (size_t i = 0; i < vm->counter_count; i++) {
			uint64_t by_class[VM_EXIT_CLASSES];
			const struct id_index *thread = find_id(
				builder->by_tid, builder->tid_count, vm->counters[i].tid);
			int error =
				exit_counts_take(builder->exits, &vm->counters[i], by_class);
			if (error)
				return error;
			if (!thread || !vm->counters[i].known)
				continue;
			builder->threads[thread->index].exits_known = true;
			for (int c = 0; c < VM_EXIT_CLASSES; c++) {
				builder->accounts[thread->index].exits[c] += by_class[c];
				builder->threads[thread->index].exits[c] += by_class[c];
			}
		}
	}
	exit_counts_forget(builder->exits);
	return 0;
}

static int keep_carries(struct interval_builder *builder, const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->thread_count; i++) {
		if (ledger->threads[i].carry_ns == 0)
			continue;
		if (array_reserve(&builder->carries, &builder->carry_room,
				  builder->carry_count + 1, sizeof(*builder->carries)))
			return -ENOMEM;
		builder->carries[builder->carry_count++] = (struct carry){
			.owner = builder->threads[i].owner,
			.tid = builder->threads[i].tid,
			.ns = ledger->threads[i].carry_ns,
		};
	}
	return 0;
}

/* Where no callchain told the kind of shared work, the subsystem tells. */
static void resolve_work(const struct interval_builder *builder, struct account_count *count)
{
	bool interrupt = count->mode == MODE_SOFTIRQ || count->mode == MODE_HARDIRQ;
	bool softirq_thread = builder->accounts[count->thread].owner == OWNER_SHARED &&
			      count->mode == MODE_KERNEL;

	if (count->work == WORK_NONE && (interrupt || softirq_thread))
		count->work = labels_work(builder->labels, count->label);
}

static int convert_counts(struct interval_builder *builder, const struct collection *collection)
{
	if (array_reserve(&builder->counts, &builder->count_room, collection->count_count,
			  sizeof(*builder->counts)))
		return -ENOMEM;
	builder->count_count = collection->count_count;
	for (size_t i = 0; i < collection->count_count; i++) {
		const struct collected_count *from = &collection->counts[i];
		builder->counts[i] = (struct account_count){
			.thread =
				thread_of(builder, from->tgid, from->tid, from->kernel_thread),
			.mode = from->mode,
			.work = from->work,
			.label = from->mode >= MODE_KERNEL
					 ? labels_of_subsystem(builder->labels, from->subsystem)
					 : 0,
			.samples = from->samples,
			.entries = from->entries,
		};
		resolve_work(builder, &builder->counts[i]);
	}
	return 0;
}

static int convert_splits(struct interval_builder *builder, const struct collection *collection)
{
	if (array_reserve(&builder->splits, &builder->split_room, collection->split_count,
			  sizeof(*builder->splits)))
		return -ENOMEM;
	builder->split_count = 0;
	for (size_t i = 0; i < collection->split_count; i++) {
		const struct collected_split *from = &collection->splits[i];
		const struct id_index *vm =
			find_id(builder->by_tgid, builder->tgid_count, from->tgid);
		if (!vm)
			continue;
		struct account_split split = {
			.vm = vm->index,
			.mode = from->mode,
			.label = from->guest_kernel ? LABEL_GUEST_KERNEL : LABEL_GUEST_USER,
			.samples = from->samples,
		};
		if (from->mode == MODE_USER &&
		    labels_intern(builder->labels, from->dso, &split.label))
			return -ENOMEM;
		builder->splits[builder->split_count++] = split;
	}
	return 0;
}

/* What guest times are corrected by, or NULL. */
static const struct exit_costs *costs_of(const struct interval_builder *builder, bool exact)
{
	if (exact)
		return builder->corrects_exact ? &builder->exact_costs : NULL;
	return builder->corrects ? &builder->exit_costs : NULL;
}

int interval_build(struct interval_builder *builder, const struct collection *collection,
		   const struct builder_vm *vms, size_t vm_count,
		   uint64_t *const weights[WORK_COUNT], uint64_t period_ns,
		   struct interval *out)
{
	int error = learn_shared_threads(builder, collection);

	if (!error)
		error = adopt_threads(builder, collection, vms, vm_count);
	if (!error)
		error = list_threads(builder, vms, vm_count);
	if (!error)
		error = convert_counts(builder, collection);
	if (!error)
		error = convert_splits(builder, collection);
	if (!error)
		error = count_exits(builder, vms, vm_count);
	if (error)
		return error;
	bool exact = collection->exact.valid;
	charge_times(builder, collection);
	count_sleep(builder, collection);
	error = count_references(builder, collection);
	if (error)
		return error;
	if (exact) {
		charge_exact_times(builder, collection);
		error = charge_exits(builder, collection, out, vm_count);
		if (!error)
			error = labels_intern(builder->labels, "kvm/world-switch",
					      &builder->world_switch_label);
		if (error)
			return error;
	}

	struct account_input input = {
		.capacity_ns = collection_capacity(collection),
		.period_ns = period_ns,
		/* Exact times of the whole interval have the interrupts in them. */
		.interrupts_apart =
			collection->interrupts_apart && !(exact && collection->exact.whole),
		.exact = exact,
		.exact_duty = collection->exact.duty,
		.exact_windows = collection->exact.windows,
		.world_switch_label = builder->world_switch_label,
		.interrupt_ns = collection->interrupt_ns,
		.threads = builder->accounts,
		.thread_count = builder->thread_count,
		.counts = builder->counts,
		.count_count = builder->count_count,
		.entries_known = collection->entries_known,
		.splits = builder->splits,
		.split_count = builder->split_count,
		.vm_count = vm_count,
		.exit_costs = costs_of(builder, exact),
		.label_count = labels_count(builder->labels),
	};
	for (size_t work = 0; work < WORK_COUNT; work++)
		input.weights[work] = weights[work];
	/* Read in steps of 10 ms a CPU, it can exceed a short interval. */
	if (input.interrupt_ns > input.capacity_ns)
		input.interrupt_ns = input.capacity_ns;
	if (exact)
		sum_softirqs(&collection->exact, input.exact_softirq_ns);
	error = ledger_make(&out->ledger, &input);
	if (error)
		return error;
	out->threads = calloc(builder->thread_count, sizeof(*out->threads));
	if (!out->threads)
		return -ENOMEM;
	memcpy(out->threads, builder->threads, builder->thread_count * sizeof(*out->threads));
	for (size_t i = 0; i < builder->thread_count; i++)
		if (out->threads[i].owner == OWNER_VM)
			out->vms[out->threads[i].vm].ready_ns += out->threads[i].ready_ns;
	if (exact) {
		fit_exits(out);
		interval_sort_exits(out);
	}
	return keep_carries(builder, &out->ledger);
}

void interval_builder_free(struct interval_builder *builder)
{
	if (!builder)
		return;
	free(builder->shared_tids);
	free(builder->carries);
	exit_counts_free(builder->exits);
	free(builder->accounts);
	free(builder->threads);
	free(builder->by_tid);
	free(builder->by_tgid);
	free(builder->counts);
	free(builder->splits);
	free(builder);
}
