/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic between taps, for measurements of what it costs in softirqs: one thread sends frames
 * into taps at a fixed rate, in bursts; another takes out and counts what arrives.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
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

#define TAPS_MAX	16
#define FLOWS_MAX	16
#define FRAME_MAX	16384
#define ETHERTYPE_LOCAL 0x88b5 /* IEEE 802 local experimental: nobody answers it */

struct tap {
	char name[IFNAMSIZ];
	int fd;
	_Atomic uint64_t received_packets, received_bytes;
};

/* Frames from one tap to another: what the owner of the first sends. */
struct flow {
	size_t from, to;
	bool broadcast;
	unsigned bytes;	   /* of a frame, its Ethernet header included */
	unsigned per_tick; /* frames */
	uint64_t sent, refused;
	unsigned char frame[FRAME_MAX];
};

static struct tap taps[TAPS_MAX];
static size_t tap_count;
static struct flow flows[FLOWS_MAX];
static size_t flow_count;
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

/* FROM,TO,BYTES,FRAMES-PER-TICK; TO may be "all", a broadcast. */
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
	flow->to = flow->broadcast ? 0 : tap_index(to);
	flow->bytes = (unsigned)atoi(bytes);
	flow->per_tick = (unsigned)atoi(frames);
	if (flow->bytes < ETH_HLEN || flow->bytes > FRAME_MAX) {
		fprintf(stderr, "tap_traffic: frames have 14 to %d bytes\n", FRAME_MAX);
		exit(2);
	}
	if (flow->broadcast)
		memset(flow->frame, 0xff, ETH_ALEN);
	else
		set_address(flow->frame, flow->to);
	set_address(flow->frame + ETH_ALEN, flow->from);
	flow->frame[12] = ETHERTYPE_LOCAL >> 8;
	flow->frame[13] = ETHERTYPE_LOCAL & 0xff;
}

static void pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (cpu >= 0 && pthread_setaffinity_np(thread, sizeof(set), &set))
		die("cannot pin a thread");
}

static void *drain(void *context)
{
	struct pollfd fds[TAPS_MAX];
	char frame[FRAME_MAX];

	(void)context;
	for (size_t i = 0; i < tap_count; i++)
		fds[i] = (struct pollfd){.fd = taps[i].fd, .events = POLLIN};
	while (!atomic_load(&stopped)) {
		if (poll(fds, tap_count, 10) <= 0)
			continue;
		for (size_t i = 0; i < tap_count; i++)
			for (ssize_t n; (n = read(taps[i].fd, frame, sizeof(frame))) > 0;) {
				atomic_fetch_add(&taps[i].received_packets, 1);
				atomic_fetch_add(&taps[i].received_bytes, (uint64_t)n);
			}
	}
	return NULL;
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

static void stop(int signal)
{
	(void)signal;
	atomic_store(&stopped, true);
}

static void add_ns(struct timespec *time, uint64_t ns)
{
	uint64_t sum = (uint64_t)time->tv_nsec + ns;

	time->tv_sec += (time_t)(sum / 1000000000);
	time->tv_nsec = (long)(sum % 1000000000);
}

static void send_all(uint64_t tick_ns, double duration_s)
{
	struct timespec next;
	uint64_t ticks = (uint64_t)(duration_s * 1e9 / (double)tick_ns);

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 0; i < ticks && !atomic_load(&stopped); i++) {
		for (size_t f = 0; f < flow_count; f++) {
			struct flow *flow = &flows[f];
			for (unsigned n = 0; n < flow->per_tick; n++) {
				if (write(taps[flow->from].fd, flow->frame, flow->bytes) ==
				    (ssize_t)flow->bytes)
					flow->sent++;
				else
					flow->refused++;
			}
		}
		add_ns(&next, tick_ns);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

static void report(void)
{
	printf("{\"flows\":[");
	for (size_t i = 0; i < flow_count; i++)
		printf("%s{\"from\":\"%s\",\"to\":\"%s\",\"bytes\":%u,\"sent\":%" PRIu64
		       ",\"refused\":%" PRIu64 "}",
		       i ? "," : "", taps[flows[i].from].name,
		       flows[i].broadcast ? "all" : taps[flows[i].to].name, flows[i].bytes,
		       flows[i].sent, flows[i].refused);
	printf("],\"taps\":{");
	for (size_t i = 0; i < tap_count; i++)
		printf("%s\"%s\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", i ? "," : "",
		       taps[i].name, atomic_load(&taps[i].received_packets),
		       atomic_load(&taps[i].received_bytes));
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static const char usage[] =
		"usage: tap_traffic [-t SECONDS] [-k TICK-MICROSECONDS] [-s SEND-CPU]\n"
		"       [-d DRAIN-CPU] FROM,TO,BYTES,FRAMES-PER-TICK...\n";
	uint64_t tick_ns = 1000000;
	double duration_s = 1e9;
	int send_cpu = -1, drain_cpu = -1, option;
	pthread_t drainer;

	while ((option = getopt(argc, argv, "t:k:s:d:")) != -1) {
		switch (option) {
		case 't': duration_s = atof(optarg); break;
		case 'k': tick_ns = (uint64_t)atoi(optarg) * 1000; break;
		case 's': send_cpu = atoi(optarg); break;
		case 'd': drain_cpu = atoi(optarg); break;
		default: fputs(usage, stderr); return 2;
		}
	}
	for (int i = optind; i < argc; i++)
		add_flow(argv[i]);
	if (!flow_count || !tick_ns) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	if (pthread_create(&drainer, NULL, drain, NULL))
		die("cannot start a thread");
	pin(drainer, drain_cpu);
	pin(pthread_self(), send_cpu);
	introduce();
	send_all(tick_ns, duration_s);
	/* What is on its way arrives. */
	usleep(20000);
	atomic_store(&stopped, true);
	pthread_join(drainer, NULL);
	report();
	return 0;
}
