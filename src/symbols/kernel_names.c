/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS	    8192 /* a power of two, several times the number of names (tested) */
#define PREFIX_BITS 4	 /* prefixes of up to so many words */

struct slot {
	const char *name; /* not 0-ended; NULL: empty */
	uint32_t hash;
	uint16_t length;
	uint16_t set;
};

struct kernel_names {
	struct slot slots[SLOTS];
};

/* FNV-1a, one step */
static uint32_t hash_step(uint32_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * 16777619U;
}

static uint32_t hash_name(const char *name, size_t length)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < length; i++)
		hash = hash_step(hash, name[i]);
	return hash;
}

/* The name's slot, or the empty slot where it would be. */
static const struct slot *find(const struct kernel_names *names, const char *name,
			       size_t length, uint32_t hash)
{
	for (uint32_t i = hash;; i++) {
		const struct slot *slot = &names->slots[i % SLOTS];
		if (!slot->name || (slot->hash == hash && slot->length == length &&
				    memcmp(slot->name, name, length) == 0))
			return slot;
	}
}

struct kernel_names *kernel_names_new(void)
{
	struct kernel_names *names = calloc(1, sizeof(*names));

	for (size_t set = 0; names && set < kernel_name_set_count; set++) {
		for (const char *at = kernel_name_sets[set].names; *at;) {
			size_t length = strcspn(at, " ");
			uint32_t hash = hash_name(at, length);
			struct slot *slot = (struct slot *)find(names, at, length, hash);
			*slot = (struct slot){at, hash, (uint16_t)length, (uint16_t)set};
			at += length + (at[length] == ' ');
		}
	}
	return names;
}

static bool skip(const char **symbol, size_t *length, const char *prefix, size_t prefix_length)
{
	if (*length <= prefix_length || memcmp(*symbol, prefix, prefix_length) != 0)
		return false;
	*symbol += prefix_length;
	*length -= prefix_length;
	return true;
}

#define SKIP(symbol, length, prefix) skip(symbol, length, prefix, sizeof(prefix) - 1)

/* arch/x86/include/asm/syscall_wrapper.h, include/linux/syscalls.h: the "sys_" stays. */
static void skip_syscall_wrapper(const char **symbol, size_t *length)
{
	const char *at = *symbol;
	size_t left = *length;

	if (left < 8 || at[0] != '_' || at[1] != '_')
		return;
	if (!SKIP(&at, &left, "__x64_") && !SKIP(&at, &left, "__ia32_") &&
	    !SKIP(&at, &left, "__x32_") && !SKIP(&at, &left, "__arm64_") &&
	    !SKIP(&at, &left, "__do_") && !SKIP(&at, &left, "__se_"))
		return;
	SKIP(&at, &left, "compat_");
	if (left > 4 && memcmp(at, "sys_", 4) == 0) {
		*symbol = at;
		*length = left;
	}
}

/* include/trace/stages, include/linux/tracepoint.h, include/linux/static_call_types.h */
static void skip_event_wrapper(const char **symbol, size_t *length)
{
	char first = **symbol;

	if (first == 't')
		(void)(SKIP(symbol, length, "trace_event_raw_event_") ||
		       SKIP(symbol, length, "trace_raw_output_") ||
		       SKIP(symbol, length, "trace_event_get_offsets_"));
	else if (first == 'p')
		SKIP(symbol, length, "perf_trace_");
	else if (first == '_')
		(void)(SKIP(symbol, length, "__bpf_trace_") ||
		       SKIP(symbol, length, "__traceiter_") ||
		       SKIP(symbol, length, "__probestub_") ||
		       SKIP(symbol, length, "__SCT__tp_func_") ||
		       SKIP(symbol, length, "__SCT__"));
}

static bool find_prefix(const struct kernel_names *names, const char *symbol, size_t length,
			uint16_t *set)
{
	uint32_t hash = hash_name(NULL, 0);
	bool found = false;
	int words = 0;

	for (size_t i = 0; i < length && words < PREFIX_BITS; i++) {
		hash = hash_step(hash, symbol[i]);
		if (symbol[i] != '_')
			continue;
		words++;
		const struct slot *slot = find(names, symbol, i + 1, hash);
		if (slot->name) {
			*set = slot->set;
			found = true;
		}
	}
	return found;
}

enum kernel_name_match kernel_names_lookup(const struct kernel_names *names, const char *symbol,
					   size_t length, uint16_t *set)
{
	const char *dot = memchr(symbol, '.', length);

	if (dot)
		length = (size_t)(dot - symbol);
	if (length == 0)
		return KERNEL_NAME_UNKNOWN;
	skip_syscall_wrapper(&symbol, &length);
	const struct slot *slot = find(names, symbol, length, hash_name(symbol, length));
	if (slot->name) {
		*set = slot->set;
		return KERNEL_NAME_WHOLE;
	}
	skip_event_wrapper(&symbol, &length);
	while (length && *symbol == '_') {
		symbol++;
		length--;
	}
	return find_prefix(names, symbol, length, set) ? KERNEL_NAME_PREFIX
						       : KERNEL_NAME_UNKNOWN;
}

void kernel_names_free(struct kernel_names *names)
{
	free(names);
}
