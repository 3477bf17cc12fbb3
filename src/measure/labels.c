/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/ledger.h"
#include "base/array.h"

struct labels {
	char **names;
	bool *network;
	size_t count, name_room, network_room;
	uint32_t *by_subsystem;
	size_t subsystem_room;
};

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
	    array_reserve(&labels->network, &labels->network_room, labels->count + 1,
			  sizeof(*labels->network)))
		return -ENOMEM;
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	labels->names[labels->count] = copy;
	labels->network[labels->count] = false;
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
		labels->network[label] = kernel_map_is_network(map, (uint16_t)i);
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

const bool *labels_network(const struct labels *labels)
{
	return labels->network;
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
	free(labels->network);
	free(labels->by_subsystem);
	free(labels);
}
