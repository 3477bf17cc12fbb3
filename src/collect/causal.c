/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/causal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bpf/batch.h"
#include "causal.skel.h"
#include "collect/bpf_sampler.h"

_Static_assert(sizeof(struct batch_variables) == sizeof(*((struct causal_bpf *)0)->bss),
	       "the object's only variable");
_Static_assert((int)WORK_PARTS_MAX == (int)BATCH_PARTS_MAX, "parts of a batch");
_Static_assert(sizeof(struct causal_device) ==
		       sizeof(struct batch_device) + sizeof(struct batch_device_owner),
	       "a device and its owner");

struct causal {
	struct causal_bpf *programs;
	struct ring_buffer *batches;
	bool started;
	__u32 turn;		       /* how often the tagging was turned on */
	struct causal_device *devices; /* those in the kernel's map */
	size_t device_count, device_room;
	struct causal_group *groups;
	size_t group_count, group_room;
	/* During causal_read(). */
	causal_user_function user;
	causal_batch_function function;
	void *context;
};

static struct batch_variables *variables(const struct causal *causal)
{
	return &causal->programs->bss->variables;
}

static enum shared_work work_of_vector(uint32_t vector)
{
	switch (vector) {
	case BATCH_NET_TX: return WORK_NET_TX;
	case BATCH_NET_RX: return WORK_NET_RX;
	default: return WORK_BLOCK;
	}
}

static int hand_out(void *context, void *data, size_t size)
{
	struct causal *causal = context;
	const struct batch *from = data;

	if (size < offsetof(struct batch, parts) || from->parts_count > BATCH_PARTS_MAX ||
	    size < offsetof(struct batch, parts) +
			    from->parts_count * sizeof(struct batch_part))
		return 0;
	struct work_batch batch = {
		.work = work_of_vector(from->vector),
		.ns = from->ns,
		.continued = from->continued,
		.part_count = from->parts_count,
	};
	for (size_t i = 0; i < batch.part_count; i++) {
		const struct batch_part *part = &from->parts[i];
		batch.parts[i] = (struct work_part){
			.user = causal->user(causal->context, part->owner),
			.requests = part->kind == BATCH_REQUESTS,
			.class = (enum traffic_class)(part->class % TRAFFIC_CLASS_COUNT),
			.direction = part->kind == BATCH_SENT ? TRAFFIC_SENT : TRAFFIC_RECEIVED,
			.count = part->count,
			.bytes = part->bytes,
		};
	}
	causal->function(causal->context, &batch);
	return 0;
}

int causal_new(struct causal **out, struct error *error)
{
	struct causal *causal = calloc(1, sizeof(*causal));
	int code = 0;

	if (causal)
		causal->programs = causal_bpf__open();
	if (!causal || !causal->programs) {
		free(causal);
		return error_set(error, -ENOMEM, "no memory for causal tagging");
	}
	causal->programs->rodata->host_class = TRAFFIC_HOST;
	code = causal_bpf__load(causal->programs);
	if (code) {
		code = bpf_load_error(code, "tracing programs of causal tagging", error);
	} else {
		causal->batches = ring_buffer__new(bpf_map__fd(causal->programs->maps.batches),
						   hand_out, causal, NULL);
		if (!causal->batches)
			code = error_set(error, -errno, "cannot map a BPF ring buffer: %m");
	}
	if (code) {
		causal_free(causal);
		return code;
	}
	*out = causal;
	return 0;
}

static bool lists_device(const struct causal_device *devices, size_t count,
			 const struct causal_device *device)
{
	for (size_t i = 0; i < count; i++)
		if (devices[i].namespace == device->namespace &&
		    devices[i].ifindex == device->ifindex)
			return true;
	return false;
}

int causal_set_devices(struct causal *causal, const struct causal_device *devices, size_t count)
{
	int fd = bpf_map__fd(causal->programs->maps.devices);
	int code = 0;

	if (count == causal->device_count &&
	    (count == 0 || memcmp(devices, causal->devices, count * sizeof(*devices)) == 0))
		return 0;
	for (size_t i = 0; i < causal->device_count; i++)
		if (!lists_device(devices, count, &causal->devices[i]))
			bpf_map_delete_elem(fd, &causal->devices[i]);
	for (size_t i = 0; !code && i < count; i++)
		if (bpf_map_update_elem(fd, &devices[i], &devices[i].owner, BPF_ANY))
			code = -errno;
	if (!code)
		code = array_reserve(&causal->devices, &causal->device_room, count,
				     sizeof(*devices));
	variables(causal)->generation++;
	if (code)
		return code;
	if (count)
		memcpy(causal->devices, devices, count * sizeof(*devices));
	causal->device_count = count;
	return 0;
}

int causal_set_groups(struct causal *causal, const struct causal_group *groups, size_t count)
{
	int fd = bpf_map__fd(causal->programs->maps.groups);
	int code = 0;

	if (count == causal->group_count &&
	    (count == 0 || memcmp(groups, causal->groups, count * sizeof(*groups)) == 0))
		return 0;
	for (size_t i = 0; i < causal->group_count; i++)
		bpf_map_delete_elem(fd, &causal->groups[i].tgid);
	for (size_t i = 0; !code && i < count; i++)
		if (bpf_map_update_elem(fd, &groups[i].tgid, &groups[i].owner, BPF_ANY))
			code = -errno;
	if (!code)
		code = array_reserve(&causal->groups, &causal->group_room, count,
				     sizeof(*groups));
	if (code)
		return code;
	if (count)
		memcpy(causal->groups, groups, count * sizeof(*groups));
	causal->group_count = count;
	return 0;
}

int causal_start(struct causal *causal, struct error *error)
{
	if (causal->started)
		return 0;
	causal_enable(causal, true);
	int code = causal_bpf__attach(causal->programs);
	if (code) {
		causal_bpf__detach(causal->programs);
		return bpf_load_error(code, "tracing programs of causal tagging", error);
	}
	causal->started = true;
	return 0;
}

void causal_stop(struct causal *causal)
{
	if (!causal->started)
		return;
	causal_enable(causal, false);
	causal_bpf__detach(causal->programs);
	causal->started = false;
}

void causal_enable(struct causal *causal, bool enabled)
{
	if (!enabled)
		variables(causal)->enabled = 0;
	else if (!variables(causal)->enabled)
		variables(causal)->enabled = ++causal->turn;
}

void causal_read(struct causal *causal, causal_user_function user,
		 causal_batch_function function, void *context)
{
	causal->user = user;
	causal->function = function;
	causal->context = context;
	ring_buffer__consume(causal->batches);
}

uint64_t causal_lost(const struct causal *causal)
{
	return variables(causal)->lost;
}

void causal_free(struct causal *causal)
{
	if (!causal)
		return;
	ring_buffer__free(causal->batches);
	causal_bpf__destroy(causal->programs);
	free(causal->devices);
	free(causal->groups);
	free(causal);
}
