/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/kernel_map.h"

/*
 * For tests/live/symbols_test.sh: names kernel samples, lines of "PID ADDRESS SYMBOL" as 'perf
 * script' prints them. Idle tasks (pid 0) are left out, since they would flatter the result.
 * Fails when fewer than 98 % have a name or one of the functions below has the wrong one.
 */
static const struct {
	const char *symbol;
	const char *subsystem;
} homes[] = {
	/* where Linux 6.12 and 6.18 define them */
	{"do_syscall_64", "entry"},	  /* arch/x86/entry/syscall_64.c */
	{"entry_SYSCALL_64", "entry"},	  /* arch/x86/entry/entry_64.S */
	{"exc_page_fault", "mm"},	  /* arch/x86/mm/fault.c */
	{"handle_mm_fault", "mm"},	  /* mm/memory.c */
	{"__handle_mm_fault", "mm"},	  /* mm/memory.c */
	{"get_page_from_freelist", "mm"}, /* mm/page_alloc.c */
	{"kmem_cache_free", "mm"},	  /* mm/slub.c */
	{"kfree", "mm"},		  /* mm/slub.c */
	{"next_uptodate_folio", "mm"},	  /* mm/filemap.c */
	{"_raw_spin_lock", "locking"},	  /* kernel/locking/spinlock.c */
	{"_raw_spin_unlock_irqrestore", "locking"},
	{"mutex_lock", "locking"},		  /* kernel/locking/mutex.c */
	{"__schedule", "sched"},		  /* kernel/sched/core.c */
	{"try_to_wake_up", "sched"},		  /* kernel/sched/core.c */
	{"finish_task_switch.isra.0", "sched"},	  /* kernel/sched/core.c */
	{"dequeue_entities", "sched"},		  /* kernel/sched/fair.c */
	{"handle_softirqs", "irq"},		  /* kernel/softirq.c */
	{"__rcu_read_lock", "rcu"},		  /* kernel/rcu/tree_plugin.h */
	{"hrtimer_interrupt", "time"},		  /* kernel/time/hrtimer.c */
	{"copy_process", "kernel"},		  /* kernel/fork.c */
	{"futex_wake", "futex"},		  /* kernel/futex/waitwake.c */
	{"vfs_read", "fs"},			  /* fs/read_write.c */
	{"vfs_write", "fs"},			  /* fs/read_write.c */
	{"anon_pipe_write", "fs"},		  /* fs/pipe.c */
	{"anon_pipe_read", "fs"},		  /* fs/pipe.c */
	{"__d_lookup_rcu", "fs"},		  /* fs/dcache.c */
	{"fput", "fs"},				  /* fs/file_table.c */
	{"_copy_to_iter", "lib"},		  /* lib/iov_iter.c */
	{"_copy_from_user", "lib"},		  /* lib/usercopy.c */
	{"clear_page_erms", "lib"},		  /* arch/x86/lib/clear_page_64.S */
	{"chacha_permute", "crypto"},		  /* lib/crypto/chacha-block-generic.c */
	{"udp_sendmsg", "net"},			  /* net/ipv4/udp.c */
	{"__dev_queue_xmit", "net"},		  /* net/core/dev.c */
	{"net_rx_action", "net"},		  /* net/core/dev.c */
	{"ip_finish_output2", "net"},		  /* net/ipv4/ip_output.c */
	{"__icmp_send", "net"},			  /* net/ipv4/icmp.c */
	{"security_file_permission", "security"}, /* security/security.c */
	{"ext4_htree_store_dirent", "ext4"},	  /* fs/ext4/dir.c */
	{"kvm_vcpu_ioctl", "kvm"},		  /* virt/kvm/kvm_main.c */
	{"kvm_arch_vcpu_ioctl_run", "kvm"},	  /* arch/x86/kvm/x86.c */
	{"vcpu_enter_guest", "kvm"},		  /* arch/x86/kvm/x86.c */
	{"x86_emulate_instruction", "kvm"},	  /* arch/x86/kvm/x86.c */
	{"svm_vcpu_run", "kvm_amd"},		  /* arch/x86/kvm/svm/svm.c */
	{"vmx_vcpu_run", "kvm_intel"},		  /* arch/x86/kvm/vmx/vmx.c */
};

struct unnamed {
	char symbol[128];
	size_t samples;
};

struct tally {
	size_t samples;
	size_t methods[KERNEL_MAP_METHOD_COUNT];
	size_t checked;
	size_t wrong;
	struct unnamed *unnamed;
	size_t unnamed_count, unnamed_room;
};

static int note_unnamed(struct tally *tally, const char *symbol)
{
	size_t i = 0;

	while (i < tally->unnamed_count && strcmp(tally->unnamed[i].symbol, symbol) != 0)
		i++;
	if (i == tally->unnamed_count) {
		if (array_reserve(&tally->unnamed, &tally->unnamed_room, i + 1,
				  sizeof(*tally->unnamed)))
			return -1;
		snprintf(tally->unnamed[i].symbol, sizeof(tally->unnamed[i].symbol), "%s",
			 symbol);
		tally->unnamed_count++;
	}
	tally->unnamed[i].samples++;
	return 0;
}

static void check_home(struct tally *tally, const char *symbol, const char *subsystem)
{
	for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++) {
		if (strcmp(homes[i].symbol, symbol) != 0)
			continue;
		tally->checked++;
		if (strcmp(homes[i].subsystem, subsystem) == 0)
			continue;
		tally->wrong++;
		printf("%s: %s, not %s\n", symbol, homes[i].subsystem, subsystem);
	}
}

static int tally_samples(struct tally *tally, const struct kernel_map *map)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin)) {
		char symbol[128];
		uint64_t address;
		int pid;
		if (sscanf(line, "%d %" SCNx64 " %127s", &pid, &address, symbol) != 3 ||
		    pid == 0 || address >> 63 == 0)
			continue;
		enum kernel_map_method method;
		const char *name =
			kernel_map_name(map, kernel_map_lookup(map, address, &method));
		tally->samples++;
		tally->methods[method]++;
		check_home(tally, symbol, name);
		if (method == KERNEL_MAP_CORE && note_unnamed(tally, symbol))
			return -1;
	}
	return 0;
}

static int compare_unnamed(const void *left, const void *right)
{
	const struct unnamed *a = left, *b = right;

	return (a->samples < b->samples) - (a->samples > b->samples);
}

int main(void)
{
	struct tally tally = {0};
	struct kernel_map *map;
	struct error error = {0};

	if (kernel_map_load(&map, NULL, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	if (tally_samples(&tally, map) || tally.samples < 200) {
		fprintf(stderr, "%zu kernel samples are too few\n", tally.samples);
		return 1;
	}
	double named = 1 - (double)tally.methods[KERNEL_MAP_CORE] / (double)tally.samples;
	printf("INFO: %.2f %% of %zu kernel samples named, %zu checked by function\n",
	       100 * named, tally.samples, tally.checked);
	for (int i = 0; i < KERNEL_MAP_METHOD_COUNT; i++)
		printf("%8s %6.2f %%\n", kernel_map_method_name((enum kernel_map_method)i),
		       100 * (double)tally.methods[i] / (double)tally.samples);
	if (tally.unnamed_count)
		qsort(tally.unnamed, tally.unnamed_count, sizeof(*tally.unnamed),
		      compare_unnamed);
	for (size_t i = 0; i < tally.unnamed_count && i < 20; i++)
		printf("unnamed: %zu %s\n", tally.unnamed[i].samples, tally.unnamed[i].symbol);
	free(tally.unnamed);
	kernel_map_free(map);
	return named < 0.98 || tally.wrong || !tally.checked;
}
