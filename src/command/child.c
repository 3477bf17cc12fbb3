/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a command may take to end after SIGTERM. */
#define PATIENCE_MS 2000

static _Noreturn void run_command(char **command, int go_fd, int error_fd)
{
	sigset_t none;
	char byte;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(go_fd, &byte, 1) == 1) {
		execvp(command[0], command);
		int code = errno;
		(void)!write(error_fd, &code, sizeof(code));
	}
	_exit(127);
}

int child_prepare(struct child *child, char **command, struct error *error)
{
	int go[2], failure[2];

	*child = (struct child){.pid = -1};
	if (pipe2(go, O_CLOEXEC) < 0)
		return error_set(error, -errno, "cannot make a pipe: %m");
	if (pipe2(failure, O_CLOEXEC) < 0) {
		int code = error_set(error, -errno, "cannot make a pipe: %m");
		close(go[0]);
		close(go[1]);
		return code;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(go[1]);
		run_command(command, go[0], failure[1]);
	}
	int code = pid < 0 ? error_set(error, -errno, "cannot start %s: %m", command[0]) : 0;
	close(go[0]);
	close(failure[1]);
	child->pid = pid;
	child->go_fd = go[1];
	child->error_fd = failure[0];
	if (code) {
		close(child->go_fd);
		close(child->error_fd);
	}
	return code;
}

int child_go(struct child *child, const char *name, struct error *error)
{
	int failure = 0;

	bool told = write(child->go_fd, "", 1) == 1;
	close(child->go_fd);
	/* The other end closes at the exec. */
	ssize_t length = told ? read(child->error_fd, &failure, sizeof(failure)) : -1;
	close(child->error_fd);
	child->go_fd = child->error_fd = -1;
	if (length == sizeof(failure)) {
		errno = failure;
		/* Not a privilege that kvmperf lacks, whatever the errno is. */
		return error_set(error, -ENOEXEC, "cannot run %s: %m", name);
	}
	return told ? 0 : error_set(error, -ECHILD, "%s ended before it could start", name);
}

void child_check(struct child *child)
{
	if (child->pid > 0 && !child->ended &&
	    waitpid(child->pid, &child->status, WNOHANG) == child->pid)
		child->ended = true;
}

void child_say_status(const struct child *child, const char *who, const char *name)
{
	if (!child->ended)
		return;
	if (WIFEXITED(child->status) && WEXITSTATUS(child->status))
		fprintf(stderr, "%s: %s exited with status %d\n", who, name,
			WEXITSTATUS(child->status));
	else if (WIFSIGNALED(child->status))
		fprintf(stderr, "%s: %s was ended by signal %d\n", who, name,
			WTERMSIG(child->status));
}

void child_end(struct child *child)
{
	if (child->pid <= 0)
		return;
	if (child->go_fd > 0)
		close(child->go_fd);
	if (child->error_fd > 0)
		close(child->error_fd);
	if (!child->ended) {
		kill(child->pid, SIGTERM);
		for (int i = 0; i < PATIENCE_MS && !child->ended; i++) {
			usleep(1000);
			child_check(child);
		}
	}
	if (!child->ended) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
			;
		child->ended = true;
	}
}
