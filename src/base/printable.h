/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_PRINTABLE_H
#define KVMPERF_BASE_PRINTABLE_H

/* Puts '?' for control characters and for what is not UTF-8; the length stays. */
void printable(char *text);

#endif
