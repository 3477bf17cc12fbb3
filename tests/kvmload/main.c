/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fleet.h"
#include "machine.h"
#include "options.h"

int main(int argc, char **argv)
{
	struct options options;
	struct error error = {0};

	if (argc > 2 && strcmp(argv[argc - 2], "--kvmload-fd") == 0)
		return machine_main(atoi(argv[argc - 1]));
	if (options_parse(&options, argc, argv, &error) < 0) {
		fprintf(stderr, "kvmload: %s\n", error.message);
		return EXIT_USAGE;
	}
	if (options.help) {
		fputs(options_help, stdout);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	if (fleet_run(&options, &error) < 0) {
		fprintf(stderr, "kvmload: %s\n", error.message);
		return (int)error_exit_code(&error);
	}
	return EXIT_OK;
}
