/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a recording: read, accounted for, with books that balance, or refused. */
#include <errno.h>
#include <stdlib.h>

#include "fuzz_file.h"
#include "report/recording_times.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void build_report(struct recording_times *times, struct profile *profile)
{
	struct report report = {0};
	struct report_input input = {.profile = profile};
	struct error error = {0};

	if (recording_times_describe(times, &input, &error) == 0 &&
	    report_find_vms(&report, &input) == 0 && report_build(&report, &input) == 0 &&
	    ledger_sum(&report.interval.ledger) != report.interval.ledger.capacity_ns)
		abort();
	report_clear(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct profile profile = {0};
	struct recording recording = {.profile = &profile};
	struct recording_times times = {0};
	struct error error = {0};

	if (resolver_init(&profile.resolver, &profile.names, &profile.places) ||
	    profile_init(&profile))
		abort();
	/* Half of all inputs with stacks: the byte behind the magic and the size decides. */
	recording.keeps_stacks = size > 16 && (bytes[16] & 1);
	profile.resolver.detail = recording.keeps_stacks ? PLACE_BY_STACK : PLACE_BY_MODULE;
	int code = recording_open(&recording, fuzz_file(bytes, size), &error);
	if (!code)
		code = recording_times_open(&times, &recording, NULL, &error);
	if (!code)
		code = recording_read(&recording, &error);
	if (code == -EINVAL || (code && !error.message[0]))
		abort();
	if (!code && profile.samples)
		build_report(&times, &profile);
	recording_times_clear(&times);
	recording_close(&recording);
	profile_clear(&profile);
	return 0;
}
