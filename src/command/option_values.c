/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/option_values.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

int option_next(int argc, char **argv, const char *short_names, const struct option *names,
		int *option, struct error *error)
{
	*option = getopt_long(argc, argv, short_names, names, NULL);
	if (*option == -1)
		return 0;
	const char *given = argv[optind - 1];
	if (*option == ':')
		return error_set(error, -EINVAL, "%s takes an argument (see --help)", given);
	if (*option == '?' && optopt && optopt < 256 && optopt != '?')
		return error_set(error, -EINVAL, "unknown option -%c (see --help)", optopt);
	if (*option == '?')
		return error_set(error, -EINVAL, "unknown option %s (see --help)", given);
	return 0;
}

int option_command(int argc, char **argv, const char *purpose, char ***command,
		   struct error *error)
{
	*command = NULL;
	if (optind >= argc)
		return 0;
	if (strcmp(argv[optind - 1], "--") != 0)
		return error_set(error, -EINVAL,
				 "unexpected '%s': a command to %s follows after --",
				 argv[optind], purpose);
	*command = argv + optind;
	return 0;
}

int option_choice(const char *option, const char *text, const char *const *words, int *choice,
		  struct error *error)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0) {
			*choice = i;
			return 0;
		}
	}
	char list[128] = "";
	for (int i = 0; words[i]; i++) {
		strcat(list, i ? ", " : "");
		strcat(list, words[i]);
	}
	return error_set(error, -EINVAL, "%s takes one of: %s; not '%s'", option, list, text);
}

int option_real(const char *option, const char *text, double low, double high, double *value,
		struct error *error)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (errno || end == text || *end || !isfinite(*value) || *value < low || *value > high)
		return error_set(error, -EINVAL, "%s takes a number from %g to %g, not '%s'",
				 option, low, high, text);
	return 0;
}

int option_whole(const char *option, const char *text, double high, double *value,
		 struct error *error)
{
	int code = option_real(option, text, 1, high, value, error);

	if (!code && *value != floor(*value))
		code = error_set(error, -EINVAL, "%s takes a whole number, not '%s'", option,
				 text);
	return code;
}

int option_seconds(const char *option, const char *text, double low, double high, uint64_t *ns,
		   struct error *error)
{
	double value;
	int code = option_real(option, text, low, high, &value, error);

	if (!code)
		*ns = (uint64_t)llround(value * (double)NS_PER_S);
	return code;
}

int option_size(const char *option, const char *text, uint64_t low, uint64_t *bytes,
		struct error *error)
{
	static const char units[] = "KMGT";
	unsigned shift = 0;
	char *end;

	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit) {
		shift = 10 * ((unsigned)(unit - units) + 1);
		end++;
	}
	if (errno || *text < '0' || *text > '9' || *end || number > UINT64_MAX >> shift)
		return error_set(error, -EINVAL, "%s takes a size such as 100M or 2G, not '%s'",
				 option, text);
	*bytes = (uint64_t)number << shift;
	if (*bytes < low)
		return error_set(error, -EINVAL, "%s takes %lluK or more, not '%s'", option,
				 (unsigned long long)(low >> 10), text);
	return 0;
}

int option_add_vm(const char *text, const char *const **vms, size_t *count, struct error *error)
{
	if (*text == '\0')
		return error_set(error, -EINVAL, "--vm takes a VM's name, id or pid");
	const char **more = reallocarray((void *)*vms, *count + 1, sizeof(*more));
	if (!more)
		return error_set(error, -ENOMEM, "no memory for the options");
	more[(*count)++] = text;
	*vms = more;
	return 0;
}
