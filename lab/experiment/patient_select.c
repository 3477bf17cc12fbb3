/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into httperf. Its event loop calls select() with a timeout of zero
 * and so takes a whole CPU, which here is taken from the emulated machine under
 * test. This waits up to one millisecond instead; requests then leave at most
 * that much late.
 */
#include <sys/select.h>

#include <dlfcn.h>

enum { PATIENCE_US = 1000 };

typedef int select_fn(int, fd_set *, fd_set *, fd_set *, struct timeval *);

int select(int nfds, fd_set *readable, fd_set *writable, fd_set *failed,
	   struct timeval *timeout)
{
	static select_fn *real;
	struct timeval patience = {.tv_usec = PATIENCE_US};

	if (!real)
		real = (select_fn *)dlsym(RTLD_NEXT, "select");
	if (timeout && timeout->tv_sec == 0 && timeout->tv_usec == 0)
		timeout = &patience;
	return real(nfds, readable, writable, failed, timeout);
}
