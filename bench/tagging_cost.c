/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What causal tagging costs while it is on, by what it takes from a thread: looks at the clock
 * without an end on the CPU on which a tap's packets arrive in softirqs, and sums the time for
 * which it could not; in turn with tagging and without. BPF's run-time statistics would be a
 * part of what they measure. Usage: tagging_cost CPU TAP PAIRS-OF-WINDOWS
 * Prints for each pair: packets and ns taken without tagging, and both with it.
 */
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/causal.h"
#include "traffic/net_dev.h"
#include "traffic/traffic.h"

#define WINDOW_NS (20 * NS_PER_MS)
#define GAP_NS	  300 /* what is longer was no look at the clock */

static void die(const char *what)
{
	fprintf(stderr, "tagging_cost: %s\n", what);
	exit(1);
}

static uint64_t packets_of(const char *tap)
{
	struct net_dev_texts *texts = net_dev_texts_new(NULL);
	const char *text = texts ? net_dev_text(texts, getpid()) : NULL;
	struct net_dev_counters counters;

	if (!text || !net_dev_find(text, tap, &counters))
		die("cannot read net/dev");
	net_dev_texts_free(texts);
	return counters.received_packets + counters.sent_packets;
}

static size_t user_of(void *context, uint32_t owner)
{
	(void)context;
	return owner;
}

static void discard_batch(void *context, const struct work_batch *batch)
{
	(void)context;
	(void)batch;
}

struct window {
	uint64_t packets, taken_ns;
};

static struct window measure(const char *tap)
{
	uint64_t before = packets_of(tap), taken = clock_gaps_ns(WINDOW_NS, GAP_NS);

	return (struct window){packets_of(tap) - before, taken};
}

static struct window measure_tagging(struct causal *causal, const char *tap)
{
	struct error error = {0};

	if (causal_start(causal, &error))
		die(error.message);
	struct window window = measure(tap);
	causal_stop(causal);
	/* The kernel may take the programs off a little later. */
	usleep(10000);
	causal_read(causal, user_of, discard_batch, NULL);
	if (causal_lost(causal))
		die("batches were lost");
	return window;
}

int main(int argc, char **argv)
{
	struct causal *causal;
	struct error error = {0};
	cpu_set_t cpus;

	if (argc != 4) {
		fprintf(stderr, "usage: tagging_cost CPU TAP PAIRS-OF-WINDOWS\n");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET((size_t)atoi(argv[1]), &cpus);
	const char *tap = argv[2];
	unsigned index = if_nametoindex(tap);
	if (!index || sched_setaffinity(0, sizeof(cpus), &cpus))
		die("no such CPU, or no such tap");
	if (causal_new(&causal, &error))
		die(error.message);
	const struct causal_device device = {.namespace = net_namespace(NULL, getpid()),
					     .ifindex = index,
					     .owner = 1,
					     .class = tap_class(NULL, tap)};
	if (causal_set_devices(causal, &device, 1))
		die("cannot hand the device to BPF");
	for (int pair = atoi(argv[3]); pair > 0; pair--) {
		struct window without = {0}, tagging;
		/* In turn, who comes first. */
		if (pair % 2)
			without = measure(tap);
		tagging = measure_tagging(causal, tap);
		if (pair % 2 == 0)
			without = measure(tap);
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", without.packets,
		       without.taken_ns, tagging.packets, tagging.taken_ns);
	}
	causal_free(causal);
	return 0;
}
