/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/exact_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "exact.skel.h"
#include "exact_cast.skel.h"

_Static_assert(sizeof(*((struct exact_bpf *)0)->bss) ==
			       sizeof(*((struct exact_cast_bpf *)0)->bss) &&
		       sizeof(*((struct exact_bpf *)0)->rodata) ==
			       sizeof(*((struct exact_cast_bpf *)0)->rodata),
	       "one skeleton for both objects");

/* The skeleton of the one object, which has the programs and variables of the other, too. */
static struct exact_bpf *open_programs(bool cast)
{
	struct exact_bpf *programs = calloc(1, sizeof(*programs));

	if (!programs)
		return NULL;
	if (exact_bpf__create_skeleton(programs)) {
		exact_bpf__destroy(programs);
		return NULL;
	}
	if (cast)
		programs->skeleton->data =
			exact_cast_bpf__elf_bytes(&programs->skeleton->data_sz);
	if (bpf_object__open_skeleton(programs->skeleton, NULL)) {
		exact_bpf__destroy(programs);
		return NULL;
	}
	return programs;
}

static int load_object(struct exact_bpf **out, const struct exact_exit_layout *layout,
		       bool cast)
{
	struct exact_bpf *programs = open_programs(cast);

	if (!programs)
		return -ENOMEM;
	programs->rodata->cpus_count = (__u32)libbpf_num_possible_cpus();
	if (layout) {
		memcpy((void *)&programs->rodata->layout, layout, sizeof(*layout));
	} else {
		bpf_program__set_autoload(programs->progs.exact_kvm_entry, false);
		bpf_program__set_autoload(programs->progs.exact_kvm_exit, false);
	}
	int code = exact_bpf__load(programs);
	if (code)
		exact_bpf__destroy(programs);
	else
		*out = programs;
	return code;
}

int exact_programs_load(struct exact_bpf **out, const struct exact_exit_layout *layout,
			enum exact_reading reading)
{
	int code = 0;

	/* Without the function libbpf finds at once that it can't be loaded. */
	if (reading != EXACT_READING_CALLS)
		code = load_object(out, layout, true);
	if (reading == EXACT_READING_CALLS || (code && reading == EXACT_READING_BEST))
		code = load_object(out, layout, false);
	return code;
}

int exact_programs_cut(const struct exact_bpf *programs, int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_RUN_ON_CPU,
		    .cpu = (__u32)cpu);

	return bpf_prog_test_run_opts(bpf_program__fd(programs->progs.exact_cut_cpu), &options)
		       ? -errno
		       : 0;
}
