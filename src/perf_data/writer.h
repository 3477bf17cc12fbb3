/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_WRITER_H
#define KVMPERF_PERF_DATA_WRITER_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "perf_data/format.h"

/*
 * Writes a perf.data file with one event, in perf's format. The header on disk is true at any
 * moment after perf_data_writer_flush(): should the program end in the middle, or the disk be
 * full, the file is one that perf reads, up to the last flush.
 */
struct perf_data_writer;

struct perf_data_target {
	int fd;		  /* written from its beginning, not owned */
	const char *name; /* for error lines; not owned */
	bool pipe;	  /* perf's pipe format: fd is never sought, and has no features */
};

/*
 * Writes header, attribute, and the event's ids and, in a pipe, its name. *out is owned by the
 * caller (perf_data_writer_free, which does not close fd). All functions' errors: -errno of
 * write(2) and so on, the line names the file; -ENOMEM.
 */
int perf_data_writer_new(struct perf_data_writer **out, const struct perf_data_target *target,
			 const struct perf_event_attr *attr, const uint64_t *ids,
			 size_t id_count, const char *event_name, struct error *error);

/* Adds whole records as they are, without copying: the parts of a ring (at most 2). */
int perf_data_write_records(struct perf_data_writer *writer, const struct iovec *parts,
			    size_t count, struct error *error);

/*
 * Adds one record: the header, whose size is filled in here, and a body of length bytes, which
 * is padded to a multiple of 8. With trailer come the fields of sample_id_all, all zero, as
 * perf writes them for records that it makes itself. The record waits in a buffer.
 * -EMSGSIZE when it is longer than a record can be.
 */
int perf_data_write_record(struct perf_data_writer *writer, uint32_t type, uint16_t misc,
			   const void *body, size_t length, bool trailer, struct error *error);

/* Adds the text in records of PERF_DATA_UPDATE_KVMPERF. */
int perf_data_write_recording(struct perf_data_writer *writer, const char *text, size_t length,
			      struct error *error);

/* Writes what waits, then says in the header how much data there is. */
int perf_data_writer_flush(struct perf_data_writer *writer, struct error *error);

struct perf_data_feature_section {
	unsigned bit; /* enum perf_data_feature */
	const void *data;
	size_t size;
};

/*
 * Flushes and writes the features, in rising order of bit. When there is no room for them the
 * file stays valid without. To be called also after a failed write: the data that was written
 * whole is kept, and half a record is cut off.
 */
int perf_data_writer_finish(struct perf_data_writer *writer,
			    const struct perf_data_feature_section *features, size_t count,
			    struct error *error);

/* The size of the file so far, with what waits, bytes. */
uint64_t perf_data_writer_size(const struct perf_data_writer *writer);

void perf_data_writer_free(struct perf_data_writer *writer);

#endif
