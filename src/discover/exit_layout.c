/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/exit_layout.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "discover/kvm_layout.h"

/* The type behind names, const and the like. */
static const struct btf_type *plain_type(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

static bool is_vcpu_pointer(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = plain_type(btf, id);

	if (!type || !btf_is_ptr(type))
		return false;
	type = plain_type(btf, type->type);
	return type && (btf_is_struct(type) || btf_is_fwd(type)) &&
	       strcmp(btf__name_by_offset(btf, type->name_off), "kvm_vcpu") == 0;
}

int exit_layout_arguments(struct exact_exit_layout *layout, const struct btf *btf)
{
	memset(layout, 0xff, sizeof(*layout));
	int id = btf__find_by_name_kind(btf, "btf_trace_kvm_exit", BTF_KIND_TYPEDEF);
	if (id < 0)
		return -ENOENT;
	const struct btf_type *type = plain_type(btf, (__u32)id);
	if (type && btf_is_ptr(type))
		type = plain_type(btf, type->type);
	if (!type || !btf_is_func_proto(type))
		return -EOPNOTSUPP;
	/* The first is the tracepoint's own; the arguments of the event follow. */
	const struct btf_param *parameters = btf_params(type);
	__s32 count = btf_vlen(type);
	for (__s32 i = 1; i < count; i++) {
		if (!is_vcpu_pointer(btf, parameters[i].type))
			continue;
		layout->vcpu_argument = i - 1;
		layout->reason_argument = i > 1 ? 0 : -1;
		layout->isa_argument = i + 1 < count ? i : -1;
		return 0;
	}
	return -EOPNOTSUPP;
}

/* The offset of a member from that of the struct kvm_vcpu that stands in the same type. */
static __s32 member_from_vcpu(const struct btf *btf, const char *type, const char *path)
{
	__s32 vcpu = kvm_layout_member(btf, type, "vcpu");
	__s32 member = kvm_layout_member(btf, type, path);

	return vcpu >= 0 && member >= 0 ? member - vcpu : -1;
}

static void read_svm(struct exact_exit_layout *layout, const struct btf *btf)
{
	layout->svm_vmcb = member_from_vcpu(btf, "vcpu_svm", "vmcb");
	layout->vmcb_exit_code = kvm_layout_member(btf, "vmcb", "control.exit_code");
	if (layout->vmcb_exit_code < 0)
		layout->svm_vmcb = -1;
}

static void read_vmx(struct exact_exit_layout *layout, const struct btf *btf)
{
	layout->vmx_exit_reason = member_from_vcpu(btf, "vcpu_vmx", "exit_reason");
	/* A part of its own since 2025, for TDX. */
	if (layout->vmx_exit_reason < 0)
		layout->vmx_exit_reason = member_from_vcpu(btf, "vcpu_vmx", "vt.exit_reason");
}

int exit_layout_read(struct exact_exit_layout *layout, struct error *error)
{
	struct btf *kernel = btf__parse("/sys/kernel/btf/vmlinux", NULL);

	if (!kernel)
		return error_set(
			error, -EOPNOTSUPP,
			"the kernel has no BTF (/sys/kernel/btf/vmlinux: %m); it needs "
			"CONFIG_DEBUG_INFO_BTF");
	/* NULL where the module is built in or absent. */
	struct btf *kvm = btf__parse_split("/sys/kernel/btf/kvm", kernel);
	int code = exit_layout_arguments(layout, kvm ? kvm : kernel);
	btf__free(kvm);
	if (code) {
		btf__free(kernel);
		return error_set(error, -EOPNOTSUPP,
				 code == -ENOENT ? "there is no tracepoint kvm_exit in the "
						   "kernel's BTF (is kvm loaded?)"
						 : "the tracepoint kvm_exit has arguments that "
						   "are not known here");
	}
	struct btf *amd = btf__parse_split("/sys/kernel/btf/kvm_amd", kernel);
	struct btf *intel = btf__parse_split("/sys/kernel/btf/kvm_intel", kernel);
	read_svm(layout, amd ? amd : kernel);
	read_vmx(layout, intel ? intel : kernel);
	btf__free(amd);
	btf__free(intel);
	btf__free(kernel);
	return 0;
}
