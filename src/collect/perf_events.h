/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_PERF_EVENTS_H
#define KVMPERF_COLLECT_PERF_EVENTS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

/*
 * One sampling event per online CPU with its ring: cycles where the CPU has a PMU, else
 * cpu-clock. The period is jittered, so that work in step with a timer is seen as often as any
 * other (../shared/design.md, section 4).
 */
struct perf_events;

struct perf_events_options {
	unsigned frequency_hz; /* samples per second and CPU, on the average */
	int bpf_program; /* runs on each sample and says whether it goes to the ring; -1 */
	bool callchains; /* kernel callchains in the samples; with records the user's, too */
	bool records;	 /* as a perf.data file has them: see perf_events_peek() */
	pid_t thread;	 /* sample this thread, wherever it runs; 0: all CPUs */
};

/* A record of the ring. Valid during the callback. */
struct perf_sample {
	uint16_t misc; /* perf_event_header.misc: PERF_RECORD_MISC_CPUMODE_MASK */
	uint32_t pid;
	uint32_t tid;
	uint64_t address;
	const uint64_t *callchain; /* kernel part, innermost first; context markers included */
	size_t callchain_length;
};

typedef void (*perf_sample_function)(void *context, const struct perf_sample *sample);

/*
 * Opens the events, stopped. *out is owned by the caller (perf_events_close).
 * Errors: -EACCES or -EPERM without CAP_PERFMON (the line says so), others from
 * perf_event_open(2), mmap(2) and the PERF_EVENT_IOC_SET_BPF ioctl.
 */
int perf_events_open(struct perf_events **out, const struct perf_events_options *options,
		     struct error *error);

/* Starts all events. */
int perf_events_start(struct perf_events *events, struct error *error);

/* Stops them. What is in the rings stays; they can be started again. */
void perf_events_stop(struct perf_events *events);

/*
 * Draws every CPU's period anew, uniformly from half to one and a half of the nominal one. To
 * be called every 5 to 10 periods: the kernel starts the timer anew each time, so more often
 * means few samples (kernel/events/core.c, __perf_event_period).
 */
void perf_events_redraw(struct perf_events *events);

/* Hands the records that wait in the rings to the function and frees their room. */
void perf_events_drain(struct perf_events *events, perf_sample_function function,
		       void *context);

/* Records that found a ring full, since the start, as perf_events_drain() met them. */
uint64_t perf_events_lost(const struct perf_events *events);

/*
 * With options.records, samples have IP, TID, TIME (CLOCK_MONOTONIC), CPU, PERIOD and
 * IDENTIFIER, and the rings also get the kernel's records of tasks, their mappings and BPF
 * programs. They are taken raw: peek gives the whole records that wait in the ring of the CPU
 * with this index, as one part or two (*parts of 2), and returns their number, 0 to 2;
 * consume frees the room of what the last peek gave.
 */
size_t perf_events_peek(struct perf_events *events, size_t index, struct iovec *parts);
void perf_events_consume(struct perf_events *events, size_t index);

/* The part of the fullest ring that waits, 0 to 1. Cheap. */
double perf_events_fill(const struct perf_events *events);

/* What all events were opened with; the period is the nominal one. */
const struct perf_event_attr *perf_events_attr(const struct perf_events *events);

/* The id of the event of the CPU with this index, as in PERF_SAMPLE_IDENTIFIER. */
uint64_t perf_events_id(const struct perf_events *events, size_t index);

/*
 * Records that found the ring full since the start, by the kernel's own count (Linux 6.0 and
 * later, with options.records). False where it isn't told.
 */
bool perf_events_count_lost(const struct perf_events *events, size_t index, uint64_t *lost);

/* "cycles" or "cpu-clock". */
const char *perf_events_name(const struct perf_events *events);

/* The number of CPUs sampled: those online when the events were opened. */
size_t perf_events_cpus(const struct perf_events *events);

unsigned perf_events_frequency(const struct perf_events *events);

/* From the next redraw on; see perf_events_options. */
void perf_events_set_frequency(struct perf_events *events, unsigned frequency_hz);

/* The time between two redraws, ns: 7 periods; with options.records 25 ms or up to 64. */
uint64_t perf_events_redraw_interval(const struct perf_events *events);

void perf_events_close(struct perf_events *events);

#endif
