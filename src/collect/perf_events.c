/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/perf_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/random.h"

/* Data pages of a ring, for over a second of samples at 1000 Hz, bare or with callchains. */
#define RING_PAGES	      8
#define RING_PAGES_CALLCHAINS 64
/* As perf has it: what an ordinary user may lock (kernel.perf_event_mlock_kb). */
#define RING_PAGES_RECORDS 128

/* read_format bit of Linux 6.0; older headers don't have it. */
#define FORMAT_LOST (1U << 4)

/*
 * Time between two redraws, periods; where samples are recorded, it is as much longer as fits
 * under the time and the number that follow: each redraw interrupts every CPU, and the rings
 * are looked at as often.
 */
#define REDRAW_PERIODS	   7
#define REDRAW_RECORDS_NS  (25 * NS_PER_MS)
#define REDRAW_PERIODS_MAX 64

/* The deepest kernel callchain that is asked for. */
#define CALLCHAIN_MAX 32

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
	char *data;
	uint64_t size;	 /* of data, a power of two */
	uint64_t peeked; /* data_head as the last peek saw it */
	uint64_t id;
};

struct perf_events {
	struct perf_events_options options;
	bool cycles;
	struct perf_event_attr attr; /* with the nominal period */
	uint64_t random;	     /* state of base/random.h */
	uint64_t lost;
	size_t cpus;
	struct ring rings[]; /* cpus */
};

/* A value between half and one and a half of the nominal one. */
static uint64_t jittered(struct perf_events *events, uint64_t nominal)
{
	return nominal / 2 + random_next(&events->random) % (nominal + 1);
}

/* Cycles are asked for by frequency, since a period in cycles has no fixed length in time. */
static uint64_t draw_period(struct perf_events *events)
{
	return jittered(events, events->cycles ? events->options.frequency_hz
					       : NS_PER_S / events->options.frequency_hz);
}

static void describe_records(struct perf_event_attr *attr)
{
	attr->sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			    PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_IDENTIFIER;
	attr->read_format = PERF_FORMAT_ID | FORMAT_LOST;
	attr->sample_id_all = 1;
	attr->mmap = 1;
	attr->mmap2 = 1;
	attr->comm = 1;
	attr->comm_exec = 1;
	attr->task = 1;
	attr->ksymbol = 1;
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
}

static void describe_event(struct perf_events *events)
{
	struct perf_event_attr *attr = &events->attr;

	*attr = (struct perf_event_attr){
		.size = sizeof(*attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID,
		.sample_period = NS_PER_S / events->options.frequency_hz,
		.disabled = 1,
		/* Both sides, explicitly: perf's own default leaves the guest out. */
		.exclude_guest = 0,
		.exclude_host = 0,
	};
	if (events->options.records)
		describe_records(attr);
	if (events->options.callchains) {
		attr->sample_type |= PERF_SAMPLE_CALLCHAIN;
		attr->exclude_callchain_user = !events->options.records;
		attr->sample_max_stack = events->options.records ? 0 : CALLCHAIN_MAX;
	}
}

static int open_event(struct perf_events *events, int cpu)
{
	struct perf_event_attr attr = events->attr;
	pid_t thread = events->options.thread;

	/*
	 * A union with sample_freq. Samples of cpu-clock tell the period that the event was
	 * opened with for ever (hw.last_period, kernel/events/core.c, perf_swevent_hrtimer):
	 * that must be the same on all CPUs where it is recorded as the sample's weight.
	 */
	if (!events->options.records)
		attr.sample_period = draw_period(events);
	long fd = syscall(SYS_perf_event_open, &attr, thread ? thread : -1, thread ? -1 : cpu,
			  -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

static int try_event(struct perf_events *events, int cpu)
{
	int fd = open_event(events, cpu);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* What this kernel and this CPU offer is found by trying. */
static void fit_event(struct perf_events *events, int cpu)
{
	struct perf_event_attr *attr = &events->attr;

	describe_event(events);
	int code = try_event(events, cpu);
	if (code == -EINVAL && events->options.records) {
		attr->read_format &= ~(uint64_t)FORMAT_LOST; /* 119a784c8127 in 6.0 */
		code = try_event(events, cpu);
	}
	if (code == -EINVAL && events->options.records)
		attr->ksymbol = 0; /* 76193a94522f in 5.1 */

	/* A virtual machine's CPU may announce a PMU that isn't there. */
	struct perf_event_attr clock = *attr;
	attr->type = PERF_TYPE_HARDWARE;
	attr->config = PERF_COUNT_HW_CPU_CYCLES;
	attr->freq = 1;
	attr->sample_freq = events->options.frequency_hz;
	events->cycles = true;
	code = try_event(events, cpu);
	if (code < 0 && code != -EACCES && code != -EPERM) {
		events->cycles = false;
		*attr = clock;
	}
}

static int map_ring(struct ring *ring, size_t pages)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	ring->size = pages * page_size;
	void *memory = mmap(NULL, ring->size + page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    ring->fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ring->page = memory;
	ring->data = (char *)memory + page_size;
	return 0;
}

/*
 * Debian's and Android's kernels know a level 3 of kernel.perf_event_paranoid, at which
 * CAP_PERFMON is not enough.
 */
static int paranoid_level(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &level) != 1)
		level = 0;
	fclose(file);
	return level;
}

static int open_cpu(struct perf_events *events, int cpu, struct error *error)
{
	struct ring *ring = &events->rings[events->cpus];

	ring->fd = open_event(events, cpu);
	if (ring->fd == -EACCES || ring->fd == -EPERM)
		return error_set(error, ring->fd,
				 "sampling all CPUs is not permitted: run as root or with "
				 "CAP_PERFMON%s",
				 paranoid_level() > 2
					 ? " and kernel.perf_event_paranoid at most 2"
					 : "");
	if (ring->fd < 0) {
		errno = -ring->fd;
		return error_set(error, ring->fd, "perf_event_open of %s on CPU %d: %m",
				 perf_events_name(events), cpu);
	}
	events->cpus++;
	int code = map_ring(ring, events->options.records      ? RING_PAGES_RECORDS
				  : events->options.callchains ? RING_PAGES_CALLCHAINS
							       : RING_PAGES);
	if (code) {
		errno = -code;
		return error_set(error, code,
				 "cannot map the sample ring of CPU %d: %m (see "
				 "kernel.perf_event_mlock_kb)",
				 cpu);
	}
	if (events->options.bpf_program >= 0 &&
	    ioctl(ring->fd, PERF_EVENT_IOC_SET_BPF, events->options.bpf_program) < 0)
		return error_set(error, -errno, "cannot attach BPF to the event of CPU %d: %m",
				 cpu);
	if (ioctl(ring->fd, PERF_EVENT_IOC_ID, &ring->id) < 0)
		return error_set(error, -errno, "cannot read the id of the event of CPU %d: %m",
				 cpu);
	return 0;
}

int perf_events_open(struct perf_events **out, const struct perf_events_options *options,
		     struct error *error)
{
	size_t count;
	int *cpus;
	int code = cpus_online(&cpus, &count, error);

	if (code)
		return code;
	if (options->thread)
		count = 1;
	struct perf_events *events =
		calloc(1, sizeof(*events) + count * sizeof(events->rings[0]));
	if (!events) {
		free(cpus);
		return error_set(error, -ENOMEM, "no memory for %zu CPUs", count);
	}
	events->options = *options;
	events->random = random_state_new();

	fit_event(events, cpus[0]);
	for (size_t i = 0; !code && i < count; i++)
		code = open_cpu(events, cpus[i], error);
	free(cpus);
	if (code) {
		perf_events_close(events);
		return code;
	}
	*out = events;
	return 0;
}

int perf_events_start(struct perf_events *events, struct error *error)
{
	for (size_t i = 0; i < events->cpus; i++)
		if (ioctl(events->rings[i].fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
			return error_set(error, -errno, "cannot start sampling: %m");
	if (events->options.records)
		perf_events_redraw(events);
	return 0;
}

void perf_events_stop(struct perf_events *events)
{
	for (size_t i = 0; i < events->cpus; i++)
		(void)ioctl(events->rings[i].fd, PERF_EVENT_IOC_DISABLE, 0);
}

void perf_events_redraw(struct perf_events *events)
{
	for (size_t i = 0; i < events->cpus; i++) {
		uint64_t period = draw_period(events);
		/* Fails only for a CPU that went offline; it has nothing to sample. */
		(void)ioctl(events->rings[i].fd, PERF_EVENT_IOC_PERIOD, &period);
	}
}

/* Copies bytes of a record that may wrap around the end of the ring. */
static void copy_wrapped(const struct ring *ring, uint64_t position, void *to, size_t length)
{
	uint64_t offset = position & (ring->size - 1);
	size_t first = length < ring->size - offset ? length : (size_t)(ring->size - offset);

	memcpy(to, ring->data + offset, first);
	memcpy((char *)to + first, ring->data, length - first);
}

/* The body of a sample, in the order of perf_event_open(2): ip, pid and tid, callchain. */
static void decode_sample(struct perf_events *events, uint16_t misc, const uint64_t *words,
			  size_t count, perf_sample_function function, void *context)
{
	if (count < 2)
		return;
	struct perf_sample sample = {
		.misc = misc,
		.address = words[0],
		.pid = (uint32_t)words[1],
		.tid = (uint32_t)(words[1] >> 32),
	};
	if (events->options.callchains && count >= 3 && words[2] <= count - 3) {
		sample.callchain = words + 3;
		sample.callchain_length = (size_t)words[2];
	}
	function(context, &sample);
}

static void drain_ring(struct perf_events *events, struct ring *ring,
		       perf_sample_function function, void *context)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;

	while (head - tail >= sizeof(struct perf_event_header)) {
		struct perf_event_header header;
		uint64_t words[3 + CALLCHAIN_MAX + 16];
		copy_wrapped(ring, tail, &header, sizeof(header));
		if (header.size < sizeof(header) || header.size > head - tail)
			break;
		size_t length = header.size - sizeof(header);
		if (length <= sizeof(words)) {
			copy_wrapped(ring, tail + sizeof(header), words, length);
			if (header.type == PERF_RECORD_SAMPLE)
				decode_sample(events, header.misc, words, length / 8, function,
					      context);
			else if (header.type == PERF_RECORD_LOST && length >= 16)
				events->lost += words[1];
		}
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
}

void perf_events_drain(struct perf_events *events, perf_sample_function function, void *context)
{
	for (size_t i = 0; i < events->cpus; i++)
		drain_ring(events, &events->rings[i], function, context);
}

uint64_t perf_events_lost(const struct perf_events *events)
{
	return events->lost;
}

size_t perf_events_peek(struct perf_events *events, size_t index, struct iovec *parts)
{
	struct ring *ring = &events->rings[index];
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail, offset = tail & (ring->size - 1);
	uint64_t length = head - tail, to_end = ring->size - offset;

	ring->peeked = head;
	if (length == 0)
		return 0;
	parts[0] = (struct iovec){ring->data + offset, length < to_end ? length : to_end};
	if (length <= to_end)
		return 1;
	parts[1] = (struct iovec){ring->data, length - to_end};
	return 2;
}

void perf_events_consume(struct perf_events *events, size_t index)
{
	struct ring *ring = &events->rings[index];

	__atomic_store_n(&ring->page->data_tail, ring->peeked, __ATOMIC_RELEASE);
}

double perf_events_fill(const struct perf_events *events)
{
	uint64_t most = 0;

	for (size_t i = 0; i < events->cpus; i++) {
		const struct perf_event_mmap_page *page = events->rings[i].page;
		uint64_t waits =
			__atomic_load_n(&page->data_head, __ATOMIC_RELAXED) - page->data_tail;
		if (waits > most)
			most = waits;
	}
	return (double)most / (double)events->rings[0].size;
}

const struct perf_event_attr *perf_events_attr(const struct perf_events *events)
{
	return &events->attr;
}

uint64_t perf_events_id(const struct perf_events *events, size_t index)
{
	return events->rings[index].id;
}

bool perf_events_count_lost(const struct perf_events *events, size_t index, uint64_t *lost)
{
	uint64_t values[3]; /* value, id, lost: include/uapi/linux/perf_event.h, read_format */

	if (!(events->attr.read_format & FORMAT_LOST) ||
	    read(events->rings[index].fd, values, sizeof(values)) != sizeof(values))
		return false;
	*lost = values[2];
	return true;
}

const char *perf_events_name(const struct perf_events *events)
{
	return events->cycles ? "cycles" : "cpu-clock";
}

size_t perf_events_cpus(const struct perf_events *events)
{
	return events->cpus;
}

unsigned perf_events_frequency(const struct perf_events *events)
{
	return events->options.frequency_hz;
}

void perf_events_set_frequency(struct perf_events *events, unsigned frequency_hz)
{
	events->options.frequency_hz = frequency_hz;
}

uint64_t perf_events_redraw_interval(const struct perf_events *events)
{
	uint64_t period = NS_PER_S / events->options.frequency_hz;
	uint64_t interval = REDRAW_PERIODS * period;

	if (!events->options.records || interval >= REDRAW_RECORDS_NS)
		return interval;
	/* Who only records has nothing else to do so often: the CPUs are left in peace. */
	return REDRAW_RECORDS_NS < REDRAW_PERIODS_MAX * period ? REDRAW_RECORDS_NS
							       : REDRAW_PERIODS_MAX * period;
}

void perf_events_close(struct perf_events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < events->cpus; i++) {
		struct ring *ring = &events->rings[i];
		if (ring->page)
			munmap(ring->page, ring->size + (size_t)sysconf(_SC_PAGESIZE));
		close(ring->fd);
	}
	free(events);
}
