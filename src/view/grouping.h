/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_VIEW_GROUPING_H
#define KVMPERF_VIEW_GROUPING_H

/* What one row of a table or CSV stands for. In every grouping the rows sum to the capacity. */
enum view_grouping {
	VIEW_BY_VM,
	VIEW_BY_THREAD,
	VIEW_BY_MODULE, /* of each VM: guest by privilege, VMM by shared object, kernel by
			   module */
	VIEW_BY_EXIT,	/* of each VM: guest, and host time by the reason of the VM exit */
	VIEW_BY_SYMBOL, /* by function: view/symbol_view.h; elsewhere as by module */
	VIEW_BY_VM_WITH_ERRORS, /* as VIEW_BY_VM, with the 95 % half width of each estimate */
};

#endif
