/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact network softirq time and how each policy would divide it: taps stand for VMs. What
 * `kvmperf stat` does for VMs in its intervals, for the benchmark of shared work, where the
 * truth is known from runs of each one's traffic alone.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account/affine_fit.h"
#include "account/apportion.h"
#include "base/clock.h"
#include "collect/causal.h"
#include "traffic/net_dev.h"
#include "traffic/traffic.h"

#define USERS_MAX 16

struct run {
	struct causal *causal;
	struct affine_fit *fit;
	struct affine_model model; /* that batches are split by: what the runs before said */
	const char *names[USERS_MAX];
	enum traffic_class classes[USERS_MAX];
	struct shared_use users[USERS_MAX + 1]; /* what their devices counted; nobody last */
	struct traffic_use tagged[USERS_MAX + 1];
	uint64_t alone_ns[USERS_MAX + 1]; /* of batches with no other's packets */
	size_t count;
	uint64_t ns[WORK_COUNT], batches, empty_ns; /* of which without packets */
};

static void die(const char *what)
{
	fprintf(stderr, "softirq_time: %s\n", what);
	exit(1);
}

static size_t user_of(void *context, uint32_t owner)
{
	const struct run *run = context;

	return owner ? owner - 1 : run->count;
}

static void take_batch(void *context, const struct work_batch *batch)
{
	struct run *run = context;

	run->ns[batch->work] += batch->ns;
	run->batches += batch->work == WORK_NET_RX;
	if (batch->work == WORK_NET_RX && batch->part_count == 0)
		run->empty_ns += batch->ns;
	bool alone = batch->part_count > 0;
	for (size_t i = 1; i < batch->part_count; i++)
		alone &= batch->parts[i].user == batch->parts[0].user;
	if (alone && batch->work == WORK_NET_RX)
		run->alone_ns[batch->parts[0].user] += batch->ns;
	work_batch_split(batch, &run->model, run->users, run->count + 1);
	affine_fit_add(run->fit, batch);
	for (size_t i = 0; i < batch->part_count; i++) {
		const struct work_part *part = &batch->parts[i];
		struct traffic_count *count =
			&run->tagged[part->user].counts[part->class][part->direction];
		count->packets += part->requests ? 0 : part->count;
		count->bytes += part->requests ? 0 : part->bytes;
	}
}

/* What came while the programs were attached one by one. */
static void discard_batch(void *context, const struct work_batch *batch)
{
	(void)context;
	(void)batch;
}

static void open_devices(struct run *run, char **names, int count)
{
	struct causal_device devices[USERS_MAX];
	uint32_t namespace = net_namespace(NULL, getpid());

	for (int i = 0; i < count && i < USERS_MAX; i++) {
		unsigned index = if_nametoindex(names[i]);
		if (!index)
			die("no such device");
		run->names[i] = names[i];
		run->classes[i] = tap_class(NULL, names[i]);
		devices[i] = (struct causal_device){.namespace = namespace,
						    .ifindex = index,
						    .owner = (uint32_t)i + 1,
						    .class = run->classes[i]};
		run->count++;
	}
	if (causal_set_devices(run->causal, devices, run->count))
		die("cannot hand the devices to BPF");
}

static void read_counters(const struct run *run, struct net_dev_counters counters[USERS_MAX])
{
	struct net_dev_texts *texts = net_dev_texts_new(NULL);
	const char *text = texts ? net_dev_text(texts, getpid()) : NULL;

	for (size_t i = 0; i < run->count; i++)
		if (!text || !net_dev_find(text, run->names[i], &counters[i]))
			die("cannot read net/dev");
	net_dev_texts_free(texts);
}

static void count_use(struct run *run, const struct net_dev_counters before[USERS_MAX],
		      const struct net_dev_counters after[USERS_MAX])
{
	for (size_t i = 0; i < run->count; i++) {
		struct traffic_count *counts = run->users[i].traffic.counts[run->classes[i]];
		counts[TRAFFIC_RECEIVED] =
			(struct traffic_count){after[i].sent_packets - before[i].sent_packets,
					       after[i].sent_bytes - before[i].sent_bytes};
		counts[TRAFFIC_SENT] = (struct traffic_count){
			after[i].received_packets - before[i].received_packets,
			after[i].received_bytes - before[i].received_bytes};
	}
}

/* The seconds of network receive work that each would be charged. */
static void print_policy(const struct run *run, const char *name, enum shared_policy policy,
			 const struct affine_model *model)
{
	uint64_t weights[USERS_MAX + 1], parts[USERS_MAX + 1];

	shared_policy_weights(policy, model, run->users, run->count + 1, WORK_NET_RX, weights);
	if (!apportion(run->ns[WORK_NET_RX], weights, run->count + 1, parts))
		parts[run->count] = run->ns[WORK_NET_RX];
	printf(",\"%s\":[", name);
	for (size_t i = 0; i <= run->count; i++)
		printf("%s%.9f", i ? "," : "", (double)parts[i] / 1e9);
	printf("]");
}

static void print_model(const struct affine_model *model)
{
	static const char *const classes[] = {"tap", "tap_steered", "macvtap", "host"};

	printf(",\"model\":{\"batch_ns\":%.1f", model->batch_ns);
	for (int class = 0; class < TRAFFIC_CLASS_COUNT; class ++)
		for (int direction = 0; direction < TRAFFIC_DIRECTION_COUNT; direction++)
			printf(",\"%s_%s\":[%.1f,%.4f]", classes[class],
			       direction == TRAFFIC_SENT ? "sent" : "received",
			       model->costs[class][direction].packet_ns,
			       model->costs[class][direction].byte_ns);
	printf("}");
}

static void print_users(const struct run *run)
{
	printf(",\"users\":[");
	for (size_t i = 0; i < run->count; i++) {
		struct traffic_count counted = traffic_use_total(&run->users[i].traffic);
		struct traffic_count tagged = traffic_use_total(&run->tagged[i]);
		printf("%s{\"name\":\"%s\",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
		       ",\"tagged_packets\":%" PRIu64 ",\"tagged_bytes\":%" PRIu64
		       ",\"alone_s\":%.9f}",
		       i ? "," : "", run->names[i], counted.packets, counted.bytes,
		       tagged.packets, tagged.bytes, (double)run->alone_ns[i] / 1e9);
	}
	printf("]");
}

/* Forgets what the run before counted; devices and the fit stay, as they do in a session. */
static void begin_run(struct run *run)
{
	for (size_t i = 0; i <= run->count; i++) {
		run->users[i] = (struct shared_use){0};
		run->tagged[i] = (struct traffic_use){0};
		run->alone_ns[i] = 0;
	}
	memset(run->ns, 0, sizeof(run->ns));
	run->batches = run->empty_ns = 0;
}

static void measure(struct run *run, double duration_s)
{
	struct net_dev_counters before[USERS_MAX], after[USERS_MAX];
	struct affine_fit_result result;

	begin_run(run);
	/* What came before. */
	causal_read(run->causal, user_of, discard_batch, run);
	read_counters(run, before);
	uint64_t start_ns = clock_monotonic_ns();
	uint64_t end_ns = start_ns + (uint64_t)(duration_s * 1e9);
	while (clock_monotonic_ns() < end_ns) {
		usleep(20000);
		causal_read(run->causal, user_of, take_batch, run);
	}
	read_counters(run, after);
	double lasted_s = (double)(clock_monotonic_ns() - start_ns) / 1e9;
	count_use(run, before, after);
	affine_fit_end_window(run->fit, &run->model, &result);

	printf("{\"duration_s\":%.6f,\"net_rx_s\":%.9f,\"net_rx_empty_s\":%.9f,\"net_tx_s\":%."
	       "9f,"
	       "\"batches\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"fit\":{\"batches\":%" PRIu64
	       ",\"sum_error\":%.4f,\"batch_error\":%.4f}",
	       lasted_s, (double)run->ns[WORK_NET_RX] / 1e9, (double)run->empty_ns / 1e9,
	       (double)run->ns[WORK_NET_TX] / 1e9, run->batches, causal_lost(run->causal),
	       result.batches, result.sum_error, result.batch_error);
	print_users(run);
	print_model(&run->model);
	print_policy(run, "bytes", POLICY_BYTES, &run->model);
	print_policy(run, "packets", POLICY_PACKETS, &run->model);
	print_policy(run, "affine_default", POLICY_AFFINE, &affine_model_default);
	print_policy(run, "affine", POLICY_AFFINE, &run->model);
	print_policy(run, "causal", POLICY_CAUSAL, &run->model);
	printf("}\n");
	fflush(stdout);
}

/* Measures while a command runs, which is ended then. */
static void measure_command(struct run *run, double wait_s, double duration_s, char *line)
{
	char *words[64];
	size_t count = 0;

	for (char *word = strtok(line, " \n"); word && count < 63; word = strtok(NULL, " \n"))
		words[count++] = word;
	words[count] = NULL;
	if (!count)
		return;
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execv(words[0], words);
		_exit(127);
	}
	if (child < 0)
		die("cannot fork");
	usleep((useconds_t)(wait_s * 1e6));
	measure(run, duration_s);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	struct run run = {.model = affine_model_default};
	struct error error = {0};
	double duration_s = 1, wait_s = 0.3;
	bool commands = false;
	char line[1024];
	int option;

	while ((option = getopt(argc, argv, "t:w:c")) != -1) {
		switch (option) {
		case 't': duration_s = atof(optarg); break;
		case 'w': wait_s = atof(optarg); break;
		case 'c': commands = true; break;
		default:
			fprintf(stderr, "usage: softirq_time [-t SECONDS] [-c [-w SECONDS]] "
					"TAP...\n"
					"-c: reads commands, a line each, and measures while "
					"each runs, -w after its start\n");
			return 2;
		}
	}
	run.fit = affine_fit_new(&affine_model_default);
	if (!run.fit)
		die("no memory");
	if (causal_new(&run.causal, &error))
		die(error.message);
	open_devices(&run, argv + optind, argc - optind);
	if (causal_start(run.causal, &error))
		die(error.message);
	usleep(50000);
	if (!commands)
		measure(&run, duration_s);
	while (commands && fgets(line, sizeof(line), stdin))
		measure_command(&run, wait_s, duration_s, line);
	causal_free(run.causal);
	affine_fit_free(run.fit);
	return 0;
}
