/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "calibrate/calibration.h"
#include "command/option_values.h"
#include "symbols/kernel_map.h"

#define PRECISION_MAX 50

static const char help[] =
	"usage: kvmperf calibrate [OPTIONS]\n\n"
	"Measures what one VM exit costs on this host with interrupts off, and keeps it\n"
	"until the next boot: samples and the kernel's own accounting take that time for\n"
	"guest time, and kvmperf gives it back to the kernel. Done by itself when a first\n"
	"measurement starts; takes 0.6 to 1 s and a small VM of kvmperf's own.\n\n"
	"  -p, --precision N      take N times the samples (default 1)\n"
	"      --collector bpf|perf\n"
	"                         for this collector (default bpf, else perf)\n"
	"  -n, --dry-run          print, keep nothing\n"
	"  -f, --format table|json\n"
	"  -h, --help\n\n"
	"Kept in " CALIBRATION_FILE ". See kvmperf(8).\n";

struct calibrate_options {
	unsigned precision;
	int collector; /* 0: bpf, 1: perf, 2: what this host has */
	int format;    /* 0: table, 1: JSON */
	bool dry_run;
	bool help;
};

static int parse(struct calibrate_options *options, int argc, char **argv, struct error *error)
{
	static const char *const formats[] = {"table", "json", NULL};
	static const char *const collectors[] = {"bpf", "perf", NULL};
	static const struct option names[] = {
		{"precision", required_argument, NULL, 'p'},
		{"collector", required_argument, NULL, 'c'},
		{"dry-run", no_argument, NULL, 'n'},
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option, code;
	double value = 1;

	*options = (struct calibrate_options){.precision = 1, .collector = 2};
	optind = 0;
	opterr = 0;
	while (!(code = option_next(argc, argv, "+:p:nf:h", names, &option, error)) &&
	       option != -1) {
		switch (option) {
		case 'p':
			code = option_whole("--precision", optarg, PRECISION_MAX, &value,
					    error);
			options->precision = (unsigned)value;
			break;
		case 'c':
			code = option_choice("--collector", optarg, collectors,
					     &options->collector, error);
			break;
		case 'n': options->dry_run = true; break;
		case 'f':
			code = option_choice("--format", optarg, formats, &options->format,
					     error);
			break;
		case 'h': options->help = true; break;
		default: break;
		}
		if (code)
			return code;
	}
	if (!code && optind < argc)
		code = error_set(error, -EINVAL, "unexpected '%s' (see --help)", argv[optind]);
	return code;
}

static int measure(const struct calibrate_options *options, struct calibration *calibration,
		   struct error *error)
{
	struct kernel_map *map = NULL;
	struct error reason = {0};
	int code;

	if (options->collector == 1)
		return calibration_measure(calibration, NULL, options->precision, error);
	code = kernel_map_load(&map, NULL, error);
	if (code)
		return code;
	code = calibration_measure(calibration, map, options->precision, &reason);
	kernel_map_free(map);
	/* Where there is no exact mode there is nothing to calibrate it for. */
	if (!code)
		(void)calibration_measure_exact(calibration, options->precision, NULL);
	if (code && options->collector == 2 && (code == -EPERM || code == -EOPNOTSUPP) &&
	    calibration_measure(calibration, NULL, options->precision, &reason) == 0) {
		fputs("kvmperf calibrate: without BPF, for the perf collector\n", stderr);
		return 0;
	}
	return code ? error_set(error, code, "%s", reason.message) : 0;
}

static void print_table(const struct calibration *calibration)
{
	const struct exit_costs *costs = &calibration->costs;
	const struct exit_cost *exact = calibration->exact_costs.by_class;
	const struct {
		const char *name;
		const struct exit_cost *samples, *exact; /* exact: NULL where it has none */
		double whole_ns;			 /* 0: not known */
	} rows[] = {
		{"handled in the kernel", &costs->by_class[VM_EXIT_KERNEL],
		 &exact[VM_EXIT_KERNEL], calibration->kernel_round_ns},
		{"returned to user space", &costs->by_class[VM_EXIT_USER], &exact[VM_EXIT_USER],
		 calibration->user_round_ns},
		{"the kernel's tick", &costs->tick, NULL, 0},
		{"  after a sleep", &costs->rested_tick, NULL, 0},
		{"a sample", &costs->sample, NULL, 0},
		{"  after a sleep", &costs->rested_sample, NULL, 0},
		{"other host interrupt", &costs->by_class[VM_EXIT_INTERRUPT],
		 &exact[VM_EXIT_INTERRUPT], 0},
	};

	printf("%s, %s collector, %s: %.2f s, %llu samples\n\n", calibration->vendor,
	       calibration->collector, calibration->event, calibration->duration_s,
	       (unsigned long long)calibration->samples);
	printf("%-24s %11s %7s %12s %7s %12s\n", "VM EXIT", "SAMPLES", "+/-", "EXACT MODE",
	       "+/-", "WHOLE EXIT");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("%-24s %11.3f %7.3f", rows[i].name, rows[i].samples->ns / 1e3,
		       rows[i].samples->error95_ns / 1e3);
		if (calibration->exact_known && rows[i].exact)
			printf(" %12.3f %7.3f", rows[i].exact->ns / 1e3,
			       rows[i].exact->error95_ns / 1e3);
		else
			printf(" %12s %7s", ".", ".");
		if (rows[i].whole_ns > 0)
			printf(" %12.3f\n", rows[i].whole_ns / 1e3);
		else
			printf(" %12s\n", ".");
	}
	puts("\nus; SAMPLES, EXACT MODE: what each takes for guest time and is none");
	if (costs->reference_ns > 0)
		printf("for a core on which the reference loop takes %.1f ns\n",
		       costs->reference_ns);
}

static int run(const struct calibrate_options *options, struct error *error)
{
	struct calibration calibration;
	int code = measure(options, &calibration, error);

	if (!code && !options->dry_run)
		code = calibration_save(&calibration, CALIBRATION_FILE, error);
	if (code)
		return code;
	if (options->format == 0) {
		print_table(&calibration);
	} else {
		json_t *object = calibration_json(&calibration);
		if (!object ||
		    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10)))
			code = error_set(error, -EIO, "cannot write to standard output");
		putchar('\n');
		json_decref(object);
	}
	if (fflush(stdout) || ferror(stdout))
		code = error_set(error, -EIO, "cannot write to standard output: %m");
	return code;
}

int command_calibrate(int argc, char **argv)
{
	struct calibrate_options options;
	struct error error = {0};
	int code = parse(&options, argc, argv, &error);

	if (!code && options.help)
		fputs(help, stdout);
	else if (!code)
		code = run(&options, &error);
	if (!code)
		return EXIT_OK;
	fprintf(stderr, "kvmperf calibrate: %s\n", error.message);
	return (int)error_exit_code(&error);
}
