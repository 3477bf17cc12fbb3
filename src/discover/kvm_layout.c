/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/kvm_layout.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first member in the type called name; *bits is raised by its place. NULL: not there. */
static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *type,
					    const char *name, size_t length, __u32 *bits)
{
	const struct btf_member *member = btf_members(type);

	for (__u16 i = 0; i < btf_vlen(type); i++, member++) {
		const char *found = btf__name_by_offset(btf, member->name_off);
		const struct btf_member *inner;
		__u32 id, inner_bits = 0;

		if (found && strlen(found) == length && !strncmp(found, name, length)) {
			*bits += btf_member_bit_offset(type, i);
			return member;
		}
		if (found && *found)
			continue;
		id = member->type;
		for (const struct btf_type *t = btf__type_by_id(btf, id);
		     t && (btf_is_mod(t) || btf_is_typedef(t)); t = btf__type_by_id(btf, id))
			id = t->type;
		if (!btf_is_composite(btf__type_by_id(btf, id)))
			continue;
		inner = find_member(btf, btf__type_by_id(btf, id), name, length, &inner_bits);
		if (inner) {
			*bits += btf_member_bit_offset(type, i) + inner_bits;
			return inner;
		}
	}
	return NULL;
}

/* The offset of a member in the type with this id; see kvm_layout_member(). */
static int member_offset(const struct btf *btf, __u32 id, const char *path)
{
	__u32 bits = 0;

	while (*path) {
		size_t length = strcspn(path, ".");
		const struct btf_type *type = btf__type_by_id(btf, id);
		const struct btf_member *member;

		while (type && (btf_is_mod(type) || btf_is_typedef(type)))
			type = btf__type_by_id(btf, type->type);
		if (!type || !btf_is_composite(type))
			return -1;
		member = find_member(btf, type, path, length, &bits);
		if (!member)
			return -1;
		id = member->type;
		path += length + (path[length] == '.');
	}
	return bits % 8 ? -1 : (int)(bits / 8);
}

int kvm_layout_member(const struct btf *btf, const char *type, const char *path)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);

	return id < 0 ? -1 : member_offset(btf, (__u32)id, path);
}

/* One member of the layout: the module that has the type when the kernel itself hasn't. */
static const struct member {
	const char *module;
	const char *type;
	const char *paths[2]; /* the second is the name in older kernels */
	size_t field;
} members[] = {
	{"kvm", "kvm", {"mm"}, offsetof(struct vm_files_layout, kvm_mm)},
	{"kvm", "kvm_vcpu", {"kvm"}, offsetof(struct vm_files_layout, vcpu_kvm)},
	{"kvm", "kvm_vcpu", {"vcpu_id"}, offsetof(struct vm_files_layout, vcpu_id)},
	{"kvm", "kvm_vcpu", {"pid"}, offsetof(struct vm_files_layout, vcpu_pid)},
	{"kvm", "kvm_vcpu", {"stat.exits"}, offsetof(struct vm_files_layout, vcpu_exits)},
	{"kvm",
	 "kvm_vcpu",
	 {"stat.irq_exits"},
	 offsetof(struct vm_files_layout, vcpu_irq_exits)},
	/* moved into 'generic' by 0193cc908b5a (5.14) */
	{"kvm",
	 "kvm_vcpu",
	 {"stat.generic.halt_poll_success_ns", "stat.halt_poll_success_ns"},
	 offsetof(struct vm_files_layout, vcpu_halt_poll_success)},
	{"kvm",
	 "kvm_vcpu",
	 {"stat.generic.halt_poll_fail_ns", "stat.halt_poll_fail_ns"},
	 offsetof(struct vm_files_layout, vcpu_halt_poll_fail)},
	{"tun", "tun_file", {"tun"}, offsetof(struct vm_files_layout, tun_file_tun)},
	{"tun", "tun_struct", {"dev"}, offsetof(struct vm_files_layout, tun_dev)},
	{"tap", "tap_queue", {"tap"}, offsetof(struct vm_files_layout, tap_queue_tap)},
	{"tap", "tap_dev", {"dev"}, offsetof(struct vm_files_layout, tap_dev)},
};

/*
 * Fills the members of a module that are not known yet from btf; false when some are still not.
 * The kernel's own BTF may have some of a module's types, where its headers are used.
 */
static bool read_members(struct vm_files_layout *layout, const struct btf *btf,
			 const char *module)
{
	const char *type = "";
	bool complete = true;
	int id = -1;

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const struct member *member = &members[i];
		__s32 *offset = (__s32 *)((char *)layout + member->field);

		if (strcmp(member->module, module))
			continue;
		/* a search by name goes through all of the 100,000 types and more */
		if (strcmp(member->type, type))
			id = btf__find_by_name_kind(btf, member->type, BTF_KIND_STRUCT);
		type = member->type;
		for (size_t n = 0; id >= 0 && n < 2 && *offset < 0 && member->paths[n]; n++)
			*offset = member_offset(btf, (__u32)id, member->paths[n]);
		complete &= *offset >= 0;
	}
	return complete;
}

int kvm_layout_read(struct vm_files_layout *layout, struct error *error)
{
	static const char *const modules[] = {"kvm", "tun", "tap"};
	struct btf *kernel = btf__parse("/sys/kernel/btf/vmlinux", NULL);

	memset(layout, 0xff, sizeof(*layout));
	if (!kernel)
		return error_set(
			error, -EOPNOTSUPP,
			"the kernel has no BTF (/sys/kernel/btf/vmlinux: %s); it needs "
			"CONFIG_DEBUG_INFO_BTF",
			strerror(errno));
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		char path[64];
		struct btf *btf;

		if (read_members(layout, kernel, modules[i]))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/btf/%s", modules[i]);
		btf = btf__parse_split(path, kernel);
		if (!btf)
			continue;
		read_members(layout, btf, modules[i]);
		btf__free(btf);
	}
	btf__free(kernel);
	if (layout->kvm_mm < 0 || layout->vcpu_kvm < 0 || layout->vcpu_id < 0)
		return error_set(error, -EOPNOTSUPP,
				 "there is no BTF for KVM (is the kvm module loaded? does "
				 "/sys/kernel/btf/kvm exist?)");
	return 0;
}

int kvm_layout_ioctls(struct vm_files_ioctls *ioctls, const char *kallsyms, struct error *error)
{
	const struct {
		const char *name;
		__u64 *address;
	} wanted[] = {
		{"kvm_vm_ioctl", &ioctls->kvm_vm},
		{"kvm_vcpu_ioctl", &ioctls->kvm_vcpu},
		{"tun_chr_ioctl", &ioctls->tun},
		{"tap_ioctl", &ioctls->tap},
	};
	FILE *file = fopen(kallsyms, "re");
	size_t missing = sizeof(wanted) / sizeof(*wanted);
	bool visible = false;
	char line[512];

	*ioctls = (struct vm_files_ioctls){0};
	if (!file)
		return error_set(error, -errno, "%s: %s", kallsyms, strerror(errno));
	while (missing && fgets(line, sizeof(line), file)) {
		char *symbol;
		__u64 address = strtoull(line, &symbol, 16);

		if (*symbol != ' ' || !symbol[1] || symbol[2] != ' ')
			continue;
		symbol += 3;
		visible |= address != 0;
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
			size_t length = strlen(wanted[i].name);

			if (strncmp(symbol, wanted[i].name, length) ||
			    !strchr(" \t\n", symbol[length]))
				continue;
			missing -= !*wanted[i].address && address;
			*wanted[i].address = address;
		}
	}
	fclose(file);
	if (!visible)
		return error_set(error, -EPERM,
				 "the addresses of kernel symbols are hidden in %s: needs "
				 "CAP_SYSLOG (or kernel.kptr_restrict=0)",
				 kallsyms);
	return 0;
}
