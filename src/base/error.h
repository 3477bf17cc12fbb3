/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_ERROR_H
#define KVMPERF_BASE_ERROR_H

/* What went wrong, in one line for the user. */
struct error {
	int code;	   /* negative errno; 0 when nothing failed */
	char message[400]; /* what failed, on what, what to do; no newline */
};

/*
 * Fills error (which may be NULL) and returns code, so that a function can end
 * with 'return error_set(error, -ENOENT, "...")'. code is a negative errno.
 * The message is cut when it is longer than the field.
 */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds text in front of the message that is already there; returns its code. */
int error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Exit codes of the program; the output contract in ../shared/design.md, section 5. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_UNAVAILABLE = 3, /* a missing privilege or kernel feature */
};

/*
 * The exit code that belongs to error->code: a missing privilege (EPERM, EACCES) or kernel
 * feature (ENOSYS, EOPNOTSUPP, ENOTSUP) is EXIT_UNAVAILABLE, EINVAL is EXIT_USAGE, the rest
 * EXIT_FAILED. A library function that means a bad file must not use EINVAL (use EBADMSG),
 * nor EACCES for an output that can't be written (use EROFS or EIO).
 */
enum exit_code error_exit_code(const struct error *error);

#endif
