/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_LABEL_TIMES_H
#define KVMPERF_ACCOUNT_LABEL_TIMES_H

#include "account/ledger.h"

/* Adds time to a label's item; nothing is added for 0 ns. -ENOMEM leaves the list as it was. */
int label_times_add(struct label_times *times, uint32_t label, uint64_t ns);

/* Brings the items into rising order of label. */
void label_times_sort(struct label_times *times);

void label_times_free(struct label_times *times);

#endif
