// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose packets and block requests a softirq worked on: each run of the network and block
 * softirqs is handed to user space with its exact time and with the packets and requests of
 * each VM that were seen in it.
 *
 * Packets are told by the device that they come from or go to. One that was received by a VM's
 * device was sent by the VM, and pays for whatever happens to it from there on. One that came
 * from elsewhere belongs to the VM to whose device it is queued next: between netif_receive_skb
 * and net_dev_queue nothing else is received on this CPU (net/core/dev.c,
 * __netif_receive_skb_core to net/bridge/br_forward.c are one chain of calls).
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "batch.h"

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	unsigned int len;
	__u8 pkt_type : 3;
};

struct request;

#pragma clang attribute pop

/* include/uapi/linux/if_packet.h */
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2

/* At netif_receive_skb the Ethernet header has been taken off, which devices count. */
#define ETHERNET_HEADER 14

/* enum traffic_class: the host's own devices. User space sets it. */
const volatile __u32 host_class;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct batch_device);
	__type(value, struct batch_device_owner);
} devices SEC(".maps");

/* Thread groups of VMs, for block requests. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u32);
} groups SEC(".maps");

/* Requests under way that a VM issued, by address. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u32);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} batches SEC(".maps");

struct cached_device {
	u64 device;
	struct batch_device_owner owner;
};
#define CACHED_DEVICES 4

/* The softirq under way on a CPU. */
struct state {
	u64 start_ns;
	u32 active;	   /* variables.enabled when it began; 0: none is under way */
	u32 last;	   /* the part that was added to last */
	u32 source;	   /* owner of the packet that was received last */
	u32 pending_bytes; /* of a packet received from nobody and queued to no VM yet; 0: none
			    */
	u32 generation;	   /* of the devices in cache */
	struct cached_device cache[CACHED_DEVICES];
	struct batch batch;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct state);
} states SEC(".maps");

struct batch_variables variables;

static __always_inline struct state *this_state(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&states, &zero);
}

/* A batch that began before the tagging was last turned on is none. */
static __always_inline bool is_active(const struct state *state)
{
	return state->active && state->active == variables.enabled;
}

static __always_inline void hand_over(struct batch *batch)
{
	u64 size = __builtin_offsetof(struct batch, parts) +
		   batch->parts_count * sizeof(struct batch_part);

	/* For the verifier, which must see the limit on this very value. */
	barrier_var(size);
	if (size > sizeof(*batch))
		return;
	if (bpf_ringbuf_output(&batches, batch, size, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&variables.lost, 1);
}

/* No room for another part: what there is is handed over, and the batch goes on. */
static __noinline void start_anew(struct state *state)
{
	u64 now = bpf_ktime_get_ns();

	state->batch.ns = now - state->start_ns;
	hand_over(&state->batch);
	state->start_ns = now;
	state->batch.continued = 1;
	state->batch.parts_count = 0;
}

static __always_inline bool is_part(const struct batch_part *part, u32 owner, u16 kind,
				    u16 class)
{
	return part->owner == owner && part->kind == kind && part->class == class;
}

/*
 * The index of the part, or that of the first free one. Global, so that the verifier looks at
 * the loop once, and not for each way through it.
 */
__noinline u32 find_part(const struct batch *batch, u32 owner, u16 kind, u16 class)
{
	if (!batch)
		return 0;
	u32 count = batch->parts_count;
	for (u32 i = 0; i < BATCH_PARTS_MAX; i++) {
		if (i >= count)
			return i;
		if (is_part(&batch->parts[i], owner, kind, class))
			return i;
	}
	return BATCH_PARTS_MAX;
}

static __always_inline void add(struct state *state, u32 owner, u16 kind, u16 class, u32 bytes)
{
	struct batch *batch = &state->batch;
	/* Mostly the same as before. */
	u32 index = state->last;

	if (index >= batch->parts_count ||
	    !is_part(&batch->parts[index % BATCH_PARTS_MAX], owner, kind, class))
		index = find_part(batch, owner, kind, class);
	if (index >= BATCH_PARTS_MAX) {
		start_anew(state);
		index = 0;
	}
	/* The remainder is for the verifier. */
	struct batch_part *part = &batch->parts[index % BATCH_PARTS_MAX];
	if (index == batch->parts_count) {
		part->owner = owner;
		part->kind = kind;
		part->class = class;
		part->count = 0;
		part->bytes = 0;
		batch->parts_count = index + 1;
	}
	part->count++;
	part->bytes += bytes;
	state->last = index;
}

/* A packet that was received and queued to no VM is the host's own. */
static __always_inline void settle_pending(struct state *state)
{
	if (state->pending_bytes)
		add(state, 0, BATCH_RECEIVED, (u16)host_class, state->pending_bytes);
	state->pending_bytes = 0;
}

static __always_inline struct batch_device_owner owner_of(struct state *state,
							  struct net_device *device)
{
	u32 slot = (u32)device->ifindex % CACHED_DEVICES;
	struct cached_device *cached = &state->cache[slot];

	if (state->generation != variables.generation) {
		state->generation = variables.generation;
		for (int i = 0; i < CACHED_DEVICES; i++)
			state->cache[i].device = 0;
	}
	if (cached->device != (u64)device) {
		struct batch_device key = {
			.namespace = device->nd_net.net->ns.inum,
			.ifindex = (u32)device->ifindex,
		};
		struct batch_device_owner *found = bpf_map_lookup_elem(&devices, &key);
		cached->device = (u64)device;
		cached->owner.owner = found ? found->owner : 0;
		cached->owner.class = found ? found->class : host_class;
	}
	return cached->owner;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entered, unsigned int vector)
{
	if (vector < BATCH_NET_TX || vector > BATCH_BLOCK || !variables.enabled)
		return 0;
	struct state *state = this_state();
	if (!state)
		return 0;
	state->batch.vector = (u16)vector;
	state->batch.parts_count = 0;
	state->batch.continued = 0;
	state->source = 0;
	state->pending_bytes = 0;
	state->active = variables.enabled;
	state->start_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_left, unsigned int vector)
{
	if (vector < BATCH_NET_TX || vector > BATCH_BLOCK)
		return 0;
	struct state *state = this_state();
	if (!state || !is_active(state))
		return 0;
	state->batch.ns = bpf_ktime_get_ns() - state->start_ns;
	settle_pending(state);
	state->active = 0;
	hand_over(&state->batch);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(packet_received, struct sk_buff *skb)
{
	struct state *state = this_state();

	if (!state || !is_active(state))
		return 0;
	settle_pending(state);
	struct batch_device_owner device = owner_of(state, skb->dev);
	state->source = device.owner;
	if (device.owner)
		add(state, device.owner, BATCH_SENT, (u16)device.class,
		    skb->len + ETHERNET_HEADER);
	else
		state->pending_bytes = skb->len + ETHERNET_HEADER;
	return 0;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(packet_queued, struct sk_buff *skb)
{
	struct state *state = this_state();

	if (!state || !is_active(state))
		return 0;
	struct batch_device_owner device = owner_of(state, skb->dev);
	if (!device.owner) {
		/* What a VM sends on pays for itself; the host's own is the host's. */
		if (!state->source && !state->pending_bytes)
			add(state, 0, BATCH_SENT, (u16)host_class, skb->len);
		return 0;
	}
	u32 owner = state->source ? state->source : device.owner;
	u8 type = BPF_CORE_READ_BITFIELD(skb, pkt_type);
	/* A broadcast from outside is nobody's. */
	if (!state->source && (type == PACKET_BROADCAST || type == PACKET_MULTICAST))
		owner = 0;
	state->pending_bytes = 0;
	add(state, owner, BATCH_RECEIVED, (u16)device.class, skb->len);
	return 0;
}

static __always_inline int remember_request(u64 request)
{
	u32 group = (u32)(bpf_get_current_pid_tgid() >> 32);
	u32 *owner = variables.enabled ? bpf_map_lookup_elem(&groups, &group) : NULL;

	if (owner)
		bpf_map_update_elem(&requests, &request, owner, BPF_ANY);
	return 0;
}

/* By the one who made it: with an I/O scheduler a kernel thread may issue it later. */
SEC("tp_btf/block_rq_insert")
int BPF_PROG(request_inserted, struct request *request)
{
	return remember_request((u64)request);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(request_issued, struct request *request)
{
	return remember_request((u64)request);
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(request_completed, struct request *request, int error, unsigned int bytes)
{
	u64 key = (u64)request;

	if (!variables.enabled)
		return 0;
	struct state *state = this_state();
	if (!state)
		return 0;
	u32 *known = bpf_map_lookup_elem(&requests, &key);
	u32 owner = known ? *known : 0;
	if (known)
		bpf_map_delete_elem(&requests, &key);
	if (is_active(state)) {
		add(state, owner, BATCH_REQUESTS, 0, bytes);
		return 0;
	}
	/* In the interrupt itself, or polled for by the issuer. */
	state->batch.ns = 0;
	state->batch.vector = 0;
	state->batch.continued = 0;
	state->batch.parts_count = 0;
	add(state, owner, BATCH_REQUESTS, 0, bytes);
	hand_over(&state->batch);
	return 0;
}
