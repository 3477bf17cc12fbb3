/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/shared_causes.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "traffic/disk.h"
#include "traffic/unseen.h"

/* Devices are seldom plugged in and out. */
#define LOOK_AGAIN_NS (10 * NS_PER_S)

int vm_causes_read(struct vm_causes *causes, const struct vm *vm, struct net_dev_texts *texts,
		   struct shared_use *use, struct traffic *traffic, bool *traffic_known)
{
	uint64_t disk_bytes = 0;

	*use = (struct shared_use){0};
	*traffic = (struct traffic){0};
	*traffic_known = false;
	if (vm->gone) {
		causes->disk_known = false;
		return 0;
	}
	uint64_t now_ns = clock_monotonic_ns();
	if (now_ns - causes->unseen_read_ns >= LOOK_AGAIN_NS) {
		causes->unseen = unseen_paths(NULL, vm->pid);
		causes->unseen_read_ns = now_ns;
	}
	int error = vm_traffic_read(&causes->traffic, vm, texts, NULL, now_ns, traffic,
				    &use->traffic, traffic_known, NULL);
	if (error == -ENOMEM)
		return error;
	if (error)
		*traffic_known = false;
	bool disk_known = disk_read_process(NULL, vm->pid, &disk_bytes);
	if (disk_known && causes->disk_known && disk_bytes > causes->disk_bytes)
		use->disk_bytes = disk_bytes - causes->disk_bytes;
	causes->disk_bytes = disk_bytes;
	causes->disk_known = disk_known;
	return 0;
}

void vm_causes_free(struct vm_causes *causes)
{
	vm_traffic_free(&causes->traffic);
}

static uint64_t rise(uint64_t *last, uint64_t now)
{
	uint64_t difference = now > *last ? now - *last : 0;

	*last = now;
	return difference;
}

void host_causes_begin(struct host_causes *causes)
{
	*causes = (struct host_causes){0};
	host_causes_read(causes, NULL, 0, &(struct shared_use){0});
}

void host_causes_read(struct host_causes *causes, const struct shared_use *vms, size_t count,
		      struct shared_use *nobody)
{
	struct host_traffic now;
	struct traffic_use sum = {0};
	uint64_t disk_bytes, vm_disk_bytes = 0;

	*nobody = (struct shared_use){0};
	for (size_t v = 0; v < count; v++) {
		traffic_use_add(&sum, &vms[v].traffic);
		vm_disk_bytes += vms[v].disk_bytes;
	}
	if (host_traffic_read(NULL, NULL, &now, NULL) == 0) {
		struct host_traffic host = {
			.received = {rise(&causes->traffic.received.packets,
					  now.received.packets),
				     rise(&causes->traffic.received.bytes, now.received.bytes)},
			.sent = {rise(&causes->traffic.sent.packets, now.sent.packets),
				 rise(&causes->traffic.sent.bytes, now.sent.bytes)},
		};
		nobody->traffic = host_traffic_unowned(&host, &sum);
	}
	if (disk_read_host(NULL, NULL, &disk_bytes)) {
		uint64_t host = rise(&causes->disk_bytes, disk_bytes);
		nobody->disk_bytes = host > vm_disk_bytes ? host - vm_disk_bytes : 0;
	}
}

int shared_weights_make(struct shared_weights *out, enum shared_policy policy,
			const struct affine_model *model, const struct shared_use *users,
			size_t count)
{
	*out = (struct shared_weights){.room = calloc(WORK_COUNT * count, sizeof(*out->room))};
	if (!out->room)
		return -ENOMEM;
	for (int work = 0; work < WORK_COUNT; work++) {
		out->of[work] = out->room + (size_t)work * count;
		enum shared_policy used = shared_policy_weights(
			policy, model, users, count, (enum shared_work)work, out->of[work]);
		if (work == WORK_NET_RX)
			out->used = used;
	}
	return 0;
}

void shared_weights_free(struct shared_weights *weights)
{
	free(weights->room);
	*weights = (struct shared_weights){0};
}
