/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COLLECT_BPF_SAMPLER_H
#define KVMPERF_COLLECT_BPF_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/sample.h"

struct kernel_map;

/* The BPF program that runs on each sample, with its maps. */
struct bpf_sampler;

/*
 * Loads the program in the form that this kernel can take. With one_thread it has room for one
 * thread's counts, which are quicker to take, and does not tell the kind of shared work, which
 * saves a reading of /proc/kallsyms. *out is owned by the caller
 * (bpf_sampler_free). Errors: -EPERM or -EACCES without CAP_BPF and CAP_PERFMON, -EOPNOTSUPP
 * where the kernel has no BTF or refuses the program.
 */
int bpf_sampler_new(struct bpf_sampler **out, const struct kernel_map *map, bool one_thread,
		    struct error *error);

/* Hands the map's ranges to the program; it uses them from the next sample on. */
int bpf_sampler_use_map(struct bpf_sampler *sampler, const struct kernel_map *map,
			struct error *error);

/* File descriptors: of the program; of the map of VMs' thread groups; of the ring that tells of
 * groups that run in guest mode and are not in that map. */
int bpf_sampler_program(const struct bpf_sampler *sampler);
int bpf_sampler_vm_tgids(const struct bpf_sampler *sampler);
int bpf_sampler_new_vms(const struct bpf_sampler *sampler);

/*
 * Takes up to room counts out of the kernel; none is lost or taken twice. *count is how many;
 * *more says that there may be others. With *more false beforehand it starts from the front.
 */
int bpf_sampler_take(struct bpf_sampler *sampler, struct sample_key *keys,
		     struct sample_count *values, uint32_t room, uint32_t *count, bool *more,
		     struct error *error);

/* Samples that found no room to be counted in, since the start. */
uint64_t bpf_sampler_uncounted(const struct bpf_sampler *sampler);

void bpf_sampler_free(struct bpf_sampler *sampler);

/* Keeps libbpf from printing: what it has to say is in our errors, in the user's words. */
void bpf_be_quiet(void);

/* Fills error for a BPF program that could not be loaded; what: which one. Returns its code. */
int bpf_load_error(int code, const char *what, struct error *error);

#endif
