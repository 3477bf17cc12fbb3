/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_RECORDING_TEXT_H
#define KVMPERF_PERF_DATA_RECORDING_TEXT_H

/* Puts texts together again that perf_data_write_recording() divided into records. */

#include <stddef.h>
#include <stdint.h>

struct recording_text {
	char *text; /* ends with 0; owned: recording_text_clear() */
	size_t length;
	/* The rest is its own. */
	size_t room;
	uint32_t parts; /* that have come */
};

/*
 * Takes a record of PERF_RECORD_EVENT_UPDATE. 1: text is whole, until the next call; 0: more
 * must come, or the record is no such part; -EBADMSG: it is malformed; -ENOMEM.
 */
int recording_text_take(struct recording_text *text, const uint8_t *record, size_t size);

void recording_text_clear(struct recording_text *text);

#endif
