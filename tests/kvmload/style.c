/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "style.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct style_names {
	const char *name;
	const char *program; /* argv[0] */
	const char *comm;
	const char *vcpu;     /* printf format of the number; NULL: not named */
	const char *iothread; /* likewise */
};

static const struct style_names styles[STYLE_COUNT] = {
	[STYLE_QEMU] = {"qemu", "qemu-system-x86_64", "qemu-system-x86", "CPU %u/KVM",
			"IO iothread%u"},
	[STYLE_QEMU_NODEBUG] = {"qemu-nodebug", "qemu-system-x86_64", "qemu-system-x86", NULL,
				NULL},
	[STYLE_FIRECRACKER] = {"firecracker", "firecracker", "firecracker", "fc_vcpu %u",
			       "fc_io %u"},
	[STYLE_KVMTOOL] = {"kvmtool", "lkvm", "lkvm", "kvm-vcpu-%u", "virtio-net-tx"},
	[STYLE_CLOUD_HYPERVISOR] = {"cloud-hypervisor", "cloud-hypervisor", "cloud-hyperviso",
				    "vcpu%u", "_net%u_qp0"},
	[STYLE_PLAIN] = {"plain", "kvmload-vm", "kvmload-vm", NULL, NULL},
};

int style_parse(const char *text, enum style *style)
{
	for (int i = 0; i < STYLE_COUNT; i++) {
		if (strcmp(text, styles[i].name) == 0) {
			*style = (enum style)i;
			return 0;
		}
	}
	return -ENOENT;
}

bool style_has_uuid(enum style style)
{
	return style == STYLE_QEMU || style == STYLE_QEMU_NODEBUG;
}

const char *style_comm(enum style style)
{
	return styles[style].comm;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void format_name(const char *format, unsigned index, char name[16])
{
	if (format)
		snprintf(name, 16, format, index);
	else
		name[0] = '\0';
}
#pragma GCC diagnostic pop

void style_vcpu_name(enum style style, unsigned index, char name[16])
{
	format_name(styles[style].vcpu, index, name);
}

void style_iothread_name(enum style style, unsigned index, char name[16])
{
	format_name(styles[style].iothread, index, name);
}

__attribute__((format(printf, 2, 3))) static void add(struct command_line *line,
						      const char *format, ...)
{
	va_list arguments;
	char *text;

	if (line->count > STYLE_MAX_ARGUMENTS)
		return;
	if (line->count == STYLE_MAX_ARGUMENTS) {
		line->count++;
		return;
	}
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		line->count = STYLE_MAX_ARGUMENTS + 1;
	else
		line->argv[line->count++] = text;
	va_end(arguments);
}

/* QEMU's option syntax: a comma inside a value is doubled. */
static void double_commas(const char *text, char *out)
{
	do {
		if (*text == ',')
			*out++ = ',';
		*out++ = *text;
	} while (*text++);
}

static void add_qemu(const struct plan *plan, struct command_line *line)
{
	char name[2 * PLAN_NAME_SIZE];

	double_commas(plan->name, name);
	add(line, "-name");
	if (plan->style == STYLE_QEMU)
		add(line, "guest=%s,debug-threads=on", name);
	else
		add(line, "%s", name);
	add(line, "-uuid");
	add(line, "%s", plan->uuid);
	add(line, "-accel");
	add(line, "kvm");
	add(line, "-smp");
	add(line, "%u", plan->vcpus);
}

int style_command_line(const struct plan *plan, int fd, struct command_line *line)
{
	memset(line, 0, sizeof(*line));
	add(line, "%s", styles[plan->style].program);
	switch (plan->style) {
	case STYLE_QEMU:
	case STYLE_QEMU_NODEBUG: add_qemu(plan, line); break;
	case STYLE_FIRECRACKER:
		add(line, "--id");
		add(line, "%s", plan->name);
		break;
	case STYLE_KVMTOOL:
		add(line, "run");
		add(line, "--name");
		add(line, "%s", plan->name);
		add(line, "-c");
		add(line, "%u", plan->vcpus);
		break;
	case STYLE_CLOUD_HYPERVISOR:
		add(line, "--api-socket");
		add(line, "path=/run/%s.sock", plan->name);
		add(line, "--cpus");
		add(line, "boot=%u", plan->vcpus);
		break;
	case STYLE_PLAIN:
		add(line, "--name");
		add(line, "%s", plan->name);
		break;
	}
	add(line, "--kvmload-fd");
	add(line, "%d", fd);
	if (line->count > STYLE_MAX_ARGUMENTS) {
		command_line_free(line);
		return -ENOMEM;
	}
	return 0;
}

void command_line_free(struct command_line *line)
{
	for (unsigned i = 0; i < STYLE_MAX_ARGUMENTS; i++)
		free(line->argv[i]);
	memset(line, 0, sizeof(*line));
}
