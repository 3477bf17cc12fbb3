/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as samples in the neutral form. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz_file.h"
#include "report/report.h"
#include "report/samples_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct profile profile = {0};
	struct samples_file file = {0};
	struct report report = {0};
	struct report_input input = {.profile = &profile};
	struct error error = {0};

	if (resolver_init(&profile.resolver, &profile.names, &profile.places) ||
	    profile_init(&profile))
		abort();
	int code = samples_file_read(&file, &profile, fuzz_file(bytes, size), NULL, &error);
	if (code == -EINVAL || (code && !error.message[0]))
		abort();
	if (!code && profile.samples) {
		if (samples_file_describe(&file, &profile, &input, &error) == 0 &&
		    report_find_vms(&report, &input) == 0 &&
		    report_build(&report, &input) == 0 &&
		    ledger_sum(&report.interval.ledger) != report.interval.ledger.capacity_ns)
			abort();
	}
	report_clear(&report);
	profile_clear(&profile);
	return 0;
}
