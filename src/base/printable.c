/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/printable.h"

#include <stddef.h>

/* The length of the UTF-8 sequence at text, or 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] < 0x80	 ? 1
			: text[0] < 0xc2 ? 0
			: text[0] < 0xe0 ? 2
			: text[0] < 0xf0 ? 3
			: text[0] < 0xf5 ? 4
					 : 0;
	unsigned point = length > 1 ? text[0] & (0x7fu >> length) : text[0];

	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (length > 1 && (point < least[length] || (point >= 0xd800 && point < 0xe000) ||
			   point > 0x10ffff || point < 0xa0))
		return 0;
	return length;
}

void printable(char *text)
{
	while (*text) {
		size_t length = utf8_length((const unsigned char *)text);

		if (!length || (unsigned char)*text < 0x20 || *text == 0x7f) {
			*text++ = '?';
			continue;
		}
		text += length;
	}
}
