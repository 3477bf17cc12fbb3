/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate/calibration.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int calibration_identify(struct calibration *calibration, struct error *error)
{
	static const char *const vendors[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	FILE *file = fopen(path, "re");

	if (!file || fscanf(file, "%39s", calibration->boot_id) != 1) {
		if (file)
			fclose(file);
		return error_set(error, -EIO, "cannot read %s", path);
	}
	fclose(file);
	/* Built in, a module without parameters has no folder. */
	snprintf(calibration->vendor, sizeof(calibration->vendor), "kvm");
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		char folder[64];
		snprintf(folder, sizeof(folder), "/sys/module/%s", vendors[i]);
		if (access(folder, F_OK) == 0)
			snprintf(calibration->vendor, sizeof(calibration->vendor), "%s",
				 vendors[i]);
	}
	return 0;
}

static bool fits(const struct calibration *one, const struct calibration *other)
{
	return strcmp(one->boot_id, other->boot_id) == 0 &&
	       strcmp(one->vendor, other->vendor) == 0 &&
	       strcmp(one->collector, other->collector) == 0;
}

int calibration_load(struct calibration *out, const char *path, const char *collector,
		     struct error *error)
{
	struct calibration wanted = {0};
	int code = calibration_identify(&wanted, error);
	json_error_t reason;
	json_t *list;

	if (code)
		return code;
	snprintf(wanted.collector, sizeof(wanted.collector), "%s", collector);
	if (access(path, F_OK))
		return error_set(error, -ENOENT, "there is no %s", path);
	list = json_load_file(path, 0, &reason);
	if (!json_is_array(list)) {
		json_decref(list);
		return error_set(error, -EBADMSG, "%s is no calibration of kvmperf", path);
	}
	code = -ENOENT;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct calibration one = {0};
		if (calibration_from_json(&one, json_array_get(list, i)))
			code = -EBADMSG;
		else if (fits(&one, &wanted)) {
			*out = one;
			code = 0;
			break;
		}
	}
	json_decref(list);
	return code ? error_set(error, code, "%s has no calibration of this boot for %s", path,
				collector)
		    : 0;
}

/* The list in the file without those that calibration takes the place of. */
static json_t *others_in(const struct calibration *calibration, const char *path)
{
	json_t *list = json_load_file(path, 0, NULL), *kept = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct calibration one = {0};
		json_t *object = json_array_get(list, i);
		if (calibration_from_json(&one, object) == 0 && !fits(&one, calibration) &&
		    strcmp(one.boot_id, calibration->boot_id) == 0)
			json_array_append(kept, object);
	}
	json_decref(list);
	return kept;
}

int calibration_save(const struct calibration *calibration, const char *path,
		     struct error *error)
{
	json_t *list = others_in(calibration, path);
	char folder[256], temporary[300];
	int code = 0;

	json_array_append_new(list, calibration_json(calibration));
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		(void)mkdir(folder, 0755);
	}
	/* Whole or not at all: another kvmperf may read it now. */
	snprintf(temporary, sizeof(temporary), "%s.%d", path, getpid());
	if (json_dump_file(list, temporary, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) ||
	    rename(temporary, path))
		code = error_set(error, -EIO, "cannot write %s: %m", path);
	if (code)
		(void)unlink(temporary);
	json_decref(list);
	return code;
}
