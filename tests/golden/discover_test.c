/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Discovery in recorded /proc trees: tests/golden/proc/CASE/proc, expected in CASE/vms.txt. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "discover/discover.h"

#define TREES "tests/golden/proc"

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* All that discovery tells, as text; the caller frees it. */
static char *describe(const struct vm_list *list)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (size_t i = 0; i < list->count; i++) {
		const struct vm *vm = &list->vms[i];

		fprintf(out, "vm %s%s\n", vm->name, vm->gone ? " (gone)" : "");
		fprintf(out, "\tpid %d start %llu vmm %s vcpus %u stats %s\n", vm->pid,
			(unsigned long long)vm->start_time, vm->vmm, vm->vcpus,
			vm->kvm_stats_known ? "known" : "unknown");
		fprintf(out, "\tid %s uuid %s shown %s\n", vm->id, or_dash(vm->uuid),
			or_dash(vm->display_name));
		fprintf(out, "\tcgroup %s\n", or_dash(vm->cgroup));
		for (size_t n = 0; n < vm->tap_count; n++)
			fprintf(out, "\ttap '%s' ifindex %u\n", vm->taps[n].name,
				vm->taps[n].ifindex);
		for (size_t n = 0; n < vm->thread_count; n++) {
			const struct vm_thread *thread = &vm->threads[n];

			fprintf(out, "\tthread %d of %d %s %d '%s'\n", thread->tid,
				thread->tgid, thread_role_name(thread->role), thread->index,
				thread->name);
		}
	}
	fclose(out);
	return text;
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return strdup("");
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static struct discoverer *discover(const char *root)
{
	struct discover_options options = {.source = DISCOVER_AUTO, .proc_root = root};
	struct discoverer *discoverer;
	struct error error = {0};

	if (discoverer_new(&discoverer, &options, &error))
		fail_msg("%s: %s", root, error.message);
	assert_int_equal(discoverer_source(discoverer), DISCOVER_PROC);
	assert_string_equal(discoverer_note(discoverer), "");
	return discoverer;
}

static void scan(struct discoverer *discoverer, bool relist)
{
	struct error error = {0};

	if (discoverer_scan(discoverer, relist, &error))
		fail_msg("%s", error.message);
}

/* With KVMPERF_GOLDEN_WRITE set, writes what it finds for a person to review. */
static void test_tree(void **state)
{
	const char *name = *state;
	char root[300], path[300], *expected, *first, *again;
	struct discoverer *discoverer;

	snprintf(root, sizeof(root), TREES "/%s/proc", name);
	snprintf(path, sizeof(path), TREES "/%s/vms.txt", name);
	discoverer = discover(root);
	scan(discoverer, false);
	first = describe(discoverer_vms(discoverer));
	if (getenv("KVMPERF_GOLDEN_WRITE")) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fputs(first, file);
		fclose(file);
	}
	expected = read_text(path);
	assert_string_equal(first, expected);

	/* nothing changed: neither with nor without listing the threads again */
	scan(discoverer, false);
	again = describe(discoverer_vms(discoverer));
	assert_string_equal(again, expected);
	free(again);
	scan(discoverer, true);
	again = describe(discoverer_vms(discoverer));
	assert_string_equal(again, expected);
	free(again);
	free(first);
	free(expected);
	discoverer_free(discoverer);
}

/* A copy of a tree that a test may change; *state is the case, then the copy's folder. */
static char copy[] = "/tmp/kvmperf-tree-XXXXXX";

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char command[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	assert_int_equal(system(command), 0);
}

static int copy_tree(void **state)
{
	strcpy(copy, "/tmp/kvmperf-tree-XXXXXX");
	assert_non_null(mkdtemp(copy));
	shell("cp -a " TREES "/%s/proc/. %s", (const char *)*state, copy);
	return 0;
}

static int remove_copy(void **state)
{
	(void)state;
	shell("chmod -R u+rwX %s; rm -r %s", copy, copy);
	return 0;
}

static const struct vm *find_vm(struct discoverer *discoverer, const char *name)
{
	const struct vm_list *list = discoverer_vms(discoverer);

	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->vms[i].name, name))
			return &list->vms[i];
	return NULL;
}

static void test_vm_ends(void **state)
{
	struct discoverer *discoverer = discover(copy);

	(void)state;
	scan(discoverer, false);
	assert_int_equal(discoverer_vms(discoverer)->count, 2);
	shell("rm -r %s/2001", copy);
	scan(discoverer, false);
	assert_int_equal(discoverer_vms(discoverer)->count, 2);
	assert_true(find_vm(discoverer, "web1")->gone);
	assert_int_equal(find_vm(discoverer, "web1")->vcpus, 2); /* the last that was known */
	assert_false(find_vm(discoverer, "db,2")->gone);
	scan(discoverer, true);
	assert_int_equal(discoverer_vms(discoverer)->count, 2);
	discoverer_drop_gone(discoverer);
	assert_int_equal(discoverer_vms(discoverer)->count, 1);
	assert_null(find_vm(discoverer, "web1"));
	shell("rm -r %s/[0-9]*", copy);
	scan(discoverer, true);
	discoverer_drop_gone(discoverer);
	assert_int_equal(discoverer_vms(discoverer)->count, 0);
	discoverer_free(discoverer);
}

static void test_pid_is_used_again(void **state)
{
	struct discoverer *discoverer = discover(copy);
	const struct vm_list *list = discoverer_vms(discoverer);

	(void)state;
	scan(discoverer, false);
	shell("sed -i 's/ 200100 / 200177 /' %s/2001/stat; "
	      "printf 'qemu-system-x86_64\\0-name\\0next\\0' >%s/2001/cmdline",
	      copy, copy);
	scan(discoverer, false);
	assert_int_equal(list->count, 3);
	assert_true(find_vm(discoverer, "web1")->gone);
	assert_int_equal(find_vm(discoverer, "web1")->start_time, 200100);
	assert_false(find_vm(discoverer, "next")->gone);
	assert_int_equal(find_vm(discoverer, "next")->start_time, 200177);
	assert_int_equal(find_vm(discoverer, "next")->pid, 2001);
	discoverer_drop_gone(discoverer);
	assert_int_equal(list->count, 2);
	scan(discoverer, true);
	assert_int_equal(list->count, 2);
	assert_false(find_vm(discoverer, "next")->gone);
	discoverer_free(discoverer);
}

static void test_hotplug(void **state)
{
	struct discoverer *discoverer = discover(copy);
	const struct vm *vm;

	(void)state;
	scan(discoverer, false);
	shell("cd %s/2101 && ln -s anon_inode:kvm-vcpu:1 fd/40 && mkdir task/2140 && "
	      "printf 'CPU 1/KVM\\n' >task/2140/comm && rm fd/20",
	      copy);
	scan(discoverer, false);
	vm = find_vm(discoverer, "db,2");
	assert_int_equal(vm->vcpus, 2);
	assert_int_equal(vm->tap_count, 0);
	assert_int_equal(vm_find_thread(vm, 2140)->role, THREAD_VCPU);
	assert_int_equal(vm_find_thread(vm, 2140)->index, 1);

	/* a new thread is seen when threads are listed, not before; one that ended likewise */
	shell("cd %s/2101/task && mkdir 2150 && echo worker >2150/comm && rm -r 2105", copy);
	scan(discoverer, false);
	vm = find_vm(discoverer, "db,2");
	assert_null(vm_find_thread(vm, 2150));
	assert_non_null(vm_find_thread(vm, 2105));
	scan(discoverer, true);
	vm = find_vm(discoverer, "db,2");
	assert_int_equal(vm_find_thread(vm, 2150)->role, THREAD_IOTHREAD);
	assert_null(vm_find_thread(vm, 2105));
	discoverer_free(discoverer);
}

/* A vCPU thread that was idle at the first scan shows itself later, without listing threads. */
static void test_vcpu_thread_shows_later(void **state)
{
	struct discoverer *discoverer = discover(copy);
	const struct vm *vm;

	(void)state;
	scan(discoverer, false);
	vm = find_vm(discoverer, "paused");
	assert_int_equal(vm_find_thread(vm, 4206)->role, THREAD_OTHER);
	shell("echo '16 0xb 0xae80 0x0 0x0' >%s/4201/task/4206/syscall", copy);
	scan(discoverer, false);
	vm = find_vm(discoverer, "paused");
	assert_int_equal(vm_find_thread(vm, 4206)->role, THREAD_VCPU);
	assert_int_equal(vm_find_thread(vm, 4206)->index, 0);
	/* and it stays proven */
	shell("echo running >%s/4201/task/4206/syscall", copy);
	scan(discoverer, true);
	vm = find_vm(discoverer, "paused");
	assert_int_equal(vm_find_thread(vm, 4206)->index, 0);
	discoverer_free(discoverer);
}

/* Every file of a tree may be cut, or vanish, under the reader. */
static void test_files_cut_and_missing(void **state)
{
	struct discover_options options = {.source = DISCOVER_PROC, .proc_root = copy};
	char command[200], path[400];
	FILE *files;

	(void)state;
	snprintf(command, sizeof(command), "find %s/2001 %s/2007 -type f -o -type l", copy,
		 copy);
	files = popen(command, "r");
	assert_non_null(files);
	while (fgets(path, sizeof(path), files)) {
		struct discoverer *discoverer;

		path[strcspn(path, "\n")] = '\0';
		if (unlink(path))
			continue;
		assert_int_equal(discoverer_new(&discoverer, &options, NULL), 0);
		assert_int_equal(discoverer_scan(discoverer, true, NULL), 0);
		assert_non_null(find_vm(discoverer, "db,2")); /* the other one is whole */
		discoverer_free(discoverer);
	}
	pclose(files);
}

static void test_no_privilege(void **state)
{
	struct discover_options options = {.source = DISCOVER_AUTO, .proc_root = copy};
	int status;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: needs root to become another user\n");
		skip();
	}
	shell("chmod 755 %s; chmod 0 %s/*/fd", copy, copy);
	if (!fork()) {
		struct discoverer *discoverer;
		struct error error = {0};

		if (setuid(65534))
			_exit(2);
		_exit(discoverer_new(&discoverer, &options, &error) == -EPERM &&
				      strstr(error.message, "CAP_SYS_PTRACE")
			      ? 0
			      : 1);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
}

static void test_options(void **state)
{
	struct discover_options bpf_elsewhere = {DISCOVER_BPF, TREES "/nova/proc", false};
	struct discover_options nowhere = {DISCOVER_PROC, TREES "/nonexistent", false};
	struct discoverer *discoverer;
	struct error error = {0};

	(void)state;
	assert_int_equal(discoverer_new(&discoverer, &bpf_elsewhere, &error), -EOPNOTSUPP);
	assert_int_equal(discoverer_new(&discoverer, &nowhere, &error), -ENOENT);
	assert_non_null(strstr(error.message, "nonexistent"));
}

#define TREE(name)                                                                             \
	{                                                                                      \
		name, test_tree, NULL, NULL, name                                              \
	}
#define ON_COPY(test, name)                                                                    \
	{                                                                                      \
#test, test, copy_tree, remove_copy, name                                      \
	}

int main(void)
{
	static char libvirt[] = "libvirt-5.15", same_names[] = "qemu-same-names";
	static char trees[][24] = {"libvirt-5.15",
				   "qemu-6.18",
				   "qemu-same-names",
				   "firecracker",
				   "cloud-hypervisor",
				   "crosvm",
				   "kvmtool",
				   "kata",
				   "proxmox",
				   "opennebula",
				   "nova",
				   "malformed",
				   "recorded-6.18"};
	const struct CMUnitTest tests[] = {
		TREE(trees[0]),
		TREE(trees[1]),
		TREE(trees[2]),
		TREE(trees[3]),
		TREE(trees[4]),
		TREE(trees[5]),
		TREE(trees[6]),
		TREE(trees[7]),
		TREE(trees[8]),
		TREE(trees[9]),
		TREE(trees[10]),
		TREE(trees[11]),
		TREE(trees[12]),
		ON_COPY(test_vm_ends, libvirt),
		ON_COPY(test_pid_is_used_again, libvirt),
		ON_COPY(test_hotplug, libvirt),
		ON_COPY(test_vcpu_thread_shows_later, same_names),
		ON_COPY(test_files_cut_and_missing, libvirt),
		ON_COPY(test_no_privilege, libvirt),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
