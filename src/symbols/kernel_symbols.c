/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/kallsyms.h"

const char *const kernel_map_kept_names[] = {
	"_text",
	"__preempt_count",
	"pcpu_hot",
	"kvm_dev_ioctl",
	"kvm_vm_ioctl",
	"kvm_vcpu_ioctl",
	"tun_chr_ioctl",
	"tap_ioctl",
	"handle_softirqs",
	"__do_softirq",
	"common_interrupt",
	"__common_interrupt",
	"asm_common_interrupt",
};

#define KEPT_COUNT (sizeof(kernel_map_kept_names) / sizeof(*kernel_map_kept_names))

const size_t kernel_map_kept_count = KEPT_COUNT;

struct reader {
	struct kernel_symbols *out;
	struct kernel_map *map;
	struct builtin_ranges *builtin;
	struct kernel_names *names;
	size_t kept_lengths[KEPT_COUNT];
	char last_module[64]; /* kallsyms lists a module's symbols together */
	uint16_t last_subsystem;
	uint64_t address_bits; /* of all functions together; 0: addresses are hidden */
};

static bool name_is(const struct kallsyms_symbol *symbol, const char *name, size_t length)
{
	return symbol->name_length == length && memcmp(symbol->name, name, length) == 0;
}

static bool ends_with(const struct kallsyms_symbol *symbol, const char *end, size_t length)
{
	return symbol->name_length >= length &&
	       memcmp(symbol->name + symbol->name_length - length, end, length) == 0;
}

/* The marks of include/asm-generic/vmlinux.lds.h and arch/x86/kernel/vmlinux.lds.S */
static bool is_section_mark(const struct kallsyms_symbol *symbol)
{
	return symbol->name[0] == '_' &&
	       (ends_with(symbol, "_text_start", 11) || ends_with(symbol, "_text_end", 9) ||
		ends_with(symbol, "inittext", 8) || name_is(symbol, "_text", 5) ||
		name_is(symbol, "_stext", 6) || name_is(symbol, "_etext", 6));
}

/* __pfx_NAME is padding before a function (CALL_PADDING), __cfi_NAME its type (kCFI). */
static bool is_padding(const struct kallsyms_symbol *symbol)
{
	return symbol->name_length > 6 && (memcmp(symbol->name, "__pfx_", 6) == 0 ||
					   memcmp(symbol->name, "__cfi_", 6) == 0);
}

static int add_text_symbol(struct reader *reader, const struct kallsyms_symbol *symbol)
{
	uint16_t set = 0;

	if (array_reserve(&reader->out->text, &reader->out->text_room,
			  reader->out->text_count + 1, sizeof(*reader->out->text)))
		return -ENOMEM;
	struct text_symbol *text = &reader->out->text[reader->out->text_count++];
	text->address = symbol->address;
	text->section_mark = is_section_mark(symbol);
	text->match = (uint8_t)kernel_names_lookup(reader->names, symbol->name,
						   symbol->name_length, &set);
	text->subsystem = (uint16_t)(set + 1);
	return 0;
}

/* Pseudo-modules (kernel/kallsyms.c): "bpf", "__builtin__ftrace", "__builtin__kprobes" */
static int module_subsystem(struct reader *reader, const char *module, size_t length)
{
	static const char builtin[] = "__builtin__";

	if (length < sizeof(reader->last_module) && !reader->last_module[length] &&
	    memcmp(reader->last_module, module, length) == 0)
		return reader->last_subsystem;
	const char *name = module;
	size_t name_length = length;
	if (length >= sizeof(builtin) && memcmp(module, builtin, sizeof(builtin) - 1) == 0) {
		name += sizeof(builtin) - 1;
		name_length -= sizeof(builtin) - 1;
	}
	int subsystem = kernel_map_intern(reader->map, name, name_length);
	if (subsystem >= 0 && length < sizeof(reader->last_module)) {
		memcpy(reader->last_module, module, length);
		memset(reader->last_module + length, 0, sizeof(reader->last_module) - length);
		reader->last_subsystem = (uint16_t)subsystem;
	}
	return subsystem;
}

static int add_module_symbol(struct reader *reader, const struct kallsyms_symbol *symbol)
{
	int subsystem = module_subsystem(reader, symbol->module, symbol->module_length);

	if (subsystem < 0)
		return subsystem;
	if (array_reserve(&reader->out->module_symbols, &reader->out->module_symbol_room,
			  reader->out->module_symbol_count + 1,
			  sizeof(*reader->out->module_symbols)))
		return -ENOMEM;
	reader->out->module_symbols[reader->out->module_symbol_count++] =
		(struct module_symbol){symbol->address, (uint16_t)subsystem};
	return 0;
}

static int add_symbol(void *data, const struct kallsyms_symbol *symbol)
{
	struct reader *reader = data;

	if (is_padding(symbol))
		return 0;
	for (size_t i = 0; i < KEPT_COUNT; i++) {
		if (name_is(symbol, kernel_map_kept_names[i], reader->kept_lengths[i]))
			reader->map->kept[i] = symbol->address;
	}
	for (size_t i = 0; i < reader->builtin->anchor_count; i++) {
		struct builtin_anchor *anchor = &reader->builtin->anchors[i];
		if (!symbol->module_length &&
		    name_is(symbol, anchor->symbol, strlen(anchor->symbol)))
			anchor->address = symbol->address;
	}
	if ((symbol->type | 0x20) != 't' && (symbol->type | 0x20) != 'w')
		return 0;
	reader->address_bits |= symbol->address;
	return symbol->module_length ? add_module_symbol(reader, symbol)
				     : add_text_symbol(reader, symbol);
}

int kernel_symbols_read(struct kernel_symbols *out, struct kernel_map *map,
			struct builtin_ranges *builtin, struct error *error)
{
	struct reader reader = {out, map, builtin, kernel_names_new(), {0}, {0}, 0, 0};
	struct error failure = {0};
	int code = -ENOMEM;

	for (size_t i = 0; i < KEPT_COUNT; i++)
		reader.kept_lengths[i] = strlen(kernel_map_kept_names[i]);
	if (reader.names)
		code = kallsyms_read(map->kallsyms, add_symbol, &reader, &failure);
	kernel_names_free(reader.names);
	if (code)
		return error_set(error, code, "%s",
				 failure.code ? failure.message : "no memory for kallsyms");
	if (!out->text_count)
		return error_set(error, -EBADMSG, "%s lists no function of the kernel",
				 map->kallsyms);
	if (!reader.address_bits)
		return error_set(error, -EPERM,
				 "%s hides the kernel's addresses: run as root or with "
				 "CAP_SYSLOG, and set kernel.kptr_restrict to 0 or 1",
				 map->kallsyms);
	return 0;
}

void kernel_symbols_clear(struct kernel_symbols *symbols)
{
	free(symbols->text);
	free(symbols->module_symbols);
	*symbols = (struct kernel_symbols){0};
}
