/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_COMMAND_COMMAND_H
#define KVMPERF_COMMAND_COMMAND_H

/*
 * The subcommands. argv[0] is the subcommand's name; the result is the program's exit code
 * (enum exit_code in base/error.h). What failed was said on stderr, in one line.
 */
int command_calibrate(int argc, char **argv);
int command_list(int argc, char **argv);
int command_record(int argc, char **argv);
int command_report(int argc, char **argv);
int command_stat(int argc, char **argv);

#endif
