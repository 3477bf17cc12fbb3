/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "discover/discover.h"
#include "view/vm_list.h"

static const char help[] =
	"Usage: kvmperf list [options]\n"
	"List the KVM virtual machines of this host.\n"
	"\n"
	"  -f, --format table|csv|json  how to print them (table)\n"
	"  -o, --output FILE            where to print them (standard output)\n"
	"      --vm NAME|ID|PID         only this VM; may be given more than once\n"
	"      --source auto|bpf|proc   how to find them: with BPF iterators (exits and halt\n"
	"                               polling too), through /proc, or what works (auto)\n"
	"  -v, --verbose                with the table: taps, cgroup, threads and roles, and\n"
	"                               nothing cut to fit the terminal\n"
	"  -h, --help                   this text\n";

enum format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON };

struct list_options {
	enum format format;
	enum discover_source source;
	const char *output; /* NULL: standard output */
	const char **selectors;
	size_t selector_count;
	bool verbose;
	bool help;
};

/* The place of a word among three, or -1. */
static int find_word(const char *word, const char *const words[3])
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

/* selectors must have room for argc strings. */
static int parse_options(int argc, char **argv, struct list_options *options,
			 struct error *error)
{
	static const char *const formats[] = {"table", "csv", "json"};
	static const char *const sources[] = {"auto", "bpf", "proc"};
	static const struct option long_options[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"vm", required_argument, NULL, 'm'},
		{"source", required_argument, NULL, 's'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option, word;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:o:vh", long_options, NULL)) != -1) {
		switch (option) {
		case 'f':
			word = find_word(optarg, formats);
			if (word < 0)
				return error_set(error, -EINVAL,
						 "unknown format '%s': table, csv or json",
						 optarg);
			options->format = (enum format)word;
			break;
		case 's':
			word = find_word(optarg, sources);
			if (word < 0)
				return error_set(error, -EINVAL,
						 "unknown source '%s': auto, bpf or proc",
						 optarg);
			options->source = (enum discover_source)word;
			break;
		case 'o': options->output = optarg; break;
		case 'm': options->selectors[options->selector_count++] = optarg; break;
		case 'v': options->verbose = true; break;
		case 'h': options->help = true; return 0;
		case ':':
			return error_set(error, -EINVAL, "option '%s' needs an argument",
					 argv[optind - 1]);
		default:
			return error_set(error, -EINVAL, "unknown option '%s'",
					 argv[optind - 1]);
		}
	}
	if (optind < argc)
		return error_set(error, -EINVAL, "unexpected argument '%s'", argv[optind]);
	return 0;
}

/* Puts the VMs that were asked for into *chosen (owned by the caller), in the list's order. */
static int select_vms(const struct vm_list *list, const struct list_options *options,
		      const struct vm ***chosen, size_t *count, struct error *error)
{
	*count = 0;
	*chosen = calloc(list->count + 1, sizeof(**chosen));
	if (!*chosen)
		return error_set(error, -ENOMEM, "no memory for the list of VMs");
	for (size_t n = 0; n < options->selector_count; n++) {
		bool found = false;

		for (size_t i = 0; i < list->count && !found; i++)
			found = vm_matches(&list->vms[i], options->selectors[n]);
		if (!found)
			return error_set(
				error, -ENOENT,
				"no VM has the name, id or pid '%s'; see 'kvmperf list'",
				options->selectors[n]);
	}
	for (size_t i = 0; i < list->count; i++)
		if (vm_is_selected(&list->vms[i], options->selectors, options->selector_count))
			(*chosen)[(*count)++] = &list->vms[i];
	return 0;
}

static int print_table(const struct vm *const *vms, size_t count, bool verbose, FILE *out)
{
	struct text_layout layout = {.width = 80, .styles = isatty(fileno(out))};
	struct winsize size;
	int result;

	if (!ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col)
		layout.width = size.ws_col;
	if (verbose)
		layout.width = 0;
	if (!count)
		return 0;
	result = vm_list_print_table(vms, count, &layout, out);
	for (size_t i = 0; verbose && i < count && !result; i++)
		result = vm_list_print_details(vms[i], &layout, out);
	return result;
}

static int print_vms(const struct vm *const *vms, size_t count,
		     const struct list_options *options, FILE *out, struct error *error)
{
	const char *name = options->output ? options->output : "standard output";
	int result = 0;

	switch (options->format) {
	case FORMAT_TABLE: result = print_table(vms, count, options->verbose, out); break;
	case FORMAT_CSV: result = vm_list_print_csv(vms, count, out); break;
	case FORMAT_JSON: result = vm_list_print_json(vms, count, out); break;
	}
	if (result)
		return error_set(error, result, "no memory for the list of VMs");
	errno = 0;
	if (fflush(out) || ferror(out))
		return error_set(error, -EIO, "can't write to %s: %s", name,
				 strerror(errno ? errno : EIO));
	return 0;
}

static int run(const struct list_options *options, FILE *out, struct error *error)
{
	struct discoverer *discoverer;
	const struct vm **vms = NULL;
	size_t count;
	int result = discoverer_new(
		&discoverer, &(struct discover_options){.source = options->source}, error);

	if (result)
		return result;
	result = discoverer_scan(discoverer, true, error);
	if (!result)
		result = select_vms(discoverer_vms(discoverer), options, &vms, &count, error);
	if (!result && options->verbose && *discoverer_note(discoverer))
		fprintf(stderr, "kvmperf list: VMs were found through /proc: %s\n",
			discoverer_note(discoverer));
	if (!result && !count)
		fputs("kvmperf list: no KVM virtual machine runs on this host\n", stderr);
	if (!result)
		result = print_vms(vms, count, options, out, error);
	free(vms);
	discoverer_free(discoverer);
	return result;
}

static int print_to_file(const struct list_options *options, struct error *error)
{
	FILE *out = fopen(options->output, "we");
	int result;

	if (!out)
		return error_set(error, -EIO, "can't write to %s: %s", options->output,
				 strerror(errno));
	result = run(options, out, error);
	if (fclose(out) && !result)
		result = error_set(error, -EIO, "can't write to %s: %s", options->output,
				   strerror(errno));
	return result;
}

int command_list(int argc, char **argv)
{
	struct list_options options = {0};
	struct error error = {0};
	const char *hint = "";
	int result;

	options.selectors = calloc((size_t)argc + 1, sizeof(*options.selectors));
	if (!options.selectors) {
		result = error_set(&error, -ENOMEM, "no memory for the options");
	} else if ((result = parse_options(argc, argv, &options, &error))) {
		hint = "; see 'kvmperf list --help'";
	} else if (options.help) {
		fputs(help, stdout);
	} else if (options.output) {
		result = print_to_file(&options, &error);
	} else {
		result = run(&options, stdout, &error);
	}
	free(options.selectors);
	if (result)
		fprintf(stderr, "kvmperf list: %s%s\n", error.message, hint);
	return result ? (int)error_exit_code(&error) : EXIT_OK;
}
