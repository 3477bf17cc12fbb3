/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover/claims.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* Order: taps, then by VM; in a VM the records of its owner first. */
static int compare_files(const void *left, const void *right)
{
	const struct vm_file *a = left, *b = right;
	__u32 a_owner = a->flags & VM_FILE_OWNER, b_owner = b->flags & VM_FILE_OWNER;

	if (a->kvm != b->kvm)
		return a->kvm < b->kvm ? -1 : 1;
	if (a_owner != b_owner)
		return a_owner ? -1 : 1;
	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	return (a->owner > b->owner) - (a->owner < b->owner);
}

int claims_make(struct claim_list *list, struct vm_file_list *files)
{
	const struct vm_file *records = files->records;
	size_t count = files->count;

	list->count = 0;
	if (count)
		qsort(files->records, count, sizeof(*records), compare_files);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && records[next].kvm == records[i].kvm;)
			next++;
		if (!records[i].kvm)
			continue;
		if (array_reserve(&list->claims, &list->room, list->count + 1,
				  sizeof(struct claim)))
			return -ENOMEM;
		list->claims[list->count++] = (struct claim){
			.owner = (pid_t)records[i].tgid,
			.start_ns = records[i].start_ns,
			.first = i,
			.count = next - i,
		};
	}
	if (list->count)
		qsort(list->claims, list->count, sizeof(struct claim), compare_claims);
	return 0;
}

const struct claim *claims_find(const struct claim_list *list, pid_t owner)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->claims[middle].owner < owner)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count || list->claims[low].owner != owner)
		return NULL;
	return &list->claims[low];
}
