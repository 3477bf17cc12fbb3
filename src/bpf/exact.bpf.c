// SPDX-License-Identifier: GPL-2.0-only
#include "exact_programs.h"

/* On any kernel; takes some 16 ns. */
static __always_inline u64 load(const char *address)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), address);
	return value;
}
