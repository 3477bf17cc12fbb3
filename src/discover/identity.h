/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_IDENTITY_H
#define KVMPERF_DISCOVER_IDENTITY_H

#include "base/error.h"
#include "discover/vm.h"

/*
 * Fills vmm, name, id, uuid, display_name and cgroup of a VM whose pid is set, from PROC_ROOT/
 * <pid>. What can't be read (the process has ended, exe is not ours to see) stays at its
 * fallback: name "vm-<pid>", vmm from the arguments or comm. Returns 0 or -ENOMEM.
 */
int identity_read(const char *proc_root, struct vm *vm, struct error *error);

/*
 * The VM's path in the text of a /proc/PID/cgroup file: in the hierarchy of the cpu controller
 * where it is apart (cgroup v1), else in the unified one; without the leaves that libvirt makes
 * for the threads of a VM (/libvirt/emulator, /emulator, ...). *path is owned by the caller,
 * NULL when there is none. Returns 0 or -ENOMEM.
 */
int identity_cgroup_path(const char *text, char **path);

/*
 * The text of the element nova:name in libvirt's run-time XML, with entities decoded; owned by
 * the caller. *name stays NULL when there is none. Returns 0 or -ENOMEM.
 */
int identity_nova_name(const char *xml, char **name);

#endif
