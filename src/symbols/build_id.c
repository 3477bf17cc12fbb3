/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t padded(size_t size)
{
	return (size + 3) / 4 * 4;
}

/* Looks through ELF notes: each a header, a name and a description, padded to 4 bytes. */
static void find_in_notes(const char *notes, size_t size, struct build_id *out)
{
	Elf64_Nhdr header; /* the same in ELF32 */

	while (size >= sizeof(header)) {
		memcpy(&header, notes, sizeof(header));
		size_t name = sizeof(header);
		size_t description = name + padded(header.n_namesz);
		size_t next = description + padded(header.n_descsz);
		if (next > size)
			return;
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == sizeof("GNU") &&
		    memcmp(notes + name, "GNU", sizeof("GNU")) == 0 && header.n_descsz > 0 &&
		    header.n_descsz <= BUILD_ID_MAX) {
			out->size = header.n_descsz;
			memcpy(out->bytes, notes + description, out->size);
			return;
		}
		notes += next;
		size -= next;
	}
}

void build_id_of_elf(Elf *elf, struct build_id *out)
{
	size_t count;

	*out = (struct build_id){0};
	if (elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count))
		return;
	for (size_t i = 0; i < count && out->size == 0; i++) {
		GElf_Phdr header;
		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_NOTE)
			continue;
		Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header.p_offset,
						      header.p_filesz, ELF_T_BYTE);
		if (data)
			find_in_notes(data->d_buf, data->d_size, out);
	}
}

void build_id_of_file(const char *path, struct build_id *out)
{
	struct stat status;

	*out = (struct build_id){0};
	/* Not to hang on a pipe that somebody mapped a file of the same name over. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    elf_version(EV_CURRENT) != EV_NONE) {
		Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
		if (elf)
			build_id_of_elf(elf, out);
		elf_end(elf);
	}
	close(fd);
}

static void read_notes(const char *path, struct build_id *out)
{
	char notes[4096];

	*out = (struct build_id){0};
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	find_in_notes(notes, fread(notes, 1, sizeof(notes), file), out);
	fclose(file);
}

void build_id_of_kernel(const char *sys_root, struct build_id *out)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/kernel/notes", sys_root ? sys_root : "/sys");
	read_notes(path, out);
}

void build_id_of_module(const char *sys_root, const char *name, struct build_id *out)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/module/%s/notes/.note.gnu.build-id",
		 sys_root ? sys_root : "/sys", name);
	read_notes(path, out);
}
