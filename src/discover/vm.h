/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_DISCOVER_VM_H
#define KVMPERF_DISCOVER_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a thread of a VM does. The names in the output are those of the output contract. */
enum thread_role {
	THREAD_VCPU,	 /* runs KVM_RUN on a vCPU */
	THREAD_IOTHREAD, /* a VMM thread for device I/O (QEMU iothread, worker) */
	THREAD_VMM,	 /* the VMM's main thread */
	THREAD_VHOST,	 /* a vhost worker: a kernel thread, or a thread of the VMM since 6.4 */
	THREAD_KVM, /* a kernel thread that KVM made for the VM: kvm-pit, kvm-nx-lpage-recovery
		     */
	THREAD_OTHER,
};
#define THREAD_ROLE_COUNT (THREAD_OTHER + 1)

/* The role's name in output: vcpu, iothread, vmm, vhost, kvm, other. */
const char *thread_role_name(enum thread_role role);

struct vm_thread {
	pid_t tid;
	pid_t tgid; /* the VM's pid, or the kernel thread's own tid */
	enum thread_role role;
	int index;     /* vCPU index as KVM numbers it; -1 when not a vCPU or unknown */
	char name[16]; /* comm, as /proc/TID/comm shows it, cut to 15 bytes and made printable
			*/
};

/* A network interface of the host whose other end is a NIC of the guest. */
struct vm_tap {
	char name[16];	  /* IFNAMSIZ */
	unsigned ifindex; /* in the VMM's network namespace; 0 when unknown */
};

/* Exits of one vCPU that is open, cumulative. */
struct vm_vcpu {
	uint64_t kvm; /* with index, tells the vCPU from every other */
	int index;
	pid_t tid;  /* the thread that runs it; 0 when unknown */
	bool known; /* the three below; else 0 */
	uint64_t exits;
	uint64_t user_exits; /* of these, with a return to user space, since discovery began */
	uint64_t interrupt_exits; /* of these, forced by an interrupt of the host */
};

/*
 * One KVM virtual machine. Strings are owned by the struct, and printable: valid UTF-8 without
 * control characters (see base/printable.h), so that every output may show
 * them as they are.
 *
 * A process that made several struct kvm (a VMM that probes the host with a scratch VM, a test)
 * is one VM here: its VMM threads could not be divided between them.
 */
struct vm {
	pid_t pid;	     /* the VMM process (thread group) */
	uint64_t start_time; /* of pid, in clock ticks since boot: /proc/PID/stat field 22 */
	char *name;	     /* never NULL: the VMM's name for it, else "vm-<pid>" */
	char *id;	     /* never NULL: uuid, else the VMM's name, else the pid */
	char *uuid;	     /* NULL when not given */
	char *display_name; /* what a cloud shows its users (nova:name); NULL when there is none
			     */
	char *cgroup;	    /* path in the (unified or cpu) hierarchy; NULL when unknown */
	char vmm[24];	    /* qemu, firecracker, cloud-hypervisor, crosvm, kvmtool, or comm */
	unsigned vcpus;	    /* vCPUs created */
	struct vm_thread *threads; /* ordered by role, then index, then tid */
	size_t thread_count;
	struct vm_tap *taps; /* ordered by name; a multiqueue tap stands once */
	size_t tap_count;
	bool kvm_stats_known; /* the two below come from struct kvm_vcpu */
	uint64_t exits; /* cumulative VM exits, all vCPUs; never falls while the VM lives */
	uint64_t halt_poll_ns;	  /* cumulative halt polling, successful and not, all vCPUs */
	struct vm_vcpu *counters; /* one for each vCPU that is open; with BPF only */
	size_t counter_count;
	bool gone; /* was there at the last scan and has ended since */
};

struct vm_list {
	struct vm *vms; /* ordered by name, then pid */
	size_t count;
};

/* Frees what the list owns and empties it. */
void vm_list_clear(struct vm_list *list);

/* Frees what the VM owns and empties it. */
void vm_clear(struct vm *vm);

/*
 * Does a --vm option's argument mean this VM? It does when it equals the name, the id, the uuid
 * (in any case), the display name or the pid.
 */
bool vm_matches(const struct vm *vm, const char *selector);

/* Is the VM among those that count --vm options ask for? All are when there is none. */
bool vm_is_selected(const struct vm *vm, const char *const *selectors, size_t count);

/*
 * The role (and for vCPUs the index, through *index, else -1) that a thread's name tells:
 * 'CPU 3/KVM', 'fc_vcpu 3', 'vcpu3', 'crosvm_vcpu3', 'kvm-vcpu-3'; 'IO iothread0', 'worker',
 * 'vnc_worker', ...; 'vhost-1234'; 'kvm-pit/1234', 'kvm-nx-lpage-re...'. A hint, not a proof.
 * is_main: tid == tgid.
 */
enum thread_role thread_role_from_name(const char *name, bool is_main, int *index);

/*
 * The thread or process that a kernel thread of this name works for: 'vhost-1234',
 * 'kvm-pit/1234'; 0 when the name doesn't tell. A hint, not a proof.
 */
pid_t thread_master_from_name(const char *name);

/*
 * Adds the thread to the VM unless it is there; the role comes from the name. Keeps the order.
 * Returns the thread (valid until the next change of the VM), or NULL without memory.
 */
struct vm_thread *vm_add_thread(struct vm *vm, pid_t tid, pid_t tgid, const char *name);

/* The thread with this tid, or NULL. */
struct vm_thread *vm_find_thread(const struct vm *vm, pid_t tid);

/* Restores the order of threads after a role or an index was changed. */
void vm_sort_threads(struct vm *vm);

#endif
