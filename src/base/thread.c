/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/thread.h"

#include <sys/resource.h>

long thread_preemptions(void)
{
	struct rusage usage = {0};

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}
