/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/host_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void host_facts_put_uname(struct section_bytes *hostname, struct section_bytes *release,
			  struct section_bytes *arch)
{
	struct utsname system = {0};

	(void)uname(&system);
	section_put_string(hostname, system.nodename);
	section_put_string(release, system.release);
	section_put_string(arch, system.machine);
}

void host_facts_put_cpus(struct section_bytes *bytes)
{
	section_put_u32(bytes, (uint32_t)sysconf(_SC_NPROCESSORS_CONF));
	section_put_u32(bytes, (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
}

/* The value of the first "key : value" line of /proc/cpuinfo; false when there is none. */
static bool cpuinfo(const char *key, char *value, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[512];
	size_t length = strlen(key);
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');
		if (!colon || strncmp(line, key, length) != 0 ||
		    strspn(line + length, " \t") != (size_t)(colon - line) - length)
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(value, size, "%s", colon);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

void host_facts_put_cpu_description(struct section_bytes *bytes)
{
	char model[256];

	if (cpuinfo("model name", model, sizeof(model)))
		section_put_string(bytes, model);
}

void host_facts_put_cpuid(struct section_bytes *bytes)
{
	char vendor[64], family[16], model[16], stepping[16], all[128];

	if (!cpuinfo("vendor_id", vendor, sizeof(vendor)) ||
	    !cpuinfo("cpu family", family, sizeof(family)) ||
	    !cpuinfo("model", model, sizeof(model)) ||
	    !cpuinfo("stepping", stepping, sizeof(stepping)))
		return;
	snprintf(all, sizeof(all), "%s,%s,%s,%s", vendor, family, model, stepping);
	section_put_string(bytes, all);
}

void host_facts_put_memory(struct section_bytes *bytes)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);

	section_put_u64(bytes, pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}
