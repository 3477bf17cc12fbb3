/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/bpf_sampler.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "collect/interrupt_context.h"
#include "sample_pcpu_hot.skel.h"
#include "sample_preempt_count.skel.h"
#include "sample_stack.skel.h"
#include "symbols/kernel_map.h"

_Static_assert(sizeof(struct sampler_variables) == sizeof(*((struct sample_stack_bpf *)0)->bss),
	       "the sampler's only variable");

/* More than one thread has; each batch that is taken goes through all the map's buckets. */
#define ONE_THREAD_COUNTS 256

struct bpf_sampler {
	struct bpf_object *object;
	bool one_thread;
	struct sampler_variables *variables; /* shared with the kernel */
	__u32 position;			     /* of bpf_sampler_take() */
};

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

void bpf_be_quiet(void)
{
	libbpf_set_print(print_nothing);
}

int bpf_load_error(int code, const char *what, struct error *error)
{
	errno = -code;
	if (code == -EPERM || code == -EACCES)
		return error_set(
			error, code,
			"loading BPF %s is not permitted: run as root or with CAP_BPF and "
			"CAP_PERFMON, or use --collector perf",
			what);
	return error_set(error, -EOPNOTSUPP,
			 "this kernel does not load BPF %s (%m): use --collector perf", what);
}

/* Is the per-CPU variable known to BTF, and its address to kallsyms (KALLSYMS_ALL)? */
static bool resolves(const struct kernel_map *map, const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_VAR) > 0 &&
	       kernel_map_symbol(map, name);
}

/* The object that tells interrupts apart in the way that this kernel offers. */
static struct bpf_object *open_object(const struct kernel_map *map, const struct btf *btf)
{
	size_t size;
	const void *bytes;

	if (resolves(map, btf, "__preempt_count"))
		bytes = sample_preempt_count_bpf__elf_bytes(&size);
	else if (resolves(map, btf, "pcpu_hot"))
		bytes = sample_pcpu_hot_bpf__elf_bytes(&size);
	else
		bytes = sample_stack_bpf__elf_bytes(&size);
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "sample");
	return bpf_object__open_mem(bytes, size, &options);
}

static int map_fd(const struct bpf_sampler *sampler, const char *name)
{
	return bpf_object__find_map_fd_by_name(sampler->object, name);
}

/* Maps the object's .bss, as a skeleton would. */
static int map_variables(struct bpf_sampler *sampler, struct error *error)
{
	void *memory = mmap(NULL, sizeof(*sampler->variables), PROT_READ | PROT_WRITE,
			    MAP_SHARED, map_fd(sampler, ".bss"), 0);

	if (memory == MAP_FAILED)
		return error_set(error, -errno, "cannot map the BPF sampler's variables: %m");
	sampler->variables = memory;
	return 0;
}

int bpf_sampler_new(struct bpf_sampler **out, const struct kernel_map *map, bool one_thread,
		    struct error *error)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (libbpf_get_error(btf))
		return error_set(
			error, -EOPNOTSUPP,
			"this kernel has no BTF (CONFIG_DEBUG_INFO_BTF): use --collector "
			"perf");
	struct bpf_sampler *sampler = calloc(1, sizeof(*sampler));
	if (sampler)
		sampler->object = open_object(map, btf);
	btf__free(btf);
	if (!sampler || !sampler->object) {
		free(sampler);
		return error_set(error, -ENOMEM, "cannot open the BPF sampler: no memory");
	}
	sampler->one_thread = one_thread;
	if (one_thread)
		bpf_map__set_max_entries(
			bpf_object__find_map_by_name(sampler->object, "counts"),
			ONE_THREAD_COUNTS);
	int code = bpf_object__load(sampler->object);
	if (code) {
		bpf_sampler_free(sampler);
		return bpf_load_error(code, "perf_event programs", error);
	}
	code = map_variables(sampler, error);
	if (!code)
		code = bpf_sampler_use_map(sampler, map, error);
	if (code) {
		bpf_sampler_free(sampler);
		return code;
	}
	*out = sampler;
	return 0;
}

/* Hands the functions that tell the kind of work to the program. */
static int use_functions(struct bpf_sampler *sampler, struct error *error)
{
	struct interrupt_context *context;
	int code = interrupt_context_new(&context, NULL, error);

	if (code)
		return code;
	size_t count;
	const struct context_function *functions = interrupt_context_functions(context, &count);
	__u32 base = sampler->variables->functions_base ? 0 : SAMPLE_FUNCTIONS_MAX, number = 0;
	for (size_t i = 0; !code && i < count && number < SAMPLE_FUNCTIONS_MAX; i++) {
		struct sample_function value = {
			.start = functions[i].start,
			.end = functions[i].end,
			.work = functions[i].work,
		};
		__u32 key = base + number;
		if (value.work == WORK_NONE)
			continue;
		if (bpf_map_update_elem(map_fd(sampler, "functions"), &key, &value, BPF_ANY))
			code = -errno;
		number++;
	}
	interrupt_context_free(context);
	if (code) {
		errno = -code;
		return error_set(error, code, "cannot hand the softirq handlers to BPF: %m");
	}
	sampler->variables->functions_base = base;
	sampler->variables->functions_count = number;
	return 0;
}

int bpf_sampler_use_map(struct bpf_sampler *sampler, const struct kernel_map *map,
			struct error *error)
{
	size_t count;
	const struct kernel_range *ranges = kernel_map_ranges(map, &count);

	if (count > SAMPLE_RANGES_MAX)
		return error_set(error, -E2BIG,
				 "the kernel map has %zu ranges; the sampler takes %d", count,
				 SAMPLE_RANGES_MAX);
	struct sample_range *values = calloc(count, sizeof(*values));
	__u32 *keys = calloc(count, sizeof(*keys));
	int code = values && keys ? 0 : -ENOMEM;
	__u32 base = sampler->variables->ranges_base ? 0 : SAMPLE_RANGES_MAX;
	__u32 number = (__u32)count;
	for (size_t i = 0; !code && i < count; i++) {
		keys[i] = base + (__u32)i;
		values[i].start = ranges[i].start;
		values[i].subsystem = ranges[i].subsystem;
	}
	if (!code &&
	    bpf_map_update_batch(map_fd(sampler, "ranges"), keys, values, &number, NULL))
		code = -errno;
	free(values);
	free(keys);
	if (code) {
		errno = -code;
		return error_set(error, code, "cannot hand the kernel map to BPF: %m");
	}
	sampler->variables->ranges_base = base;
	sampler->variables->ranges_count = number;
	return sampler->one_thread ? 0 : use_functions(sampler, error);
}

int bpf_sampler_program(const struct bpf_sampler *sampler)
{
	return bpf_program__fd(bpf_object__find_program_by_name(sampler->object, "sample"));
}

int bpf_sampler_vm_tgids(const struct bpf_sampler *sampler)
{
	return map_fd(sampler, "vm_tgids");
}

int bpf_sampler_new_vms(const struct bpf_sampler *sampler)
{
	return map_fd(sampler, "new_vms");
}

int bpf_sampler_take(struct bpf_sampler *sampler, struct sample_key *keys,
		     struct sample_count *values, uint32_t room, uint32_t *count, bool *more,
		     struct error *error)
{
	__u32 *from = *more ? &sampler->position : NULL;
	int code;

	do {
		*count = room;
		code = bpf_map_lookup_and_delete_batch(map_fd(sampler, "counts"), from,
						       &sampler->position, keys, values, count,
						       NULL);
	} while (code < 0 && errno == EINTR);
	/* ENOENT: the last bucket was reached. */
	if (code < 0 && errno != ENOENT)
		return error_set(error, -errno, "cannot read the sample counts: %m");
	*more = code == 0;
	return 0;
}

uint64_t bpf_sampler_uncounted(const struct bpf_sampler *sampler)
{
	return __atomic_load_n(&sampler->variables->uncounted, __ATOMIC_RELAXED);
}

void bpf_sampler_free(struct bpf_sampler *sampler)
{
	if (!sampler)
		return;
	if (sampler->variables)
		munmap(sampler->variables, sizeof(*sampler->variables));
	bpf_object__close(sampler->object);
	free(sampler);
}
