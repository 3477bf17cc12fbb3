/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_PERF_DATA_FORMAT_H
#define KVMPERF_PERF_DATA_FORMAT_H

/*
 * The layout of perf.data, for what reads and what writes it; all numbers are little-endian.
 * Sources: tools/perf/Documentation/perf.data-file-format.txt, tools/perf/util/header.h and
 * tools/lib/perf/include/perf/event.h of Linux. The records that the kernel makes are in
 * <linux/perf_event.h>.
 *
 * A file is: the header; the attributes, each with a section of event ids; the data, which is
 * records one after the other; then a table of sections, one for each bit set in features, in
 * rising order, and what the table refers to. A pipe is: magic and size, then records; what the
 * file's header tells comes as records of the types 64 and up.
 */

#include <stdint.h>

/* "PERFILE2" */
#define PERF_DATA_MAGIC 0x32454c4946524550ULL

struct perf_data_section {
	uint64_t offset; /* from the beginning of the file */
	uint64_t size;	 /* bytes */
};

#define PERF_DATA_FEATURE_BITS 256

struct perf_data_header {
	uint64_t magic;
	uint64_t size;			    /* of this struct; 16 means a pipe */
	uint64_t attr_size;		    /* of one entry of attrs: attribute and section */
	struct perf_data_section attrs;	    /* array of perf_event_attr + perf_data_section */
	struct perf_data_section data;	    /* size 0: not finished, goes to the file's end */
	struct perf_data_section old_types; /* not used since 3.x */
	uint64_t features[PERF_DATA_FEATURE_BITS / 64];
};

#define PERF_DATA_HEADER_SIZE	   104
#define PERF_DATA_PIPE_HEADER_SIZE 16

_Static_assert(sizeof(struct perf_data_header) == PERF_DATA_HEADER_SIZE, "as perf lays it out");

/* Bits of features, and feat_id of PERF_RECORD_HEADER_FEATURE. */
enum perf_data_feature {
	PERF_FEATURE_TRACING_DATA = 1,
	PERF_FEATURE_BUILD_ID = 2,   /* struct perf_data_build_id, one after the other */
	PERF_FEATURE_HOSTNAME = 3,   /* a string: see struct perf_data_string */
	PERF_FEATURE_OSRELEASE = 4,  /* string */
	PERF_FEATURE_VERSION = 5,    /* string: of perf */
	PERF_FEATURE_ARCH = 6,	     /* string: uname -m */
	PERF_FEATURE_NRCPUS = 7,     /* uint32_t available (configured), then online */
	PERF_FEATURE_CPUDESC = 8,    /* string */
	PERF_FEATURE_CPUID = 9,	     /* string */
	PERF_FEATURE_TOTAL_MEM = 10, /* uint64_t: KiB */
	PERF_FEATURE_CMDLINE = 11,   /* uint32_t count, strings */
	PERF_FEATURE_EVENT_DESC = 12,
	PERF_FEATURE_CPU_TOPOLOGY = 13,
	PERF_FEATURE_NUMA_TOPOLOGY = 14,
	PERF_FEATURE_BRANCH_STACK = 15,
	PERF_FEATURE_PMU_MAPPINGS = 16,
	PERF_FEATURE_GROUP_DESC = 17,
	PERF_FEATURE_AUXTRACE = 18,
	PERF_FEATURE_STAT = 19,
	PERF_FEATURE_CACHE = 20,
	PERF_FEATURE_SAMPLE_TIME = 21, /* uint64_t: time of the first sample, of the last; ns */
	PERF_FEATURE_MEM_TOPOLOGY = 22,
	PERF_FEATURE_CLOCKID = 23, /* uint64_t: clock resolution, ns */
	PERF_FEATURE_DIR_FORMAT = 24,
	PERF_FEATURE_BPF_PROG_INFO = 25,
	PERF_FEATURE_BPF_BTF = 26,
	PERF_FEATURE_COMPRESSED = 27, /* struct perf_data_compression */
	PERF_FEATURE_CPU_PMU_CAPS = 28,
	PERF_FEATURE_CLOCK_DATA = 29, /* struct perf_data_clock */
	PERF_FEATURE_HYBRID_TOPOLOGY = 30,
	PERF_FEATURE_PMU_CAPS = 31,
	/*
	 * kvmperf's own: JSON text (UTF-8, no 0 at its end), what `kvmperf record` knows and
	 * perf has no place for; see docs/recording-format.md. Perf walks the features it knows
	 * only (perf_header__process_sections() ends at HEADER_LAST_FEATURE), and the last bit
	 * has the last place in the table, so that no other section moves. In a pipe it can't
	 * be sent: perf report ends at a feature it doesn't know (process_feature_event()).
	 */
	PERF_FEATURE_KVMPERF = 255,
};

/* len counts what follows, padding included; the text ends with 0. */
struct perf_data_string {
	uint32_t len;
	char text[];
};

struct perf_data_compression {
	uint32_t version; /* 1 */
	uint32_t type;	  /* 1: zstd */
	uint32_t level;
	uint32_t ratio;
	uint32_t mmap_len; /* of the ring that the records were taken from */
};

/* Ties the samples' clock to the wall clock: both read at the same time, ns. */
struct perf_data_clock {
	uint32_t version; /* 1 */
	uint32_t clockid; /* of the samples */
	uint64_t wall_ns; /* CLOCK_REALTIME */
	uint64_t clockid_ns;
};

/* Types of the records that perf makes itself. */
enum perf_data_record_type {
	PERF_RECORD_HEADER_ATTR = 64,	    /* perf_event_attr (attr.size bytes), ids */
	PERF_RECORD_HEADER_EVENT_TYPE = 65, /* not used since 3.x */
	/* struct perf_data_payload; payload bytes follow the record, which doesn't count them
	 */
	PERF_RECORD_HEADER_TRACING_DATA = 66,
	PERF_RECORD_HEADER_BUILD_ID = 67, /* struct perf_data_build_id */
	/* All records of the round before the last one have been written: perf.data(5) */
	PERF_RECORD_FINISHED_ROUND = 68,
	PERF_RECORD_ID_INDEX = 69,
	PERF_RECORD_AUXTRACE_INFO = 70,
	/* struct perf_data_auxtrace; payload bytes follow the record, which doesn't count them
	 */
	PERF_RECORD_AUXTRACE = 71,
	PERF_RECORD_AUXTRACE_ERROR = 72,
	PERF_RECORD_THREAD_MAP = 73,
	PERF_RECORD_CPU_MAP = 74,
	PERF_RECORD_STAT_CONFIG = 75,
	PERF_RECORD_STAT = 76,
	PERF_RECORD_STAT_ROUND = 77,
	PERF_RECORD_EVENT_UPDATE = 78,
	PERF_RECORD_TIME_CONV = 79,
	PERF_RECORD_HEADER_FEATURE = 80, /* uint64_t feat_id, then as in the section */
	PERF_RECORD_COMPRESSED = 81, /* zstd frames or parts of them, up to the record's end */
	PERF_RECORD_FINISHED_INIT = 82,
	PERF_RECORD_COMPRESSED2 = 83, /* uint64_t data_size, then that many bytes, padding */
	PERF_RECORD_BPF_METADATA = 84,
};

/* As struct perf_event_header, which begins every record; size includes it. */
struct perf_data_record {
	uint32_t type;
	uint16_t misc;
	uint16_t size;
};

/* misc of PERF_RECORD_HEADER_BUILD_ID: build_id_size is filled in (5.11 and later) */
#define PERF_DATA_MISC_BUILD_ID_SIZE (1U << 15)

struct perf_data_build_id {
	struct perf_data_record header;
	int32_t pid; /* -1: host; else of the guest's machine */
	uint8_t build_id[20];
	uint8_t build_id_size;
	uint8_t reserved[3];
	char filename[]; /* ended with 0, padded to a multiple of 8 bytes */
};

/*
 * PERF_RECORD_EVENT_UPDATE. Perf takes an update of a type it doesn't know for nothing, also
 * in a pipe (perf_event__process_event_update()), so kvmperf sends what section 255 will have
 * in records of this type while it records: a file that was cut off still has it. Each text is
 * one JSON object as docs/recording-format.md describes it, in as many records as it needs.
 */
#define PERF_DATA_UPDATE_KVMPERF 0x667265706d766b00ULL /* "\0kvmperf" */

#define PERF_DATA_UPDATE_NAME 2 /* the event's name, ended with 0, follows */

struct perf_data_event_update {
	struct perf_data_record header;
	uint64_t type;
	uint64_t id; /* any of the event */
};

struct perf_data_recording_part {
	struct perf_data_record header; /* size is a multiple of 8 */
	uint64_t type;			/* PERF_DATA_UPDATE_KVMPERF */
	uint64_t id;			/* of an event of the file, as perf demands */
	uint32_t part;			/* 0 to parts - 1, in order */
	uint32_t parts;
	uint32_t size; /* of this part's text, bytes */
	uint32_t reserved;
	char text[];
};

struct perf_data_payload {
	struct perf_data_record header;
	uint32_t size;
};

struct perf_data_auxtrace {
	struct perf_data_record header;
	uint64_t size; /* of the payload */
	uint64_t offset;
	uint64_t reference;
	uint32_t idx;
	uint32_t tid;
	uint32_t cpu;
	uint32_t reserved;
};

#endif
