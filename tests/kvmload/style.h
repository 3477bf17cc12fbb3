/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_STYLE_H
#define KVMLOAD_STYLE_H

#include "plan.h"

#define STYLE_MAX_ARGUMENTS 24

/* A command line: argv[0] to argv[count - 1], then NULL; the strings are owned by it. */
struct command_line {
	char *argv[STYLE_MAX_ARGUMENTS + 1];
	unsigned count;
};

/* The style of this name; -ENOENT for none. */
int style_parse(const char *text, enum style *style);

/* Does the VMM's command line tell a UUID? */
bool style_has_uuid(enum style style);

/*
 * The command line of the VM's process, as the style's VMM would have it, with the internal
 * '--kvmload-fd FD' at its end. -ENOMEM.
 */
int style_command_line(const struct plan *plan, int fd, struct command_line *line);
void command_line_free(struct command_line *line);

/* comm of the VMM's main thread. */
const char *style_comm(enum style style);

/*
 * The name of vCPU or I/O thread number index, cut to 15 characters as comm is; empty where the
 * style's VMM gives none and the thread keeps that of its creator.
 */
void style_vcpu_name(enum style style, unsigned index, char name[16]);
void style_iothread_name(enum style style, unsigned index, char name[16]);

#endif
