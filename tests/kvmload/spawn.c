/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "style.h"

static int make_uuid(char uuid[37], struct error *error)
{
	static const char path[] = "/proc/sys/kernel/random/uuid";
	FILE *file = fopen(path, "re");
	bool good = file && fgets(uuid, 37, file) && strlen(uuid) == 36;

	if (file)
		fclose(file);
	return good ? 0 : error_set(error, -EIO, "cannot read %s", path);
}

/* The plan of one VM, made of the plan of all. */
static int make_plan(const struct options *options, unsigned index, struct plan *plan,
		     struct error *error)
{
	const struct plan *all = &options->plan;
	int length;

	*plan = *all;
	plan->first_vcpu = index * all->vcpus;
	length = snprintf(plan->name, sizeof(plan->name), "%s%u", all->name, index + 1);
	if (length < 0 || (size_t)length >= sizeof(plan->name))
		return error_set(error, -EINVAL, "the name %s is too long", all->name);
	if (all->tap_count > 0 && options->total > 1) {
		plan->tap_count = 1;
		if (all->tap_count > 1)
			length = snprintf(plan->taps[0], IFNAMSIZ, "%s", all->taps[index]);
		else
			length = snprintf(plan->taps[0], IFNAMSIZ, "%s%u", all->taps[0],
					  index + 1);
		if (length < 0 || length >= IFNAMSIZ)
			return error_set(error, -EINVAL, "the tap's name %s%u is too long",
					 all->taps[0], index + 1);
	}
	return style_has_uuid(plan->style) ? make_uuid(plan->uuid, error) : 0;
}

/* In the child: becomes the VM, or ends. Only async-signal-safe calls. */
__attribute__((noreturn)) static void become_vm(pid_t parent, const int *keep, size_t count,
						char **argv)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		for (size_t i = 0; i < count; i++)
			if (keep[i] >= 0)
				(void)fcntl(keep[i], F_SETFD, 0);
		execv("/proc/self/exe", argv);
	}
	_exit(EXIT_FAILED);
}

int spawn_vm(const struct options *options, unsigned index, int go_fd, int status_fd,
	     pid_t *pid, struct vm_state **out, struct error *error)
{
	pid_t parent = getpid();
	struct command_line line;
	struct vm_state *state;
	struct plan plan;
	int state_fd;
	int status = make_plan(options, index, &plan, error);

	if (status == 0)
		status = state_new(&state, &plan, &state_fd, error);
	if (status < 0)
		return status;
	state->parent = parent;
	state->go_fd = go_fd;
	state->status_fd = status_fd;
	status = style_command_line(&plan, state_fd, &line);
	if (status == 0) {
		const int keep[] = {state_fd, go_fd, status_fd};

		*pid = fork();
		if (*pid == 0)
			become_vm(parent, keep, sizeof(keep) / sizeof(keep[0]), line.argv);
		if (*pid < 0)
			status = -errno;
		command_line_free(&line);
	}
	close(state_fd);
	if (status < 0) {
		state_free(state);
		return error_set(error, status, "cannot start a VM: %s", strerror(-status));
	}
	*out = state;
	return 0;
}
