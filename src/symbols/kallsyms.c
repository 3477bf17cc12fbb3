/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Holds a line of any length the kernel can make (KSYM_NAME_LEN is 512) many times over. */
#define CHUNK_SIZE 65536

/* Hexadecimal digits; 16 stands for what is none. */
static unsigned digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned)(digit - '0');
	return digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a' + 10) : 16;
}

static const char *parse_address(const char *at, const char *end, uint64_t *address)
{
	const char *start = at;
	uint64_t value = 0;
	unsigned digit;

	while (at < end && (digit = digit_value(*at)) < 16) {
		value = value << 4 | digit;
		at++;
	}
	*address = value;
	return at > start && at - start <= 16 ? at : NULL;
}

/* "ffffffff81000000 T _stext", then perhaps "\t[module]" */
static int parse_line(const char *at, const char *end, struct kallsyms_symbol *symbol)
{
	at = parse_address(at, end, &symbol->address);
	if (!at || end - at < 4 || at[0] != ' ' || at[2] != ' ')
		return -EBADMSG;
	symbol->type = at[1];
	symbol->name = at + 3;
	at = symbol->name;
	symbol->module = end;
	symbol->module_length = 0;
	if (end[-1] == ']') {
		at = memchr(symbol->name, '\t', (size_t)(end - symbol->name));
		if (!at || end - at < 4 || at[1] != '[')
			return -EBADMSG;
		symbol->module = at + 2;
		symbol->module_length = (size_t)(end - at - 3);
		end = at;
	}
	symbol->name_length = (size_t)(end - symbol->name);
	return symbol->name_length ? 0 : -EBADMSG;
}

/* Visits the whole lines of the text; *used is their length. */
static int visit_lines(const char *text, size_t length, kallsyms_visitor *visit, void *data,
		       size_t *line, size_t *used)
{
	const char *at = text, *end = text + length, *newline;
	struct kallsyms_symbol symbol;
	int code = 0;

	while (!code && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		++*line;
		code = parse_line(at, newline, &symbol);
		if (!code)
			code = visit(data, &symbol);
		at = newline + 1;
	}
	*used = (size_t)(at - text);
	return code;
}

static int read_lines(int fd, const char *path, kallsyms_visitor *visit, void *data,
		      struct error *error)
{
	char buffer[CHUNK_SIZE];
	size_t held = 0, line = 0;

	for (;;) {
		ssize_t got = read(fd, buffer + held, sizeof(buffer) - held);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, -errno, "cannot read %s: %m", path);
		if (got == 0)
			break;
		size_t used;
		int code = visit_lines(buffer, held + (size_t)got, visit, data, &line, &used);
		if (code == -EBADMSG)
			return error_set(error, code, "%s: line %zu is not a symbol", path,
					 line);
		if (code)
			return code;
		held += (size_t)got - used;
		memmove(buffer, buffer + used, held);
		if (held == sizeof(buffer))
			return error_set(error, -EBADMSG, "%s: line %zu is too long", path,
					 line + 1);
	}
	if (held)
		return error_set(error, -EBADMSG, "%s: line %zu is cut off", path, line + 1);
	return 0;
}

int kallsyms_read(const char *path, kallsyms_visitor *visit, void *data, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(error, -errno, "cannot open %s: %m", path);
	int code = read_lines(fd, path, visit, data, error);
	close(fd);
	return code;
}
