/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/exact_programs.h"

#include <bpf/btf.h>
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

/* Has the kernel bpf_rdonly_cast()? */
static bool can_cast(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found = !libbpf_get_error(btf) &&
		     btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;

	if (!libbpf_get_error(btf))
		btf__free(btf);
	return found;
}

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
	bool cast = reading != EXACT_READING_CALLS && can_cast();

	if (cast && load_object(out, layout, true) == 0)
		return 0;
	return reading == EXACT_READING_LOADS ? -EOPNOTSUPP : load_object(out, layout, false);
}
