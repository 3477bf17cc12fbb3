/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_CALIBRATE_CALIBRATION_H
#define KVMPERF_CALIBRATE_CALIBRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "account/correction.h"
#include "base/error.h"

struct json_t;
struct kernel_map;

/*
 * What one VM exit costs with interrupts off, by class, on this host: learned with a small
 * guest of our own (src/vmm) whose guest time is known from its TSC while the thread that runs
 * it is sampled. What samples call guest beyond that time, divided by the number of exits, is
 * the cost (account/correction.h).
 */
struct calibration {
	char boot_id[40];	/* /proc/sys/kernel/random/boot_id */
	char vendor[16];	/* the module that does it: kvm_intel, kvm_amd, kvm_pvm, kvm */
	char collector[8];	/* "bpf" or "perf": who says what a sample is */
	char event[16];		/* "cycles" or "cpu-clock" */
	double time;		/* when, seconds since 1970 */
	double duration_s;	/* how long it took */
	uint64_t samples;	/* of both loops */
	double kernel_exits_hz; /* of the loop of exits that the kernel handles, per CPU second
				 */
	double user_exits_hz;	/* of the loop of exits to user space */
	double kernel_round_ns; /* a whole such exit and entry, but for the guest's time */
	double user_round_ns;	/* likewise */
	double sample_cost_ns;	/* whole cost of one sample, to a guest; 0: unknown */
	struct exit_costs costs;
	bool exact_known; /* the next are */
	/* What exact mode takes for guest time, see exact_window_measure(). */
	struct exit_costs exact_costs;
};

/*
 * Calibrates: takes about 1 s of one CPU, more (up to about 4 s) where samples are slow;
 * precision 2 doubles the samples, and so on. map (borrowed): judge samples as the BPF
 * collector does; NULL: as the perf collector does. Errors: -EOPNOTSUPP or -EACCES without a
 * usable /dev/kvm, -ENODATA where the host is too busy to tell, others as they come.
 */
int calibration_measure(struct calibration *out, const struct kernel_map *map,
			unsigned precision, struct error *error);

/* Adds exact_costs. Errors: as of exact_window_measure() and vmm_new(). */
int calibration_measure_exact(struct calibration *calibration, unsigned precision,
			      struct error *error);

/*
 * A host that is itself a guest runs as fast as its own host lets it: what an exit costs there
 * changes within hours, and a calibration is used for so long only.
 */
#define CALIBRATION_NESTED_S 3600

/*
 * The calibration of this boot for a collector and its event: the one that is kept in
 * CALIBRATION_FILE, or one that is made now and kept if that can be. map as the BPF collector
 * has it. Errors: as of calibration_measure().
 */
int calibration_obtain(struct calibration *out, const char *collector, const char *event,
		       const struct kernel_map *map, struct error *error);

/* Adds exact_costs if they are not known yet, and keeps them likewise. */
int calibration_obtain_exact(struct calibration *calibration, struct error *error);

/* CALIBRATION_FILE: where it is kept until the next boot. */
#define CALIBRATION_FILE "/run/kvmperf/calibration.json"

/*
 * Reads the calibration of this boot, vendor module and collector from path. Errors: -ENOENT
 * when there is none that fits, -EBADMSG when the file is no calibration.
 */
int calibration_load(struct calibration *out, const char *path, const char *collector,
		     struct error *error);

/* Keeps it in path, whose folder is made when missing, beside those of other collectors. */
int calibration_save(const struct calibration *calibration, const char *path,
		     struct error *error);

/*
 * As it stands in the file, and in a recording; the caller owns the reference. NULL without
 * memory.
 */
struct json_t *calibration_json(const struct calibration *calibration);

/* The reverse. -EBADMSG for what is no calibration, or has figures that no host has. */
int calibration_from_json(struct calibration *out, struct json_t *object);

/* Fills boot_id and vendor with those of the running kernel. */
int calibration_identify(struct calibration *calibration, struct error *error);

#endif
