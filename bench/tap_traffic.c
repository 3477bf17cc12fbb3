/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic between taps, for measurements of what it costs in softirqs: sends frames into taps
 * at a fixed rate, in bursts, and takes out and counts what arrives, all in one thread that
 * never sleeps, so that no packet has to wake it, but with -s.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define TAPS_MAX	16
#define FLOWS_MAX	32
#define FRAME_MAX	16384
#define ETHERTYPE_LOCAL 0x88b5 /* IEEE 802 local experimental: nobody answers it */

struct tap {
	char name[IFNAMSIZ];
	int fd;
	unsigned heard; /* taps whose frames arrived here, a bit each */
	uint64_t received_packets, received_bytes;
};

/* Frames from one tap to another: what the owner of the first sends. */
struct flow {
	size_t from, to;
	bool broadcast;
	bool by_address;   /* to an address that is no tap's of ours */
	unsigned bytes;	   /* of a frame, its Ethernet header included */
	unsigned per_tick; /* frames */
	unsigned turn;	   /* ticks take turns */
	uint64_t sent, refused;
	unsigned char frame[FRAME_MAX];
};

static struct tap taps[TAPS_MAX];
static size_t tap_count;
static struct flow flows[FLOWS_MAX];
static size_t flow_count;
static unsigned turns = 1;
static bool sleeps; /* between the bursts; what arrives waits */
static _Atomic bool stopped;

static void die(const char *what)
{
	fprintf(stderr, "tap_traffic: %s: %m\n", what);
	exit(1);
}

static size_t tap_index(const char *name)
{
	for (size_t i = 0; i < tap_count; i++)
		if (strcmp(taps[i].name, name) == 0)
			return i;
	if (tap_count == TAPS_MAX || strlen(name) >= IFNAMSIZ) {
		fprintf(stderr, "tap_traffic: too many taps, or too long a name: %s\n", name);
		exit(2);
	}
	struct tap *tap = &taps[tap_count];
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	strcpy(tap->name, name);
	strcpy(request.ifr_name, name);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0 || ioctl(tap->fd, TUNSETIFF, &request) < 0)
		die(name);
	return tap_count++;
}

/* Each tap's guest has an address of its own, which the bridge learns from what it sends. */
static void set_address(unsigned char *address, size_t tap)
{
	static const unsigned char local[ETH_ALEN] = {0x02, 0x6b, 0x76, 0x6d, 0x00, 0x00};

	memcpy(address, local, ETH_ALEN);
	address[5] = (unsigned char)(tap + 1);
}

static void parse_address(unsigned char *address, const char *text)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &address[0], &address[1], &address[2],
		   &address[3], &address[4], &address[5]) != ETH_ALEN) {
		fprintf(stderr, "tap_traffic: not an Ethernet address: %s\n", text);
		exit(2);
	}
}

/* FROM,TO,BYTES,FRAMES-PER-TICK; TO may be "all", a broadcast, or an Ethernet address. */
static void add_flow(char *text)
{
	char *from = strtok(text, ","), *to = strtok(NULL, ","), *bytes = strtok(NULL, ","),
	     *frames = strtok(NULL, ",");

	if (!frames || flow_count == FLOWS_MAX) {
		fprintf(stderr, "tap_traffic: a flow is FROM,TO,BYTES,FRAMES\n");
		exit(2);
	}
	struct flow *flow = &flows[flow_count++];
	flow->from = tap_index(from);
	flow->broadcast = strcmp(to, "all") == 0;
	flow->by_address = strchr(to, ':') != NULL;
	flow->to = flow->broadcast || flow->by_address ? 0 : tap_index(to);
	flow->bytes = (unsigned)atoi(bytes);
	flow->per_tick = (unsigned)atoi(frames);
	flow->turn = turns - 1;
	if (flow->bytes < ETH_HLEN || flow->bytes > FRAME_MAX) {
		fprintf(stderr, "tap_traffic: frames have 14 to %d bytes\n", FRAME_MAX);
		exit(2);
	}
	if (flow->broadcast)
		memset(flow->frame, 0xff, ETH_ALEN);
	else if (flow->by_address)
		parse_address(flow->frame, to);
	else
		set_address(flow->frame, flow->to);
	set_address(flow->frame + ETH_ALEN, flow->from);
	flow->frame[12] = ETHERTYPE_LOCAL >> 8;
	flow->frame[13] = ETHERTYPE_LOCAL & 0xff;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set))
		die("cannot pin the thread");
}

static void drain(void)
{
	static unsigned char frame[FRAME_MAX];

	for (size_t i = 0; i < tap_count; i++)
		for (ssize_t n; (n = read(taps[i].fd, frame, sizeof(frame))) > 0;) {
			unsigned from = frame[2 * ETH_ALEN - 1] - 1U;
			if (from < TAPS_MAX)
				taps[i].heard |= 1U << from;
			taps[i].received_packets++;
			taps[i].received_bytes += (uint64_t)n;
		}
}

/* One frame from each tap to nobody in particular, so that the bridge knows where it is. */
static void introduce(void)
{
	for (size_t i = 0; i < tap_count; i++) {
		unsigned char frame[60] = {0};
		memset(frame, 0xff, ETH_ALEN);
		set_address(frame + ETH_ALEN, i);
		frame[12] = ETHERTYPE_LOCAL >> 8;
		frame[13] = ETHERTYPE_LOCAL & 0xff;
		if (write(taps[i].fd, frame, sizeof(frame)) < 0)
			die(taps[i].name);
	}
}

static bool heard_each_other(const struct flow *flow)
{
	return flow->broadcast || flow->by_address ||
	       (taps[flow->to].heard & 1U << flow->from &&
		taps[flow->from].heard & 1U << flow->to);
}

/*
 * The bridge's port begins to forward some time after its tap was opened. Until then it doesn't
 * learn, and may have the address still at the tap of a run before.
 */
static void introduce_all(void)
{
	uint64_t end = clock_monotonic_ns() + 5 * NS_PER_S;

	for (size_t f = 0; f < flow_count && !atomic_load(&stopped);) {
		if (heard_each_other(&flows[f])) {
			f++;
			continue;
		}
		if (clock_monotonic_ns() > end) {
			fprintf(stderr, "tap_traffic: no frames between %s and %s\n",
				taps[flows[f].from].name, taps[flows[f].to].name);
			exit(1);
		}
		introduce();
		usleep(5000);
		drain();
	}
	for (size_t i = 0; i < tap_count; i++)
		taps[i].received_packets = taps[i].received_bytes = 0;
}

static void stop(int signal)
{
	(void)signal;
	atomic_store(&stopped, true);
}

static void send_burst(struct flow *flow)
{
	for (unsigned n = 0; n < flow->per_tick; n++) {
		if (write(taps[flow->from].fd, flow->frame, flow->bytes) ==
		    (ssize_t)flow->bytes)
			flow->sent++;
		else
			flow->refused++;
	}
}

/* A tick that comes too late is left out, so that the bursts stay as they are. */
static void send_all(uint64_t tick_ns, double duration_s)
{
	uint64_t next = clock_monotonic_ns(), end = next + (uint64_t)(duration_s * 1e9);

	for (unsigned turn = 0; next < end && !atomic_load(&stopped);
	     turn = (turn + 1) % turns) {
		for (size_t f = 0; f < flow_count; f++)
			if (flows[f].turn == turn)
				send_burst(&flows[f]);
		uint64_t now = clock_monotonic_ns();
		do
			next += tick_ns;
		while (next < now);
		if (sleeps)
			usleep((useconds_t)((next - now) / 1000));
		do
			drain();
		while (clock_monotonic_ns() < next);
	}
	drain();
}

static void report(double duration_s)
{
	printf("{\"duration_s\":%.6f,\"flows\":[", duration_s);
	for (size_t i = 0; i < flow_count; i++)
		printf("%s{\"from\":\"%s\",\"to\":\"%s\",\"bytes\":%u,\"sent\":%" PRIu64
		       ",\"refused\":%" PRIu64 "}",
		       i ? "," : "", taps[flows[i].from].name,
		       flows[i].broadcast    ? "all"
		       : flows[i].by_address ? "address"
					     : taps[flows[i].to].name,
		       flows[i].bytes, flows[i].sent, flows[i].refused);
	printf("],\"taps\":{");
	for (size_t i = 0; i < tap_count; i++)
		printf("%s\"%s\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", i ? "," : "",
		       taps[i].name, taps[i].received_packets, taps[i].received_bytes);
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static const char usage[] =
		"usage: tap_traffic [-t SECONDS] [-k TICK-MICROSECONDS] [-c CPU] [-s]\n"
		"       FROM,TO,BYTES,FRAMES-PER-TICK... [/ FLOW...]\n"
		"Flows behind a / have a tick of their own. -s: sleeps between ticks.\n";
	uint64_t tick_ns = 1000000;
	double duration_s = 1e9;
	int cpu = -1, option;

	while ((option = getopt(argc, argv, "t:k:c:s")) != -1) {
		switch (option) {
		case 't': duration_s = atof(optarg); break;
		case 'k': tick_ns = (uint64_t)atoi(optarg) * 1000; break;
		case 'c': cpu = atoi(optarg); break;
		case 's': sleeps = true; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], "/") == 0)
			turns++;
		else
			add_flow(argv[i]);
	if (!flow_count || !tick_ns) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	pin(cpu);
	introduce_all();
	uint64_t start_ns = clock_monotonic_ns();
	send_all(tick_ns, duration_s);
	report((double)(clock_monotonic_ns() - start_ns) / 1e9);
	return 0;
}
