/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/vmm_names.h"

#include <string.h>

#include "discover/vm.h"

bool vmm_is_vcpu_name(const char *comm, bool vmm)
{
	int index;

	return thread_role_from_name(comm, false, &index) == THREAD_VCPU &&
	       (vmm || strncmp(comm, "vcpu", 4) != 0);
}

bool vmm_is_emulated_vcpu_name(const char *comm)
{
	size_t length = strlen(comm);

	return strncmp(comm, "CPU ", 4) == 0 && length > 4 &&
	       strcmp(comm + length - 4, "/TCG") == 0;
}

bool vmm_is_served_by(const char *comm)
{
	int index;
	enum thread_role role = thread_role_from_name(comm, false, &index);

	return role == THREAD_VHOST || role == THREAD_KVM;
}
