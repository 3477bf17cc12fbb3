/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "burn.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <x86intrin.h>

#include "base/clock.h"

/* A user burst looks at its thread's clock, a system call, this often. */
#define USER_CHUNK_NS NS_PER_MS

/*
 * A kernel burst is made of getrandom() calls: as large as the rest of the burst allows, so
 * that little of it is the user side of system calls. About 160 bytes a us (measured).
 */
#define RANDOM_CHUNK_MIN    256
#define RANDOM_CHUNK_MAX    16384
#define RANDOM_BYTES_PER_US 160

uint64_t burn_ready_ns(pid_t tid)
{
	char path[64];
	uint64_t run, ready = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64 " %" SCNu64, &run, &ready) != 2)
		ready = 0;
	fclose(file);
	return ready;
}

static bool stopped(const bool *stop)
{
	return __atomic_load_n(stop, __ATOMIC_RELAXED);
}

/* Spins for this much time, not counting gaps; returns the sum of the gaps. Ticks of the TSC.
 */
static uint64_t spin(uint64_t ticks, uint64_t gap_ticks)
{
	uint64_t last = __rdtsc();
	uint64_t gaps = 0, spent = 0;

	while (spent < ticks) {
		uint64_t now = __rdtsc();
		uint64_t step = now - last;

		last = now;
		if (step > gap_ticks)
			gaps += step;
		else
			spent += step;
	}
	return gaps;
}

void burn_user(struct thread_account *account, uint64_t ns, double tsc_hz, uint64_t gap_ns,
	       const bool *stop)
{
	double ticks_per_ns = tsc_hz / (double)NS_PER_S;
	uint64_t gap_ticks = (uint64_t)((double)gap_ns * ticks_per_ns);
	uint64_t last = clock_thread_ns();
	uint64_t end = last + ns;

	while (last < end && !stopped(stop)) {
		uint64_t chunk = end - last < USER_CHUNK_NS ? end - last : USER_CHUNK_NS;
		uint64_t gaps = spin((uint64_t)((double)chunk * ticks_per_ns), gap_ticks);
		uint64_t now = clock_thread_ns();

		account_add(&account->user_ns, now - last);
		account_add(&account->user_gap_ns, (uint64_t)((double)gaps / ticks_per_ns));
		last = now;
	}
}

void burn_kernel(struct thread_account *account, uint64_t ns, const bool *stop)
{
	char random[RANDOM_CHUNK_MAX];
	uint64_t last = clock_thread_ns();
	uint64_t end = last + ns;

	while (last < end && !stopped(stop)) {
		size_t size = (end - last) * RANDOM_BYTES_PER_US / 1000;
		uint64_t now;

		if (size < RANDOM_CHUNK_MIN)
			size = RANDOM_CHUNK_MIN;
		if (size > RANDOM_CHUNK_MAX)
			size = RANDOM_CHUNK_MAX;
		if (getrandom(random, size, 0) < 0)
			break;
		now = clock_thread_ns();
		account_add(&account->kernel_ns, now - last);
		last = now;
	}
}

void burn_sleep(struct thread_account *account, uint64_t ns, int stop_fd)
{
	struct timespec timeout = {.tv_sec = (time_t)(ns / NS_PER_S),
				   .tv_nsec = (long)(ns % NS_PER_S)};
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
	uint64_t start = clock_monotonic_ns();

	(void)ppoll(&stop, 1, &timeout, NULL);
	account_add(&account->sleep_ns, clock_monotonic_ns() - start);
}
