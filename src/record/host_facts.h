/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_RECORD_HOST_FACTS_H
#define KVMPERF_RECORD_HOST_FACTS_H

#include "perf_data/section_bytes.h"

/* The contents of the feature sections that describe this host; see perf_data/format.h. */

/* PERF_FEATURE_HOSTNAME, OSRELEASE and ARCH: strings of uname(2). */
void host_facts_put_uname(struct section_bytes *hostname, struct section_bytes *release,
			  struct section_bytes *arch);

/* PERF_FEATURE_NRCPUS: CPUs configured and online. */
void host_facts_put_cpus(struct section_bytes *bytes);

/* PERF_FEATURE_CPUDESC: "model name" of /proc/cpuinfo; empty where there is none. */
void host_facts_put_cpu_description(struct section_bytes *bytes);

/* PERF_FEATURE_CPUID, as perf has it on x86: vendor, family, model, stepping; or empty. */
void host_facts_put_cpuid(struct section_bytes *bytes);

/* PERF_FEATURE_TOTAL_MEM */
void host_facts_put_memory(struct section_bytes *bytes);

#endif
