// SPDX-License-Identifier: GPL-2.0-only
#include "exact_programs.h"

/* From 6.2 on. What it gives can be read by plain loads; one that faults gives 0. */
extern void *bpf_rdonly_cast(const void *object, u32 btf_id) __ksym;

static __always_inline u64 load(const char *address)
{
	/* Any structure of the kernel's that begins with such a number will do. */
	const struct timespec64 *number =
		bpf_rdonly_cast(address, bpf_core_type_id_kernel(struct timespec64));

	return (u64)number->tv_sec;
}
