/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"list", command_list, "the virtual machines of this host and their threads"},
	{"stat", command_stat,
	 "who used the CPUs, per VM: guest, VMM, kernel by module, shared"},
	{"record", command_record, "samples of all CPUs in a file for kvmperf report and perf"},
	{"calibrate", command_calibrate,
	 "what a VM exit costs with interrupts off on this host"},
	{"report", command_report, "the same of a recording of perf, or of any profiler"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *stream)
{
	fputs("usage: kvmperf COMMAND [OPTIONS]\n\n"
	      "Tells where every CPU nanosecond of a KVM host went, and which virtual machine\n"
	      "pays for it.\n\n",
	      stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n'kvmperf COMMAND --help' lists a command's options; see also kvmperf(8).\n",
	      stream);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	/*
	 * Once set it stays (mallopt(3)): large buffers (BTF, symbols) always go back to the
	 * kernel when they are freed, and none is left in the heap below something small.
	 */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	if (!name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    strcmp(name, "help") == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		puts("kvmperf " KVMPERF_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "kvmperf: unknown command '%s' (see kvmperf --help)\n", name);
	return EXIT_USAGE;
}
