/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "burn.h"

/* IEEE 802 local experimental EtherType: nobody answers it. */
#define ETHERTYPE_LOCAL 0x88b5

/* A thread that is late catches up with this many frames a tap at most, and drops the rest. */
#define MAX_BATCH 1024

static int bring_up(const char *name, struct error *error)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int status = 0;

	if (fd < 0)
		return error_set(error, -errno, "cannot make a socket: %m");
	strcpy(request.ifr_name, name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		status = -errno;
	request.ifr_flags |= IFF_UP;
	if (status == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		status = -errno;
	close(fd);
	return status == 0 ? 0
			   : error_set(error, status, "cannot bring up tap %s: %s", name,
				       strerror(-status));
}

/* A macvtap has a device file of its own, with its interface's number (drivers/net/tap.c). */
static void device_file(const char *name, char *path, size_t size)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "/sys/class/net/%s/macvtap", name);
	if (access(folder, F_OK) == 0)
		snprintf(path, size, "/dev/tap%u", if_nametoindex(name));
	else
		snprintf(path, size, "/dev/net/tun");
}

static int open_tap(const char *name, int *out, struct error *error)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	char path[32];

	device_file(name, path, sizeof(path));
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, -errno, "cannot open %s: %m", path);
	strcpy(request.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		error_set(error, -errno, "cannot attach tap %s: %m", name);
		close(fd);
		return error->code;
	}
	*out = fd;
	return bring_up(name, error);
}

/* A broadcast from a random local address, so that a bridge floods it. */
static int make_frame(struct taps *taps, unsigned size)
{
	struct ethhdr header = {.h_proto = htobe16(ETHERTYPE_LOCAL)};

	memset(header.h_dest, 0xff, ETH_ALEN);
	if (getrandom(header.h_source, ETH_ALEN, 0) != ETH_ALEN)
		return -EIO;
	header.h_source[0] = 0x02;
	taps->frame = calloc(1, size);
	if (!taps->frame)
		return -ENOMEM;
	memcpy(taps->frame, &header, sizeof(header));
	taps->frame_size = size;
	return 0;
}

int taps_open(struct taps *taps, const struct plan *plan, struct error *error)
{
	int status;

	*taps = (struct taps){.packets_per_second = plan->tap_packets_per_second};
	for (unsigned i = 0; i < PLAN_MAX_TAPS; i++)
		taps->fds[i] = -1;
	if (plan->tap_count == 0)
		return 0;
	status = make_frame(taps, plan->tap_bytes);
	if (status < 0)
		return error_set(error, status, "cannot make a frame to send");
	for (unsigned i = 0; i < plan->tap_count; i++) {
		taps->count++;
		status = open_tap(plan->taps[i], &taps->fds[i], error);
		if (status < 0)
			return status;
	}
	return 0;
}

void taps_close(struct taps *taps)
{
	for (unsigned i = 0; i < taps->count; i++)
		if (taps->fds[i] >= 0)
			close(taps->fds[i]);
	free(taps->frame);
	*taps = (struct taps){0};
}

static void send_due(struct taps *taps, struct thread_account *account)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t due, sent;

	if (taps->start_ns == 0)
		taps->start_ns = now;
	due = (uint64_t)((double)(now - taps->start_ns) / (double)NS_PER_S *
			 taps->packets_per_second);
	for (sent = 0; taps->due + sent < due && sent < MAX_BATCH; sent++) {
		int fd = taps->fds[(taps->due + sent) % taps->count];

		if (write(fd, taps->frame, taps->frame_size) == (ssize_t)taps->frame_size)
			account_add(&account->tap_packets, 1);
		else
			account_add(&account->tap_dropped, 1);
	}
	taps->due = due;
}

static void drain(int fd)
{
	char frame[256]; /* the rest of a longer frame is dropped */

	for (int i = 0; i < MAX_BATCH && read(fd, frame, sizeof(frame)) > 0; i++)
		;
}

void taps_work(struct taps *taps, struct thread_account *account)
{
	uint64_t start = clock_thread_ns();

	if (taps->packets_per_second > 0)
		send_due(taps, account);
	for (unsigned i = 0; i < taps->count; i++)
		drain(taps->fds[i]);
	account_add(&account->kernel_ns, clock_thread_ns() - start);
}
