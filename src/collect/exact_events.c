/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/exact_events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "collect/bpf_sampler.h"
#include "collect/exact_programs.h"
#include "exact.skel.h"

/* One program at one tracepoint. */
struct attachment {
	const char *tracepoint;
	bool entry; /* of an interrupt; else its end */
};

/*
 * Interrupts of devices, and of the local APIC (arch/x86/include/asm/trace/irq_vectors.h),
 * which are none to the former. What a kernel hasn't is left out.
 */
static const struct attachment interrupts[] = {
	{"irq_handler_entry", true},
	{"irq_handler_exit", false},
	{"local_timer_entry", true},
	{"local_timer_exit", false},
	{"reschedule_entry", true},
	{"reschedule_exit", false},
	{"call_function_entry", true},
	{"call_function_exit", false},
	{"call_function_single_entry", true},
	{"call_function_single_exit", false},
	{"irq_work_entry", true},
	{"irq_work_exit", false},
	{"x86_platform_ipi_entry", true},
	{"x86_platform_ipi_exit", false},
	{"thermal_apic_entry", true},
	{"thermal_apic_exit", false},
	{"threshold_apic_entry", true},
	{"threshold_apic_exit", false},
	{"deferred_error_apic_entry", true},
	{"deferred_error_apic_exit", false},
	{"error_apic_entry", true},
	{"error_apic_exit", false},
};
#define INTERRUPTS (sizeof(interrupts) / sizeof(interrupts[0]))

/* Fewer events than that tell nothing of the cost of one. */
#define COST_EVENTS_MIN 200

struct program_cost {
	uint64_t runs;
	uint64_t ns;
};

struct exact_events {
	struct exact_bpf *programs;
	struct bpf_link *links[INTERRUPTS];
	struct exact_cpu *cpus; /* the next three are shared with the kernel */
	struct exact_thread *threads;
	struct exact_exit *exits;
	size_t possible_cpus;
	int *online;
	size_t online_count;
	uint64_t *seen; /* events of each CPU at the last exact_events_rate() */
	uint64_t seen_ns;
	uint32_t isa; /* of the host's VM exits; 0: there was none yet */
	bool running;
	bool paused; /* at some time since the last reading */
	int stats_fd;
	struct program_cost cost; /* when the statistics were switched on */
};

static void *map_array(const struct bpf_map *map, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_arrays(struct exact_events *events, struct error *error)
{
	const struct exact_bpf *programs = events->programs;

	events->cpus = map_array(programs->maps.cpus, sizeof(*events->cpus) * EXACT_CPUS_MAX);
	events->threads =
		map_array(programs->maps.threads, sizeof(*events->threads) * EXACT_THREADS_MAX);
	events->exits = map_array(programs->maps.exits,
				  sizeof(*events->exits) * EXACT_TABLES_MAX * EXACT_EXIT_KINDS);
	if (!events->cpus || !events->threads || !events->exits)
		return error_set(error, -errno, "cannot map the counts of exact mode: %m");
	return 0;
}

static int attach_interrupts(struct exact_events *events, struct error *error)
{
	for (size_t i = 0; i < INTERRUPTS; i++) {
		struct bpf_program *program = interrupts[i].entry
						      ? events->programs->progs.exact_irq_entry
						      : events->programs->progs.exact_irq_exit;
		events->links[i] =
			bpf_program__attach_raw_tracepoint(program, interrupts[i].tracepoint);
		/* Without those of devices there is nothing exact. */
		if (!events->links[i] && i < 2)
			return error_set(error, -EOPNOTSUPP,
					 "cannot attach to the tracepoint %s: %m",
					 interrupts[i].tracepoint);
	}
	return 0;
}

static int load(struct exact_events *events, const struct exact_exit_layout *layout,
		struct error *error)
{
	int possible = libbpf_num_possible_cpus();

	if (possible < 0 || possible > EXACT_CPUS_MAX)
		return error_set(error, -E2BIG, "exact mode follows up to %d CPUs, not %d",
				 EXACT_CPUS_MAX, possible);
	events->possible_cpus = (size_t)possible;
	events->seen = calloc(events->possible_cpus, sizeof(*events->seen));
	if (!events->seen)
		return error_set(error, -ENOMEM, "no memory for %d CPUs", possible);
	int code = exact_programs_load(&events->programs, layout, EXACT_READING_BEST);
	if (!code)
		code = exact_bpf__attach(events->programs);
	if (code)
		return bpf_load_error(code, "programs of exact mode", error);
	code = attach_interrupts(events, error);
	return code ? code : map_arrays(events, error);
}

int exact_events_new(struct exact_events **out, const struct exact_exit_layout *layout,
		     struct error *error)
{
	struct exact_events *events = calloc(1, sizeof(*events));

	if (!events)
		return error_set(error, -ENOMEM, "no memory for exact mode");
	events->stats_fd = -1;
	int code = cpus_online(&events->online, &events->online_count, error);
	if (!code)
		code = load(events, layout, error);
	if (code) {
		exact_events_free(events);
		return code;
	}
	*out = events;
	return 0;
}

/* Has each CPU bring its sums up to date. One that went offline is followed no more. */
static int cut_cpus(struct exact_events *events, bool flip, bool running, struct error *error)
{
	struct exact_bpf__bss *bss = events->programs->bss;

	if (flip)
		bss->next_parity ^= 1;
	if (running && !events->running)
		bss->next_window++;
	bss->next_running = running;
	for (size_t i = 0; i < events->online_count; i++) {
		int code = exact_programs_cut(events->programs, events->online[i]);
		if (!code)
			continue;
		if (code != -ENXIO)
			return error_set(error, code,
					 "cannot read the exact times of CPU %d: %m",
					 events->online[i]);
		events->cpus[events->online[i]].running = 0;
		events->paused = true;
	}
	events->running = running;
	return 0;
}

int exact_events_begin(struct exact_events *events, struct error *error)
{
	return events->running ? 0 : cut_cpus(events, false, true, error);
}

int exact_events_pause(struct exact_events *events, struct error *error)
{
	events->paused = true;
	return events->running ? cut_cpus(events, false, false, error) : 0;
}

bool exact_events_running(const struct exact_events *events)
{
	return events->running;
}

static void take_cpu(struct exact_events *events, struct exact_cpu *cpu, unsigned half,
		     struct exact_totals *totals)
{
	totals->covered_ns += cpu->covered_ns[half];
	totals->events += cpu->events[half];
	totals->entries += cpu->entries[half];
	if (cpu->isa)
		events->isa = cpu->isa;
	for (size_t i = 0; i < EXACT_SOFTIRQS; i++) {
		totals->softirq_ns[i] += cpu->softirq_ns[half][i];
		cpu->softirq_ns[half][i] = 0;
	}
	cpu->covered_ns[half] = cpu->events[half] = cpu->entries[half] = 0;
}

/* Hands out a thread's exits (NULL visitor: drops them) and clears them. */
static int take_exits(struct exact_events *events, const struct exact_thread *thread,
		      uint32_t table, unsigned half, const struct exact_visitor *visitor,
		      uint64_t *lost)
{
	const struct exact_bpf__bss *bss = events->programs->bss;
	struct exact_exit *exits = &events->exits[(size_t)table * EXACT_EXIT_KINDS];
	int error = 0;

	for (uint32_t kind = 0; !error && kind < EXACT_EXIT_KINDS; kind++) {
		uint64_t count = exits[kind].count[half], ns = exits[kind].ns[half];
		if (count == 0 && ns == 0)
			continue;
		exits[kind].count[half] = exits[kind].ns[half] = 0;
		if (visitor)
			error = visitor->exits(
				visitor->context, thread, events->isa,
				kind ? bss->exit_codes[kind] : EXACT_EXIT_UNKNOWN, count, ns);
		else
			*lost += count;
	}
	return error;
}

/* The place and the table of a thread that ended, for others to use. */
static void free_place(struct exact_events *events, size_t place)
{
	struct exact_thread *thread = &events->threads[place];
	__u32 number = (__u32)(place - EXACT_PLACES * events->possible_cpus) + 1;
	__u32 table = thread->exits;

	if (table)
		memset(&events->exits[(size_t)table * EXACT_EXIT_KINDS], 0,
		       EXACT_EXIT_KINDS * sizeof(*events->exits));
	*thread = (struct exact_thread){0};
	bpf_map_update_elem(bpf_map__fd(events->programs->maps.free_places), NULL, &number,
			    BPF_ANY);
	if (table)
		bpf_map_update_elem(bpf_map__fd(events->programs->maps.free_tables), NULL,
				    &table, BPF_ANY);
}

static enum exact_place kind_of_place(const struct exact_events *events, size_t place)
{
	size_t kind = place / events->possible_cpus;

	return kind < EXACT_PLACES ? (enum exact_place)kind : EXACT_PLACE_THREAD;
}

static int take_thread(struct exact_events *events, size_t place, unsigned half,
		       const struct exact_visitor *visitor, struct exact_totals *totals)
{
	struct exact_thread *thread = &events->threads[place];
	uint64_t ns[EXACT_ACCOUNTS], sum = 0;
	int error = 0;

	for (size_t i = 0; i < EXACT_ACCOUNTS; i++) {
		ns[i] = thread->ns[half][i];
		sum += ns[i];
		thread->ns[half][i] = 0;
	}
	if (sum)
		error = visitor->thread(visitor->context, kind_of_place(events, place), thread,
					ns);
	if (!error && thread->exits)
		error = take_exits(events, thread, thread->exits, half, visitor,
				   &totals->lost_exits);
	if (thread->ended == 1 + half)
		free_place(events, place);
	return error;
}

int exact_events_take(struct exact_events *events, const struct exact_visitor *visitor,
		      struct exact_totals *totals, struct error *error)
{
	struct exact_bpf__bss *bss = events->programs->bss;
	unsigned half = bss->next_parity;
	int code = cut_cpus(events, true, events->running, error);

	*totals = (struct exact_totals){.whole = !events->paused};
	events->paused = !events->running;
	if (code)
		return code;
	for (size_t i = 0; i < events->possible_cpus; i++)
		take_cpu(events, &events->cpus[i], half, totals);
	size_t places = EXACT_PLACES * events->possible_cpus + bss->places_taken;
	for (size_t i = 0; !code && i < places && i < EXACT_THREADS_MAX; i++)
		code = take_thread(events, i, half, visitor, totals);
	if (!code)
		code = take_exits(events, NULL, 0, half, NULL, &totals->lost_exits);
	totals->homeless = __atomic_exchange_n(&bss->homeless, 0, __ATOMIC_RELAXED);
	return code ? error_set(error, code, "no memory for the exact times") : 0;
}

double exact_events_rate(struct exact_events *events)
{
	uint64_t now = clock_monotonic_ns(), most = 0;

	for (size_t i = 0; i < events->possible_cpus; i++) {
		const struct exact_cpu *cpu = &events->cpus[i];
		uint64_t count = __atomic_load_n(&cpu->events[0], __ATOMIC_RELAXED) +
				 __atomic_load_n(&cpu->events[1], __ATOMIC_RELAXED);
		/* A reading in between has cleared them. */
		uint64_t since = count >= events->seen[i] ? count - events->seen[i] : count;
		if (since > most)
			most = since;
		events->seen[i] = count;
	}
	double seconds = (double)(now - events->seen_ns) / 1e9;
	bool first = events->seen_ns == 0;
	events->seen_ns = now;
	return first || seconds <= 0 ? 0 : (double)most / seconds;
}

static struct program_cost read_cost(const struct exact_events *events)
{
	struct program_cost sum = {0};
	struct bpf_program *program;

	bpf_object__for_each_program(program, events->programs->obj)
	{
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_program__fd(program);
		if (fd < 0 || program == events->programs->progs.exact_cut_cpu ||
		    bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		sum.runs += info.run_cnt;
		sum.ns += info.run_time_ns;
	}
	return sum;
}

int exact_events_begin_cost(struct exact_events *events)
{
	if (events->stats_fd >= 0)
		return 0;
	events->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (events->stats_fd < 0)
		return -errno;
	events->cost = read_cost(events);
	return 0;
}

double exact_events_end_cost(struct exact_events *events)
{
	if (events->stats_fd < 0)
		return 0;
	struct program_cost now = read_cost(events);
	uint64_t runs = now.runs - events->cost.runs;
	if (runs < COST_EVENTS_MIN)
		return 0;
	close(events->stats_fd);
	events->stats_fd = -1;
	return (double)(now.ns - events->cost.ns) / (double)runs;
}

void exact_events_free(struct exact_events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < INTERRUPTS; i++)
		bpf_link__destroy(events->links[i]);
	if (events->cpus)
		munmap(events->cpus, sizeof(*events->cpus) * EXACT_CPUS_MAX);
	if (events->threads)
		munmap(events->threads, sizeof(*events->threads) * EXACT_THREADS_MAX);
	if (events->exits)
		munmap(events->exits,
		       sizeof(*events->exits) * EXACT_TABLES_MAX * EXACT_EXIT_KINDS);
	exact_bpf__destroy(events->programs);
	if (events->stats_fd >= 0)
		close(events->stats_fd);
	free(events->online);
	free(events->seen);
	free(events);
}
