/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/perf_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"

/* Data pages of a ring, for over a second of samples at 1000 Hz, bare or with callchains. */
#define RING_PAGES	      8
#define RING_PAGES_CALLCHAINS 64

/* The deepest kernel callchain that is asked for. */
#define CALLCHAIN_MAX 32

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
	char *data;
	uint64_t size; /* of data, a power of two */
};

struct perf_events {
	struct perf_events_options options;
	bool cycles;
	uint64_t random; /* state of the generator */
	uint64_t lost;
	size_t cpus;
	struct ring rings[]; /* cpus */
};

/* xorshift64star (Vigna 2016): periods need no better randomness. */
static uint64_t draw(struct perf_events *events)
{
	uint64_t x = events->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	events->random = x;
	return x * 0x2545f4914f6cdd1dULL;
}

/* A value between half and one and a half of the nominal one. */
static uint64_t jittered(struct perf_events *events, uint64_t nominal)
{
	return nominal / 2 + draw(events) % (nominal + 1);
}

/* Cycles are asked for by frequency, since a period in cycles has no fixed length in time. */
static uint64_t draw_period(struct perf_events *events)
{
	return jittered(events, events->cycles ? events->options.frequency_hz
					       : NS_PER_S / events->options.frequency_hz);
}

static int open_event(struct perf_events *events, int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = events->cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config = events->cycles ? PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID,
		.disabled = 1,
		/* Both sides, explicitly: perf's own default leaves the guest out. */
		.exclude_guest = 0,
		.exclude_host = 0,
	};
	if (events->cycles) {
		attr.freq = 1;
		attr.sample_freq = draw_period(events);
	} else {
		attr.sample_period = draw_period(events);
	}
	if (events->options.callchains) {
		attr.sample_type |= PERF_SAMPLE_CALLCHAIN;
		attr.exclude_callchain_user = 1;
		attr.sample_max_stack = CALLCHAIN_MAX;
	}
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
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

static int open_cpu(struct perf_events *events, int cpu, struct error *error)
{
	struct ring *ring = &events->rings[events->cpus];

	ring->fd = open_event(events, cpu);
	if (ring->fd == -EACCES || ring->fd == -EPERM)
		return error_set(error, ring->fd,
				 "sampling all CPUs is not permitted: run as root or with "
				 "CAP_PERFMON");
	if (ring->fd < 0) {
		errno = -ring->fd;
		return error_set(error, ring->fd, "perf_event_open of %s on CPU %d: %m",
				 perf_events_name(events), cpu);
	}
	events->cpus++;
	int code =
		map_ring(ring, events->options.callchains ? RING_PAGES_CALLCHAINS : RING_PAGES);
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
	struct perf_events *events =
		calloc(1, sizeof(*events) + count * sizeof(events->rings[0]));
	if (!events) {
		free(cpus);
		return error_set(error, -ENOMEM, "no memory for %zu CPUs", count);
	}
	events->options = *options;
	if (getrandom(&events->random, sizeof(events->random), 0) < 0 || events->random == 0)
		events->random = clock_monotonic_ns() | 1;

	/* Found by trying: a virtual machine's CPU may announce a PMU that isn't there. */
	events->cycles = true;
	int probe = open_event(events, cpus[0]);
	if (probe >= 0)
		close(probe);
	else if (probe != -EACCES && probe != -EPERM)
		events->cycles = false;

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
	return 0;
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

const char *perf_events_name(const struct perf_events *events)
{
	return events->cycles ? "cycles" : "cpu-clock";
}

size_t perf_events_cpus(const struct perf_events *events)
{
	return events->cpus;
}

uint64_t perf_events_redraw_interval(const struct perf_events *events)
{
	return 7 * NS_PER_S / events->options.frequency_hz;
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
