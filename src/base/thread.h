/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_BASE_THREAD_H
#define KVMPERF_BASE_THREAD_H

/* How often the calling thread had to leave the CPU to others so far (getrusage(2)). */
long thread_preemptions(void);

#endif
