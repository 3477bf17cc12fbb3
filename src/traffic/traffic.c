/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic/traffic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "discover/proc_file.h"

/* Receive packet steering is set up once and seldom changed. */
#define CLASSIFY_AGAIN_NS (10 * NS_PER_S)

/* More queues than a tap can have: MAX_TAP_QUEUES is 256 (drivers/net/tun.c). */
#define QUEUES_MAX 256

/* Is any CPU in the mask, which is printed as "00000000,00000003"? */
static bool mask_is_set(const char *text)
{
	return text[strspn(text, "0,\n ")] != '\0';
}

enum traffic_class tap_class(const char *sys_root, const char *name)
{
	char path[256];

	if (!sys_root)
		sys_root = "/sys";
	int length = snprintf(path, sizeof(path), "%s/class/net/%s/macvtap", sys_root, name);
	if (length > 0 && (size_t)length < sizeof(path) && access(path, F_OK) == 0)
		return TRAFFIC_MACVTAP;
	for (int queue = 0; queue < QUEUES_MAX; queue++) {
		size_t size;
		char *mask = proc_read(4096, &size, "%s/class/net/%s/queues/rx-%d/rps_cpus",
				       sys_root, name, queue);
		if (!mask)
			break;
		bool steered = mask_is_set(mask);
		free(mask);
		if (steered)
			return TRAFFIC_TAP_STEERED;
	}
	return TRAFFIC_TAP;
}

static struct tap_reading *find_tap(struct vm_traffic *traffic, const struct vm_tap *tap)
{
	for (size_t i = 0; i < traffic->count; i++)
		if (traffic->taps[i].tap.ifindex == tap->ifindex &&
		    strcmp(traffic->taps[i].tap.name, tap->name) == 0)
			return &traffic->taps[i];
	return NULL;
}

static struct tap_reading *add_tap(struct vm_traffic *traffic, const struct vm_tap *tap)
{
	if (array_reserve(&traffic->taps, &traffic->room, traffic->count + 1,
			  sizeof(*traffic->taps)))
		return NULL;
	struct tap_reading *reading = &traffic->taps[traffic->count++];
	*reading = (struct tap_reading){.tap = *tap};
	return reading;
}

/* False when the interface was made anew under its old name: its counters began again. */
static bool have_risen(const struct net_dev_counters *from, const struct net_dev_counters *to)
{
	return to->received_bytes >= from->received_bytes &&
	       to->received_packets >= from->received_packets &&
	       to->sent_bytes >= from->sent_bytes && to->sent_packets >= from->sent_packets;
}

static void add_rise(const struct tap_reading *tap, const struct net_dev_counters *now,
		     struct traffic *delta, struct traffic_use *use)
{
	const struct net_dev_counters *before = &tap->counters;
	struct traffic_count received = {.packets = now->sent_packets - before->sent_packets,
					 .bytes = now->sent_bytes - before->sent_bytes};
	struct traffic_count sent = {.packets =
					     now->received_packets - before->received_packets,
				     .bytes = now->received_bytes - before->received_bytes};
	struct traffic_count *counts = use->counts[tap->class];

	delta->rx_bytes += received.bytes;
	delta->rx_packets += received.packets;
	delta->tx_bytes += sent.bytes;
	delta->tx_packets += sent.packets;
	counts[TRAFFIC_RECEIVED].packets += received.packets;
	counts[TRAFFIC_RECEIVED].bytes += received.bytes;
	counts[TRAFFIC_SENT].packets += sent.packets;
	counts[TRAFFIC_SENT].bytes += sent.bytes;
}

static void forget_lost(struct vm_traffic *traffic, bool *known)
{
	size_t kept = 0;

	for (size_t i = 0; i < traffic->count; i++) {
		if (traffic->taps[i].found)
			traffic->taps[kept++] = traffic->taps[i];
		else
			*known = false;
	}
	traffic->count = kept;
}

static void classify(struct vm_traffic *traffic, const char *sys_root, uint64_t now_ns)
{
	for (size_t i = 0; i < traffic->count; i++)
		traffic->taps[i].class = tap_class(sys_root, traffic->taps[i].tap.name);
	traffic->classified_ns = now_ns;
}

int vm_traffic_read(struct vm_traffic *traffic, const struct vm *vm,
		    struct net_dev_texts *texts, const char *sys_root, uint64_t now_ns,
		    struct traffic *delta, struct traffic_use *use, bool *known,
		    struct error *error)
{
	bool classify_again = now_ns - traffic->classified_ns >= CLASSIFY_AGAIN_NS;
	const char *text = vm->tap_count ? net_dev_text(texts, vm->pid) : "";

	*delta = (struct traffic){0};
	*use = (struct traffic_use){0};
	*known = true;
	if (!text)
		return error_set(error, errno == ENOMEM ? -ENOMEM : -ESRCH,
				 "VM %s (pid %d) has ended: no counters of its interfaces",
				 vm->name, vm->pid);
	for (size_t i = 0; i < traffic->count; i++)
		traffic->taps[i].found = false;
	for (size_t i = 0; i < vm->tap_count; i++) {
		struct net_dev_counters now;
		struct tap_reading *tap = find_tap(traffic, &vm->taps[i]);
		bool listed = net_dev_find(text, vm->taps[i].name, &now);
		if (!tap) {
			tap = add_tap(traffic, &vm->taps[i]);
			classify_again = true;
		}
		if (!tap)
			return error_set(error, -ENOMEM, "no memory for the taps of VM %s",
					 vm->name);
		tap->found = true;
		if (listed && tap->has_counters && have_risen(&tap->counters, &now))
			add_rise(tap, &now, delta, use);
		else
			*known = false;
		if (listed)
			tap->counters = now;
		tap->has_counters = listed;
	}
	forget_lost(traffic, known);
	if (classify_again)
		classify(traffic, sys_root, now_ns);
	return 0;
}

void vm_traffic_free(struct vm_traffic *traffic)
{
	free(traffic->taps);
	*traffic = (struct vm_traffic){0};
}
