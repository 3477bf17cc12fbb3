/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hypervisor below this host takes of a guest's time, where the host is itself a guest:
 * the part of bursts of 1 ms that is in gaps of the guest's clock, of those bursts alone in
 * which KVM here counted no exit. Nobody on this host can see it but by such a clock. Usage:
 * stolen_time SECONDS GAP_US; what takes longer than GAP_US is a gap, as for kvmload. Prints
 * the part, 0 to 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "calibrate/exit_loop.h"
#include "vmm/vmm.h"

#define BURST_NS NS_PER_MS

int main(int argc, char **argv)
{
	struct exit_loop loop;
	struct error error;
	double guest_ns = 0, gap_ns = 0;

	if (argc != 3 || atof(argv[2]) <= 0)
		return 2;
	int code = exit_loop_open(&loop, &error);
	if (!code)
		vmm_mailbox(loop.vmm, 0)->gap_ticks =
			(uint64_t)(atof(argv[2]) * 1e3 * loop.ticks_per_ns);
	uint64_t end = clock_monotonic_ns() + (uint64_t)(atof(argv[1]) * 1e9);
	while (!code && clock_monotonic_ns() < end) {
		struct exit_loop_sum burst;
		code = exit_loop_burst(&loop, BURST_NS, &burst, &error);
		if (code || burst.preemptions || burst.exits != burst.user_exits)
			continue;
		guest_ns += burst.guest_ns;
		gap_ns += burst.gap_ns;
	}
	exit_loop_close(&loop);
	if (!code && guest_ns + gap_ns <= 0)
		code = error_set(&error, -1, "no burst without an exit");
	if (code) {
		fprintf(stderr, "stolen_time: %s\n", error.message);
		return 1;
	}
	printf("%.6f\n", gap_ns / (guest_ns + gap_ns));
	return 0;
}
