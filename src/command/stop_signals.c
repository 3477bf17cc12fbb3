/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/stop_signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int stop_signals_open(int *fd, struct error *error)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return error_set(error, -errno, "cannot block signals: %m");
	*fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd < 0 ? error_set(error, -errno, "cannot wait for signals: %m") : 0;
}

bool stop_signals_take(int fd, struct child *child)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			stop = true;
		else
			child_check(child);
	}
	return stop || child->ended;
}
