/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/file_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

struct function {
	uint64_t start; /* ELF virtual address */
	uint64_t end;	/* start, when the symbol has no size */
	const char *name;
};

struct segment {
	uint64_t offset, end; /* in the file */
	uint64_t address;
};

/* A file whose symbols were looked for; without functions when there are none. */
struct symbol_file {
	char *path;
	Elf *elf; /* owns the functions' names */
	int fd;
	struct function *functions; /* rising by start */
	size_t count, room;
	struct segment *segments;
	size_t segment_count, segment_room;
};

struct file_symbols {
	bool trust_paths;
	struct symbol_file *files; /* few: searched one by one */
	size_t count, room;
	size_t last;
};

struct file_symbols *file_symbols_new(bool trust_paths)
{
	struct file_symbols *files = calloc(1, sizeof(*files));

	elf_version(EV_CURRENT);
	if (files)
		files->trust_paths = trust_paths;
	return files;
}

static int compare_functions(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

static void read_segments(struct symbol_file *file)
{
	size_t headers;

	if (elf_getphdrnum(file->elf, &headers))
		return;
	for (size_t i = 0; i < headers; i++) {
		GElf_Phdr header;
		if (!gelf_getphdr(file->elf, (int)i, &header) || header.p_type != PT_LOAD ||
		    array_reserve(&file->segments, &file->segment_room, file->segment_count + 1,
				  sizeof(*file->segments)))
			continue;
		file->segments[file->segment_count++] = (struct segment){
			header.p_offset, header.p_offset + header.p_filesz, header.p_vaddr};
	}
}

static void read_section(struct symbol_file *file, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		GElf_Sym symbol;
		if (!gelf_getsym(data, (int)i, &symbol))
			break;
		int type = GELF_ST_TYPE(symbol.st_info);
		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF)
			continue;
		const char *name = elf_strptr(file->elf, header->sh_link, symbol.st_name);
		if (!name || !*name ||
		    array_reserve(&file->functions, &file->room, file->count + 1,
				  sizeof(*file->functions)))
			continue;
		file->functions[file->count++] = (struct function){
			symbol.st_value, symbol.st_value + symbol.st_size, name};
	}
}

/* .symtab has all functions, .dynsym those that others may call. */
static void read_functions(struct symbol_file *file)
{
	static const Elf64_Word wanted[] = {SHT_SYMTAB, SHT_DYNSYM};

	for (size_t i = 0; i < 2 && file->count == 0; i++) {
		Elf_Scn *section = NULL;
		while ((section = elf_nextscn(file->elf, section))) {
			GElf_Shdr header;
			if (gelf_getshdr(section, &header) && header.sh_type == wanted[i])
				read_section(file, section, &header);
		}
	}
	if (file->count > 1)
		qsort(file->functions, file->count, sizeof(*file->functions),
		      compare_functions);
}

static void close_file(struct symbol_file *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	file->elf = NULL;
	file->fd = -1;
}

/* Opens a file when it is the one that is looked for. */
static bool open_file(struct symbol_file *file, const char *path, const struct build_id *wanted)
{
	struct build_id found;

	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return false;
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (file->elf && elf_kind(file->elf) == ELF_K_ELF) {
		if (wanted->size == 0)
			return true;
		build_id_of_elf(file->elf, &found);
		if (found.size == wanted->size &&
		    memcmp(found.bytes, wanted->bytes, found.size) == 0)
			return true;
	}
	close_file(file);
	return false;
}

/* Takes the functions of the file at path, and its segments when none are known yet. */
static bool load(struct symbol_file *file, const char *path, const struct build_id *wanted)
{
	if (file->count || !open_file(file, path, wanted))
		return false;
	if (file->segment_count == 0)
		read_segments(file);
	read_functions(file);
	if (file->count)
		return true;
	close_file(file);
	return false;
}

static void load_by_build_id(struct symbol_file *file, const struct build_id *id,
			     const char *original)
{
	char hex[2 * sizeof(id->bytes) + 1] = "", path[512];
	const char *home = getenv("HOME");

	for (size_t i = 0; i < id->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", id->bytes[i]);
	/* A debug file has no code, so its segments tell no offsets: those of the program do.
	 */
	if (open_file(file, original, id)) {
		read_segments(file);
		close_file(file);
	}
	snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
	if (file->segment_count && load(file, path, id))
		return;
	if (load(file, original, id) || !home)
		return;
	snprintf(path, sizeof(path), "%s/.debug/.build-id/%.2s/%s/elf", home, hex, hex + 2);
	load(file, path, id);
}

static struct symbol_file *file_of(struct file_symbols *files, const char *path,
				   const struct build_id *build_id)
{
	if (files->last < files->count && strcmp(files->files[files->last].path, path) == 0)
		return &files->files[files->last];
	for (files->last = 0; files->last < files->count; files->last++)
		if (strcmp(files->files[files->last].path, path) == 0)
			return &files->files[files->last];
	if (array_reserve(&files->files, &files->room, files->count + 1, sizeof(*files->files)))
		return NULL;
	struct symbol_file *file = &files->files[files->count];
	*file = (struct symbol_file){.path = strdup(path), .fd = -1};
	if (!file->path)
		return NULL;
	files->count++;
	if (build_id->size)
		load_by_build_id(file, build_id, path);
	else if (files->trust_paths)
		load(file, path, build_id);
	return file;
}

const char *file_symbols_find(struct file_symbols *files, const char *path,
			      const struct build_id *build_id, uint64_t offset)
{
	struct symbol_file *file = file_of(files, path, build_id);
	size_t low = 0, high = file ? file->count : 0;
	uint64_t address = 0;
	bool found = false;

	for (size_t i = 0; file && i < file->segment_count; i++) {
		const struct segment *segment = &file->segments[i];
		if (offset < segment->offset || offset >= segment->end)
			continue;
		address = offset - segment->offset + segment->address;
		found = true;
	}
	if (!found)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const struct function *function = &file->functions[low - 1];
	/* Of several names at one address the last may be the one without a size. */
	while (function > file->functions && function->end <= address &&
	       function[-1].start == function->start)
		function--;
	return address < function->end ? function->name : NULL;
}

void file_symbols_free(struct file_symbols *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++) {
		close_file(&files->files[i]);
		free(files->files[i].path);
		free(files->files[i].functions);
		free(files->files[i].segments);
	}
	free(files->files);
	free(files);
}
