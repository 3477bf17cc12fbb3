/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_REPORT_STACKS_H
#define KVMPERF_REPORT_STACKS_H

/* The samples of a report by stack, as flame graphs show them. */

#include <stddef.h>
#include <stdint.h>

#include "report/report.h"

enum stack_owner { STACK_OF_PROCESS, STACK_OF_KERNEL, STACK_OF_IDLE, STACK_OF_VM };

struct stack {
	enum stack_owner owner;
	uint32_t vm;	/* its number in the report; NO_VM: none */
	uint32_t comm;	/* name of what is no VM's; of a VM's NAME_NONE */
	uint32_t mode;	/* enum sample_mode */
	uint32_t place; /* the innermost function */
	uint64_t samples;
};

struct stacks {
	const struct report *report;
	const struct profile *profile;
	struct stack *items;
	size_t count, room;
	uint32_t world_switch; /* the place of what the correction took from guest time */
};

/* VM and mode; or what it is, its name and mode. */
#define STACK_OUTER_FRAMES 3

/*
 * Gathers the stacks of a report, those of each VM together and each with samples. VMs that
 * were not selected are left out. As large a part of a VM's guest samples as the correction
 * took of its guest time is moved to a stack of the place world_switch, the VM's last. The
 * report must not have been sorted; names of its profile grow by that place's. stacks is owned
 * by the caller (stacks_clear), on failure too. -ENOMEM.
 */
int stacks_make(struct stacks *stacks, const struct report *report,
		const struct report_input *input);

void stacks_clear(struct stacks *stacks);

/* What it is called: "guest user", "vmm", ... */
const char *stack_mode_name(const struct stack *stack);

/*
 * The frames around a stack's functions, outermost first: "VM", "mode"; of what is no VM's
 * "host processes" or "host kernel", "COMM", "mode"; or "idle", "mode". Returns their number.
 */
size_t stack_outer_frames(const struct stacks *stacks, const struct stack *stack,
			  const char *frames[STACK_OUTER_FRAMES]);

/* The name of a place in a stack: its function, or its module where no function is known. */
const char *stack_place_name(const struct stacks *stacks, uint32_t place);

const char *stack_module_name(const struct stacks *stacks, uint32_t place);

#endif
