/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/same_boot.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/utsname.h>

#include "perf_data/bytes.h"
#include "perf_data/perf_data.h"
#include "symbols/kallsyms.h"
#include "symbols/proc_modules.h"

/* perf writes the kernel's mappings before anything else. */
#define RECORDS_LOOKED_AT 2000

struct text {
	uint64_t address;
};

static int find_text(void *data, const struct kallsyms_symbol *symbol)
{
	struct text *text = data;

	if (symbol->name_length != 5 || memcmp(symbol->name, "_text", 5) != 0)
		return 0;
	text->address = symbol->address;
	return 1;
}

/* Does a module of this name, as a path has it, stand at the address now? */
static bool is_loaded_at(const struct proc_modules *modules, const char *path, uint64_t address)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path + 1;
	size_t length = strcspn(name, ".]");

	for (size_t i = 0; i < modules->count; i++) {
		const char *known = modules->items[i].name;
		size_t j = 0;
		while (j < length && known[j] &&
		       (known[j] == name[j] || (known[j] == '_' && name[j] == '-')))
			j++;
		if (j == length && !known[j])
			return modules->items[i].base == address;
	}
	return false;
}

/* 1: as it is now; 0: no mapping of the kernel; -1: it stands elsewhere. */
static int compare_mapping(const uint8_t *record, size_t size, uint64_t text,
			   const struct proc_modules *modules)
{
	char path[512];

	if (get32(record) != PERF_RECORD_MMAP || size <= 40 ||
	    (get16(record + 4) & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_KERNEL)
		return 0;
	size_t length = strnlen((const char *)record + 40, size - 40);
	if (length < 2 || length >= sizeof(path))
		return 0;
	memcpy(path, record + 40, length);
	path[length] = '\0';
	if (strcmp(path, "[kernel.kallsyms]_text") == 0)
		return get64(record + 16) == text ? 1 : -1;
	if (strncmp(path, "[kernel", 7) == 0)
		return 0;
	return is_loaded_at(modules, path, get64(record + 16)) ? 1 : -1;
}

bool same_boot(const char *path, const struct perf_data_features *features)
{
	struct proc_modules modules = {0};
	struct text text = {0};
	struct utsname name;
	struct perf_data *data;
	const uint8_t *record;
	int same = 0;

	if (uname(&name) || strcmp(name.release, features->release) != 0 ||
	    strcmp(name.nodename, features->hostname) != 0)
		return false;
	if (kallsyms_read("/proc/kallsyms", find_text, &text, NULL) != 1 || !text.address ||
	    proc_modules_read(&modules, "/proc/modules", NULL))
		return false;
	if (perf_data_open(&data, path, NULL) == 0) {
		for (int i = 0; same >= 0 && i < RECORDS_LOOKED_AT &&
				perf_data_next(data, &record, NULL) == 1;
		     i++) {
			int found = compare_mapping(record, get16(record + 6), text.address,
						    &modules);
			same = found < 0 ? found : same | found;
		}
		perf_data_close(data);
	}
	proc_modules_clear(&modules);
	return same > 0;
}
