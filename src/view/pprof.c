/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/pprof.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "pprof.pb-c.h"

#include "base/array.h"
#include "base/printable.h"
#include "report/stacks.h"

/* zlib's sign for a gzip header, added to the size of its window. */
#define GZIP 16

/*
 * The mapping of the frames that are no functions. It is the profile's first, which readers
 * show as the program's.
 */
#define OUTER_MAPPING "[kvmperf]"

/* Times beyond this, in s, don't fit into the profile's ns. */
#define TIME_MAX 9e9

/*
 * A profile that is being written. Parts of a message that stand one after the other are that
 * message: so only numbers and names are kept, and not all of it.
 */
struct writer {
	FILE *stream;
	const struct stacks *stacks;
	const struct report_input *input;
	z_stream zip;
	uint8_t *part;
	size_t part_room;
	struct names strings;	 /* the profile's table */
	struct names mappings;	 /* modules */
	struct places locations; /* module: of mappings; symbol: of strings */
	uint64_t *of_place;	 /* locations; 0: not known yet */
	uint64_t *ids;		 /* of the locations of a stack */
	size_t id_room;
	int code; /* the first error: what follows does nothing */
};

/* Numbers in the profile begin with 1; 0 is none. */
static uint64_t id_of(uint32_t number)
{
	return (uint64_t)number + 1;
}

/* Compresses bytes and writes what comes of it, with Z_FINISH all of it. */
static void compress_bytes(struct writer *writer, uint8_t *bytes, size_t size, int flush)
{
	uint8_t out[16384];
	int result = Z_OK;

	writer->zip.next_in = bytes;
	writer->zip.avail_in = (uInt)size;
	do {
		writer->zip.next_out = out;
		writer->zip.avail_out = sizeof(out);
		result = deflate(&writer->zip, flush);
		size_t made = sizeof(out) - writer->zip.avail_out;
		if (fwrite(out, 1, made, writer->stream) != made)
			writer->code = -EIO;
	} while (!writer->code &&
		 (flush == Z_FINISH ? result != Z_STREAM_END : writer->zip.avail_out == 0));
}

static void put(struct writer *writer, const Pprof__Profile *part)
{
	size_t size = pprof__profile__get_packed_size(part);

	if (!writer->code)
		writer->code = array_reserve(&writer->part, &writer->part_room, size, 1);
	if (writer->code)
		return;
	pprof__profile__pack(part, writer->part);
	compress_bytes(writer, writer->part, size, Z_NO_FLUSH);
}

/* A number that was interned; 0 without memory. */
static uint32_t interned(struct writer *writer, uint32_t number)
{
	if (number != NAME_NONE && number != PLACE_NONE)
		return number;
	if (!writer->code)
		writer->code = -ENOMEM;
	return 0;
}

static uint32_t string_of(struct writer *writer, const char *text)
{
	return interned(writer, names_intern(&writer->strings, text, strlen(text)));
}

static uint32_t mapping_of(struct writer *writer, const char *module)
{
	return interned(writer, names_intern(&writer->mappings, module, strlen(module)));
}

static uint64_t location_of(struct writer *writer, const char *module, const char *function)
{
	uint32_t mapping = mapping_of(writer, module);
	uint32_t symbol = string_of(writer, function);

	return id_of(interned(writer,
			      places_intern(&writer->locations, PLACE_NONE, mapping, symbol)));
}

/* Many stacks have most of their places in common. */
static uint64_t location_of_place(struct writer *writer, uint32_t place)
{
	uint64_t *location = &writer->of_place[place];

	if (!*location)
		*location = location_of(writer, stack_module_name(writer->stacks, place),
					stack_place_name(writer->stacks, place));
	return *location;
}

/* The locations of a stack in frames outer ones, innermost first; their number. */
static size_t list_locations(struct writer *writer, const struct stack *stack,
			     const char *const outer[STACK_OUTER_FRAMES], size_t frames)
{
	const struct place *places = writer->stacks->profile->places.places;
	size_t count = 0;

	for (uint32_t place = stack->place; place != PLACE_NONE; place = places[place].parent) {
		if (array_reserve(&writer->ids, &writer->id_room,
				  count + 1 + STACK_OUTER_FRAMES, sizeof(*writer->ids))) {
			writer->code = -ENOMEM;
			return 0;
		}
		writer->ids[count++] = location_of_place(writer, place);
	}
	for (size_t i = frames; i > 0; i--)
		writer->ids[count++] = location_of(writer, OUTER_MAPPING, outer[i - 1]);
	return count;
}

static void put_stack(struct writer *writer, const struct stack *stack)
{
	Pprof__Label labels[2] = {PPROF__LABEL__INIT, PPROF__LABEL__INIT};
	Pprof__Label *label_list[] = {&labels[0], &labels[1]};
	Pprof__Sample sample = PPROF__SAMPLE__INIT;
	Pprof__Sample *sample_list[] = {&sample};
	Pprof__Profile part = PPROF__PROFILE__INIT;
	const char *outer[STACK_OUTER_FRAMES];
	size_t frames = stack_outer_frames(writer->stacks, stack, outer);
	int64_t value = (int64_t)stack->samples;

	sample.n_location_id = list_locations(writer, stack, outer, frames);
	sample.location_id = writer->ids;
	sample.n_value = 1;
	sample.value = &value;
	labels[0].key = string_of(writer, "mode");
	labels[0].str = string_of(writer, stack_mode_name(stack));
	sample.n_label = 1;
	sample.label = label_list;
	if (stack->owner != STACK_OF_IDLE) {
		/* The name stands before the mode. */
		labels[1].key =
			string_of(writer, stack->owner == STACK_OF_VM ? "vm" : "process");
		labels[1].str = string_of(writer, outer[frames - 2]);
		sample.n_label = 2;
	}
	part.n_sample = 1;
	part.sample = sample_list;
	put(writer, &part);
}

static void put_comment(struct writer *writer, const char *text)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	int64_t comment = string_of(writer, text);

	part.n_comment = 1;
	part.comment = &comment;
	put(writer, &part);
}

/* Says what the figures are of, and what was done to them. */
static void put_comments(struct writer *writer)
{
	const struct stacks *stacks = writer->stacks;
	const struct interval_source *source = &stacks->report->interval.source;
	char text[256];

	snprintf(text, sizeof(text), "kvmperf %s: samples of %s by %s; %llu were lost",
		 KVMPERF_VERSION, source->event, source->collector,
		 (unsigned long long)source->lost);
	put_comment(writer, text);
	snprintf(text, sizeof(text), "correction of guest time: %s",
		 source->irqs_off_correction);
	put_comment(writer, text);
	for (size_t i = 0; i < stacks->count; i++) {
		const struct stack *stack = &stacks->items[i];
		if (stack->place != stacks->world_switch)
			continue;
		snprintf(text, sizeof(text),
			 "%s: %llu samples were moved from guest to kvm/world-switch",
			 stacks->report->vms.list.vms[stack->vm].name,
			 (unsigned long long)stack->samples);
		put_comment(writer, text);
	}
}

static void put_header(struct writer *writer)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	Pprof__ValueType type = PPROF__VALUE_TYPE__INIT;
	Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
	Pprof__ValueType *types[] = {&type};
	const struct profile *profile = writer->stacks->profile;
	const struct report_input *input = writer->input;

	/* A profile's first string is this one. */
	string_of(writer, "");
	mapping_of(writer, OUTER_MAPPING);
	type.type = string_of(writer, "samples");
	type.unit = string_of(writer, "count");
	part.n_sample_type = 1;
	part.sample_type = types;
	if (profile->anchor == ANCHOR_GAPS && profile->period_ns >= 1) {
		period.type = string_of(writer, "cpu");
		period.unit = string_of(writer, "nanoseconds");
		part.period_type = &period;
		part.period = llround(profile->period_ns);
	}
	part.duration_nanos = (int64_t)input->duration_ns;
	if (fabs(input->start) < TIME_MAX)
		part.time_nanos = llround(input->start * 1e9);
	put(writer, &part);
	put_comments(writer);
}

/* Functions have no addresses: each location is one function, whose numbers are the same. */
static void put_functions(struct writer *writer)
{
	for (uint32_t i = 0; i < writer->locations.count; i++) {
		const struct place *place = &writer->locations.places[i];
		Pprof__Function function = PPROF__FUNCTION__INIT;
		Pprof__Line line = PPROF__LINE__INIT;
		Pprof__Location location = PPROF__LOCATION__INIT;
		Pprof__Profile part = PPROF__PROFILE__INIT;
		Pprof__Function *functions[] = {&function};
		Pprof__Line *lines[] = {&line};
		Pprof__Location *locations[] = {&location};
		function.id = location.id = line.function_id = id_of(i);
		function.name = function.system_name = place->symbol;
		location.mapping_id = id_of(place->module);
		location.n_line = 1;
		location.line = lines;
		part.n_location = part.n_function = 1;
		part.location = locations;
		part.function = functions;
		put(writer, &part);
	}
}

static void put_mappings(struct writer *writer)
{
	for (uint32_t i = 0; i < writer->mappings.count; i++) {
		Pprof__Mapping mapping = PPROF__MAPPING__INIT;
		Pprof__Mapping *mappings[] = {&mapping};
		Pprof__Profile part = PPROF__PROFILE__INIT;
		mapping.id = id_of(i);
		mapping.filename = string_of(writer, writer->mappings.texts[i]);
		/* Or pprof would look into files for functions at address 0. */
		mapping.has_functions = true;
		part.n_mapping = 1;
		part.mapping = mappings;
		put(writer, &part);
	}
}

/* After all others, which add strings. */
static void put_strings(struct writer *writer)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;

	/* Readers take nothing but UTF-8; executables may hold anything. */
	for (size_t i = 0; i < writer->strings.count; i++)
		printable(writer->strings.texts[i]);
	part.n_string_table = writer->strings.count;
	part.string_table = writer->strings.texts;
	put(writer, &part);
}

static int write_stacks(FILE *stream, const struct stacks *stacks,
			const struct report_input *input)
{
	struct writer writer = {.stream = stream, .stacks = stacks, .input = input};

	writer.of_place = calloc(stacks->profile->places.count, sizeof(*writer.of_place));
	if (!writer.of_place)
		return -ENOMEM;
	if (deflateInit2(&writer.zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
			 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(writer.of_place);
		return -ENOMEM;
	}
	put_header(&writer);
	for (size_t i = 0; i < stacks->count && !writer.code; i++)
		put_stack(&writer, &stacks->items[i]);
	put_mappings(&writer);
	put_functions(&writer);
	put_strings(&writer);
	if (!writer.code)
		compress_bytes(&writer, NULL, 0, Z_FINISH);
	deflateEnd(&writer.zip);
	names_clear(&writer.strings);
	names_clear(&writer.mappings);
	places_clear(&writer.locations);
	free(writer.of_place);
	free(writer.ids);
	free(writer.part);
	return writer.code;
}

int pprof_write(FILE *stream, const struct report *report, const struct report_input *input)
{
	struct stacks stacks;
	int code = stacks_make(&stacks, report, input);

	if (!code)
		code = write_stacks(stream, &stacks, input);
	stacks_clear(&stacks);
	if (code)
		return code;
	return fflush(stream) || ferror(stream) ? -EIO : 0;
}
