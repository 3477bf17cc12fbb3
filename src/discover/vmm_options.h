/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_VMM_OPTIONS_H
#define KVMPERF_DISCOVER_VMM_OPTIONS_H

#include <stddef.h>

/* What the command line of a VMM tells: which VMM it is, and what the VM is called. */

/* A command line as in /proc/PID/cmdline: arguments, each ended with 0, in length bytes. */
struct command_line {
	const char *text;
	size_t length;
};

struct vmm_options_found {
	char vmm[24]; /* as in struct vm; empty when neither file nor arguments tell */
	char *name;   /* NULL when not given; owned by the caller */
	char *uuid;   /* NULL when not given; owned by the caller */
};

/*
 * Fills *out. executable is the target of /proc/PID/exe (NULL when unknown: the first argument
 * is asked). The names understood:
 * - QEMU: -name as QEMU's option parser reads it (util/keyval.c, qemu-option.c: 'guest=N' or a
 *   bare first value, ",," is a comma), -uuid, -smbios type=1,uuid=U (Proxmox). A program of an
 *   unknown name with QEMU's options (-name and one of -machine, -accel, -cpu) is QEMU, too.
 * - Firecracker: --id; cloud-hypervisor: the file of --api-socket (for Kata: its sandbox),
 *   --platform uuid=U; crosvm: --name, else the file of --socket; others: --name
 * Returns 0 or -ENOMEM.
 */
int vmm_options_parse(const struct command_line *line, const char *executable,
		      struct vmm_options_found *out);

/* The VMM (as in struct vm) whose program this is, or NULL; path may be a bare name. */
const char *vmm_of_executable(const char *path);

#endif
