/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/ledger.h"
#include "base/array.h"

struct labels {
	char **names;
	enum shared_work *works;
	size_t count, name_room, work_room;
	uint32_t *by_subsystem;
	size_t subsystem_room;
};

/* Subsystems other than networks whose interrupts are of one kind of work. */
static const struct {
	enum shared_work work;
	const char *names; /* with blanks around each */
} subsystem_works[] = {
	{WORK_BLOCK,
	 " block scsi scsi_mod sd_mod sr_mod ata libata ahci libahci nvme nvme_core "
	 "virtio_blk virtio_scsi loop nbd rbd null_blk zram brd md md_mod raid0 raid1 "
	 "raid10 raid456 bcache megaraid_sas mpt3sas aacraid hpsa smartpqi lpfc qla2xxx "
	 "mmc_block vmw_pvscsi hv_storvsc xen_blkfront xen_blkback iscsi_tcp "},
	{WORK_TIMER, " time "},
	{WORK_SCHED, " sched "},
	{WORK_RCU, " rcu "},
};

static enum shared_work work_of_name(const char *subsystem)
{
	char padded[80];
	int length = snprintf(padded, sizeof(padded), " %s ", subsystem);

	if (strncmp(subsystem, "dm_", 3) == 0)
		return WORK_BLOCK;
	if (length < 3 || (size_t)length >= sizeof(padded))
		return WORK_OTHER;
	for (size_t i = 0; i < sizeof(subsystem_works) / sizeof(*subsystem_works); i++)
		if (strstr(subsystem_works[i].names, padded))
			return subsystem_works[i].work;
	return WORK_OTHER;
}

struct labels *labels_new(void)
{
	return calloc(1, sizeof(struct labels));
}

int labels_intern(struct labels *labels, const char *name, uint32_t *label)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (strcmp(labels->names[i], name) == 0) {
			*label = (uint32_t)i;
			return 0;
		}
	}
	if (array_reserve(&labels->names, &labels->name_room, labels->count + 1,
			  sizeof(*labels->names)) ||
	    array_reserve(&labels->works, &labels->work_room, labels->count + 1,
			  sizeof(*labels->works)))
		return -ENOMEM;
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	labels->names[labels->count] = copy;
	labels->works[labels->count] = WORK_OTHER;
	*label = (uint32_t)labels->count++;
	return 0;
}

int labels_use_map(struct labels *labels, const struct kernel_map *map)
{
	size_t count = kernel_map_count(map);
	int error = array_reserve(&labels->by_subsystem, &labels->subsystem_room, count,
				  sizeof(*labels->by_subsystem));

	for (size_t i = 0; !error && i < count; i++) {
		uint32_t label;
		error = labels_intern(labels, kernel_map_name(map, (uint16_t)i), &label);
		if (error)
			break;
		labels->by_subsystem[i] = label;
		labels->works[label] =
			kernel_map_is_network(map, (uint16_t)i)
				? WORK_NET_RX
				: work_of_name(kernel_map_name(map, (uint16_t)i));
	}
	return error;
}

uint32_t labels_of_subsystem(const struct labels *labels, uint32_t subsystem)
{
	return labels->by_subsystem[subsystem];
}

const char *labels_name(const struct labels *labels, uint32_t label)
{
	return label == LABEL_UNSAMPLED ? "unsampled" : labels->names[label];
}

enum shared_work labels_work(const struct labels *labels, uint32_t label)
{
	return labels->works[label];
}

size_t labels_count(const struct labels *labels)
{
	return labels->count;
}

void labels_free(struct labels *labels)
{
	if (!labels)
		return;
	for (size_t i = 0; i < labels->count; i++)
		free(labels->names[i]);
	free(labels->names);
	free(labels->works);
	free(labels->by_subsystem);
	free(labels);
}
