/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int code, const char *format, ...)
{
	if (!error)
		return code;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	error->code = code;
	return code;
}

int error_prefix(struct error *error, const char *format, ...)
{
	if (!error)
		return 0;
	char joined[sizeof(error->message)];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(joined, sizeof(joined), format, arguments);
	va_end(arguments);
	if (length < 0)
		length = 0;
	if ((size_t)length >= sizeof(joined))
		length = (int)sizeof(joined) - 1;
	size_t space = sizeof(joined) - 1 - (size_t)length;
	size_t rest = strlen(error->message);
	if (rest > space)
		rest = space;
	memcpy(joined + length, error->message, rest);
	joined[(size_t)length + rest] = '\0';
	memcpy(error->message, joined, sizeof(joined));
	return error->code;
}

enum exit_code error_exit_code(const struct error *error)
{
	switch (error->code) {
	case 0: return EXIT_OK;
	case -EPERM:
	case -EACCES:
	case -ENOSYS:
	case -EOPNOTSUPP: return EXIT_UNAVAILABLE;
	case -EINVAL: return EXIT_USAGE;
	default: return EXIT_FAILED;
	}
}
