/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_MEASURE_LABELS_H
#define KVMPERF_MEASURE_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "account/shared_work.h"
#include "symbols/kernel_map.h"

/*
 * Numbers for the names of subsystems and shared objects, that stay the same for a whole
 * session, also when modules come and go and the kernel map is read anew.
 */
struct labels;

struct labels *labels_new(void); /* NULL without memory */

/* The label of a name; *label is set. -ENOMEM. The name is copied. */
int labels_intern(struct labels *labels, const char *name, uint32_t *label);

/* The labels of all subsystems of a map become known; labels_of_subsystem() refers to it. */
int labels_use_map(struct labels *labels, const struct kernel_map *map);
uint32_t labels_of_subsystem(const struct labels *labels, uint32_t subsystem);

/* The name of a label; "unsampled" for LABEL_UNSAMPLED. Valid until labels_free(). */
const char *labels_name(const struct labels *labels, uint32_t label);

/*
 * What an interrupt that was found in the subsystem works for, when nothing tells it better
 * (the softirq vector): WORK_NET_RX for what moves packets, WORK_OTHER when unknown.
 */
enum shared_work labels_work(const struct labels *labels, uint32_t label);
size_t labels_count(const struct labels *labels);

void labels_free(struct labels *labels);

#endif
