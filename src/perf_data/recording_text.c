/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "perf_data/recording_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "perf_data/bytes.h"
#include "perf_data/format.h"

/* An interval of some 300,000 threads. */
#define TEXT_MAX ((size_t)32 << 20)

int recording_text_take(struct recording_text *text, const uint8_t *record, size_t size)
{
	const size_t fixed = offsetof(struct perf_data_recording_part, text);

	if (size < offsetof(struct perf_data_recording_part, id) ||
	    get64(record + offsetof(struct perf_data_recording_part, type)) !=
		    PERF_DATA_UPDATE_KVMPERF)
		return 0;
	if (size < fixed)
		return -EBADMSG;
	uint32_t part = get32(record + offsetof(struct perf_data_recording_part, part));
	uint32_t parts = get32(record + offsetof(struct perf_data_recording_part, parts));
	uint32_t length = get32(record + offsetof(struct perf_data_recording_part, size));
	if (length > size - fixed || part >= parts)
		return -EBADMSG;
	if (part == 0)
		text->length = text->parts = 0;
	/* One that came after a gap is of no use; the next text begins with part 0. */
	if (part != text->parts)
		return 0;
	if (text->length + length > TEXT_MAX)
		return -EBADMSG;
	if (array_reserve(&text->text, &text->room, text->length + length + 1, 1))
		return -ENOMEM;
	memcpy(text->text + text->length, record + fixed, length);
	text->length += length;
	text->text[text->length] = '\0';
	return ++text->parts == parts;
}

void recording_text_clear(struct recording_text *text)
{
	free(text->text);
	*text = (struct recording_text){0};
}
