/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/causal_tagging.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "collect/causal.h"
#include "traffic/net_dev.h"

/* Of POLICY_AFFINE: a second in twenty. */
#define WINDOW_NS NS_PER_S
#define PERIOD_NS (20 * NS_PER_S)

/* Of POLICY_CAUSAL: a part of each second, from 1/20 on. */
#define SLICE_PERIOD_NS NS_PER_S
#define SLICE_MIN_NS	(50 * NS_PER_MS)

/* What tagging costs, measured (docs/shared-work.md): a packet, and a batch besides. */
#define PACKET_COST_NS 115
#define BATCH_COST_NS  850

/* The part of all CPUs' time that it may cost: half of the whole budget of 0.5 %. */
#define BUDGET 0.0025

struct causal_tagging {
	struct causal *causal;
	struct affine_fit *fit;
	enum shared_policy policy;
	size_t cpus;
	struct affine_model model; /* batches are split by it */
	struct causal_device *devices;
	size_t device_count, device_room;
	struct causal_group *groups;
	size_t group_count, group_room;
	struct shared_use *owners; /* by number - 1; the last is nobody */
	size_t owner_count, owner_room;
	bool on;
	uint64_t turned_ns;  /* when it was last turned on */
	uint64_t counted_ns; /* up to when its time is in state.on_s */
	uint64_t next_ns;    /* when it is turned next */
	uint64_t cost_ns;    /* of the window under way, estimated */
	uint64_t fit_due_ns;
	struct causal_tagging_state state;
	uint64_t lost;
};

int causal_tagging_new(struct causal_tagging **out, enum shared_policy policy, size_t cpus,
		       struct error *error)
{
	struct causal_tagging *tagging = calloc(1, sizeof(*tagging));
	int code = 0;

	if (!tagging)
		return error_set(error, -ENOMEM, "no memory for causal tagging");
	tagging->policy = policy;
	tagging->cpus = cpus;
	tagging->model = affine_model_default;
	tagging->state.fit = (struct affine_fit_result){.sum_error = -1, .batch_error = -1};
	tagging->fit = affine_fit_new(&affine_model_default);
	tagging->owner_count = 1;
	if (!tagging->fit ||
	    array_reserve(&tagging->owners, &tagging->owner_room, 1, sizeof(*tagging->owners)))
		code = error_set(error, -ENOMEM, "no memory for causal tagging");
	else
		tagging->owners[0] = (struct shared_use){0};
	if (!code)
		code = causal_new(&tagging->causal, error);
	if (code) {
		causal_tagging_free(tagging);
		return code;
	}
	*out = tagging;
	return 0;
}

void causal_tagging_clear_vms(struct causal_tagging *tagging)
{
	tagging->device_count = 0;
	tagging->group_count = 0;
}

/* Nobody stays the last. */
static int make_room_for(struct causal_tagging *tagging, uint32_t owner)
{
	size_t count = (size_t)owner + 1;

	if (count <= tagging->owner_count)
		return 0;
	if (array_reserve(&tagging->owners, &tagging->owner_room, count,
			  sizeof(*tagging->owners)))
		return -ENOMEM;
	struct shared_use nobody = tagging->owners[tagging->owner_count - 1];
	for (size_t i = tagging->owner_count - 1; i < count; i++)
		tagging->owners[i] = (struct shared_use){0};
	tagging->owners[count - 1] = nobody;
	tagging->owner_count = count;
	return 0;
}

static int add_group(struct causal_tagging *tagging, pid_t tgid, uint32_t owner)
{
	for (size_t i = tagging->group_count; i > 0 && tagging->groups[i - 1].owner == owner;
	     i--)
		if (tagging->groups[i - 1].tgid == (uint32_t)tgid)
			return 0;
	if (array_reserve(&tagging->groups, &tagging->group_room, tagging->group_count + 1,
			  sizeof(*tagging->groups)))
		return -ENOMEM;
	tagging->groups[tagging->group_count++] =
		(struct causal_group){.tgid = (uint32_t)tgid, .owner = owner};
	return 0;
}

int causal_tagging_add_vm(struct causal_tagging *tagging, const struct vm *vm,
			  const struct vm_causes *causes, uint32_t owner)
{
	uint32_t namespace = causes->traffic.count ? net_namespace(NULL, vm->pid) : 0;
	int error = make_room_for(tagging, owner);

	for (size_t i = 0; !error && namespace && i < causes->traffic.count; i++) {
		const struct tap_reading *tap = &causes->traffic.taps[i];
		error = array_reserve(&tagging->devices, &tagging->device_room,
				      tagging->device_count + 1, sizeof(*tagging->devices));
		if (!error)
			tagging->devices[tagging->device_count++] = (struct causal_device){
				.namespace = namespace,
				.ifindex = tap->tap.ifindex,
				.owner = owner,
				.class = tap->class,
			};
	}
	if (!error)
		error = add_group(tagging, vm->pid, owner);
	for (size_t i = 0; !error && i < vm->thread_count; i++)
		error = add_group(tagging, vm->threads[i].tgid, owner);
	return error;
}

int causal_tagging_use_vms(struct causal_tagging *tagging)
{
	int error =
		causal_set_devices(tagging->causal, tagging->devices, tagging->device_count);

	return error ? error
		     : causal_set_groups(tagging->causal, tagging->groups,
					 tagging->group_count);
}

static size_t user_of(void *context, uint32_t owner)
{
	const struct causal_tagging *tagging = context;

	return owner ? owner - 1 : tagging->owner_count - 1;
}

static void take_batch(void *context, const struct work_batch *batch)
{
	struct causal_tagging *tagging = context;

	work_batch_split(batch, &tagging->model, tagging->owners, tagging->owner_count);
	affine_fit_add(tagging->fit, batch);
	tagging->cost_ns += BATCH_COST_NS;
	for (size_t i = 0; i < batch->part_count; i++) {
		const struct work_part *part = &batch->parts[i];
		tagging->cost_ns += part->count * PACKET_COST_NS;
		tagging->state.packets += part->requests ? 0 : part->count;
		/* Requests that no softirq completed: each for itself. */
		if (batch->ns == 0 && part->requests && part->user < tagging->owner_count)
			tagging->owners[part->user].causal_ns[WORK_BLOCK] +=
				part->count + part->bytes / REQUEST_COST_BYTES;
	}
}

/* How long to stay off after a window of that length and cost, so that the budget holds. */
static uint64_t time_off(const struct causal_tagging *tagging, uint64_t on_ns)
{
	double period = (double)tagging->cost_ns / (BUDGET * (double)tagging->cpus);
	uint64_t least = tagging->policy == POLICY_CAUSAL ? 0 : PERIOD_NS - WINDOW_NS;

	return period > (double)(least + on_ns) ? (uint64_t)period - on_ns : least;
}

static void begin_window(struct causal_tagging *tagging, uint64_t now_ns)
{
	if (tagging->policy == POLICY_CAUSAL)
		causal_enable(tagging->causal, true);
	if (causal_start(tagging->causal, NULL)) {
		/* Another tracer may be in the way; later again. */
		tagging->next_ns = now_ns + PERIOD_NS;
		return;
	}
	tagging->on = true;
	tagging->cost_ns = 0;
	tagging->turned_ns = tagging->counted_ns = now_ns;
	tagging->next_ns =
		now_ns + (tagging->policy == POLICY_CAUSAL ? SLICE_MIN_NS : WINDOW_NS);
}

static void end_window(struct causal_tagging *tagging, uint64_t now_ns,
		       struct affine_model *model)
{
	uint64_t on_ns = now_ns - tagging->turned_ns;

	/* One that costs next to nothing goes on. */
	if (tagging->policy == POLICY_CAUSAL && time_off(tagging, on_ns) == 0 &&
	    on_ns < SLICE_PERIOD_NS) {
		tagging->next_ns = now_ns + SLICE_MIN_NS;
		return;
	}
	if (tagging->policy == POLICY_CAUSAL)
		causal_enable(tagging->causal, false);
	else
		causal_stop(tagging->causal);
	causal_read(tagging->causal, user_of, take_batch, tagging);
	if (now_ns >= tagging->fit_due_ns) {
		affine_fit_end_window(tagging->fit, model, &tagging->state.fit);
		tagging->model = *model;
		tagging->fit_due_ns = now_ns + PERIOD_NS - WINDOW_NS;
	}
	tagging->on = false;
	tagging->state.on_s += (double)(now_ns - tagging->counted_ns) / 1e9;
	tagging->next_ns = now_ns + time_off(tagging, on_ns);
}

void causal_tagging_tick(struct causal_tagging *tagging, uint64_t now_ns,
			 struct affine_model *model)
{
	if (tagging->on)
		causal_read(tagging->causal, user_of, take_batch, tagging);
	if (now_ns < tagging->next_ns)
		return;
	if (tagging->on)
		end_window(tagging, now_ns, model);
	if (!tagging->on && now_ns >= tagging->next_ns)
		begin_window(tagging, now_ns);
}

void causal_tagging_take(struct causal_tagging *tagging, uint32_t owner,
			 struct shared_use *user)
{
	struct shared_use *from = &tagging->owners[user_of(tagging, owner)];

	for (int work = 0; work < WORK_COUNT; work++) {
		user->causal_ns[work] += from->causal_ns[work];
		from->causal_ns[work] = 0;
	}
}

struct causal_tagging_state causal_tagging_state(struct causal_tagging *tagging)
{
	uint64_t lost = causal_lost(tagging->causal), now_ns = clock_monotonic_ns();
	struct causal_tagging_state state = tagging->state;

	if (tagging->on) {
		state.on_s += (double)(now_ns - tagging->counted_ns) / 1e9;
		tagging->counted_ns = now_ns;
	}
	state.lost = lost - tagging->lost;
	tagging->lost = lost;
	tagging->state.on_s = 0;
	tagging->state.packets = 0;
	return state;
}

void causal_tagging_free(struct causal_tagging *tagging)
{
	if (!tagging)
		return;
	causal_free(tagging->causal);
	affine_fit_free(tagging->fit);
	free(tagging->devices);
	free(tagging->groups);
	free(tagging->owners);
	free(tagging);
}
