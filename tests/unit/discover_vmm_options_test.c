/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "discover/vmm_options.h"

/* Command lines are written with blanks for the zeros of /proc/PID/cmdline; '_' is a blank. */
static struct vmm_options_found parse(const char *text, const char *executable)
{
	struct vmm_options_found found;
	size_t length = strlen(text) + 1;
	char *line = strdup(text);

	for (size_t i = 0; i < length; i++)
		line[i] = line[i] == ' ' ? '\0' : line[i] == '_' ? ' ' : line[i];
	assert_int_equal(
		vmm_options_parse(&(struct command_line){line, length}, executable, &found), 0);
	free(line);
	return found;
}

static const struct {
	const char *line, *executable;
	const char *vmm, *name, *uuid;
} cases[] = {
	/* QEMU */
	{"qemu-system-x86_64 -name guest=web1,debug-threads=on -S", NULL, "qemu", "web1", NULL},
	{"qemu-system-x86_64 -name debug-threads=on,guest=web1", NULL, "qemu", "web1", NULL},
	{"qemu-system-x86_64 -name web1", NULL, "qemu", "web1", NULL},
	{"qemu-system-x86_64 -name web1,process=p,debug-threads=on", NULL, "qemu", "web1",
	 NULL},
	{"qemu-system-x86_64 --name web1", NULL, "qemu", "web1", NULL},
	{"qemu-system-x86_64 -name guest=a,,b,,,,c,process=x", NULL, "qemu", "a,b,,c", NULL},
	{"qemu-system-x86_64 -name a,,b,debug-threads=on", NULL, "qemu", "a,b", NULL},
	{"qemu-system-x86_64 -name guest=a_b=c", NULL, "qemu", "a b=c", NULL},
	{"qemu-system-x86_64 -name guest=", NULL, "qemu", NULL, NULL},
	{"qemu-system-x86_64 -name debug-threads=on", NULL, "qemu", NULL, NULL},
	{"qemu-system-x86_64 -name guest=a -name debug-threads=on", NULL, "qemu", "a", NULL},
	{"qemu-system-x86_64 -name guest=a -name guest=b", NULL, "qemu", "b", NULL},
	{"qemu-system-x86_64 -name", NULL, "qemu", NULL, NULL},
	{"qemu-system-x86_64 -name a -uuid 11-22", NULL, "qemu", "a", "11-22"},
	{"/usr/bin/kvm -id 100 -name s,debug-threads=on -smbios type=1,uuid=ab-cd -smp 1", NULL,
	 "qemu", "s", "ab-cd"},
	{"kvm -smbios type=2,uuid=no -smbios type=1,serial=,uuid=u", NULL, "qemu", NULL, "u"},
	{"/usr/libexec/qemu-kvm -name guest=default_vmi1,debug-threads=on", NULL, "qemu",
	 "default vmi1", NULL},
	{"anything -name n", "/usr/bin/qemu-system-aarch64_(deleted)", "qemu", "n", NULL},
	/* Firecracker */
	{"firecracker --id abc --start-time-us 1", "/firecracker", "firecracker", "abc", NULL},
	{"/usr/bin/firecracker --api-sock /x --id=abc", NULL, "firecracker", "abc", NULL},
	{"firecracker --api-sock /run/fc.socket", NULL, "firecracker", NULL, NULL},
	/* cloud-hypervisor */
	{"cloud-hypervisor --api-socket /run/ch/db.sock --cpus boot=2", NULL,
	 "cloud-hypervisor", "db", NULL},
	{"cloud-hypervisor --api-socket path=/run/db.sock --platform "
	 "num_pci_segments=1,uuid=u1",
	 NULL, "cloud-hypervisor", "db", "u1"},
	{"cloud-hypervisor --api-socket fd=3", NULL, "cloud-hypervisor", NULL, NULL},
	{"cloud-hypervisor --api-socket /run/vc/vm/6c1f/clh-api.sock", NULL, "cloud-hypervisor",
	 "sandbox-6c1f", NULL},
	/* others */
	{"crosvm run --name arc -s /run/crosvm.sock", NULL, "crosvm", "arc", NULL},
	{"crosvm run -s /run/vm7.sock /boot/kernel", NULL, "crosvm", "vm7", NULL},
	{"lkvm run -n virtio --name small -k bz", NULL, "kvmtool", "small", NULL},
	{"lkvm run -k bz", NULL, "kvmtool", NULL, NULL},
	{"/opt/kata/bin/containerd-shim-kata-v2 -namespace k8s.io -id 77aa", NULL, "dragonball",
	 "sandbox-77aa", NULL},
	{"my-vmm --name seven", "/opt/my-vmm", "", "seven", NULL},
	{"my-vmm -name seven -uuid 7", "/opt/my-vmm", "", NULL, NULL},
	/* QEMU by its options */
	{"vmm-9.2 -name guest=a -machine pc -uuid 1-2", "/opt/vmm-9.2", "qemu", "a", "1-2"},
	{"vmm-9.2 -accel kvm -name a", NULL, "qemu", "a", NULL},
	{"my-vmm --name seven --machine pc", "/opt/my-vmm", "", "seven", NULL},
};

static void assert_same(const char *line, const char *found, const char *expected)
{
	if (!found != !expected || (found && strcmp(found, expected)))
		fail_msg("%s: '%s' instead of '%s'", line, found ? found : "(null)",
			 expected ? expected : "(null)");
}

static void test_command_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmm_options_found found = parse(cases[i].line, cases[i].executable);

		assert_same(cases[i].line, found.vmm, cases[i].vmm);
		assert_same(cases[i].line, found.name, cases[i].name);
		assert_same(cases[i].line, found.uuid, cases[i].uuid);
		free(found.name);
		free(found.uuid);
	}
}

static void test_empty_and_unended(void **state)
{
	struct vmm_options_found found;
	/* the buffer ends with a 0 that does not count, as proc_read() gives it */
	static const char cut[] = "qemu-system-x86_64\0-name\0we";

	(void)state;
	assert_int_equal(vmm_options_parse(&(struct command_line){NULL, 0}, NULL, &found), 0);
	assert_null(found.name);
	assert_string_equal(found.vmm, "");
	assert_int_equal(
		vmm_options_parse(&(struct command_line){NULL, 0}, "/bin/crosvm", &found), 0);
	assert_string_equal(found.vmm, "crosvm");
	assert_int_equal(
		vmm_options_parse(&(struct command_line){cut, sizeof(cut) - 1}, NULL, &found),
		0);
	assert_string_equal(found.name, "we");
	free(found.name);
}

/* Every way to cut the lines above must be survived; the sanitizers watch. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t length = 0; length <= strlen(cases[i].line); length++) {
			char *text = strndup(cases[i].line, length);
			struct vmm_options_found found = parse(text, NULL);

			free(found.name);
			free(found.uuid);
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_empty_and_unended),
		cmocka_unit_test(test_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
