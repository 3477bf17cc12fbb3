/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_SYMBOLS_NETWORK_H
#define KVMPERF_SYMBOLS_NETWORK_H

#include <stdbool.h>

/* Is it known by its name to move packets? Protocols, filters, virtual devices, NIC drivers. */
bool network_is_known(const char *subsystem);

/*
 * Calls visit with the name of each loaded module that drives a network interface, as
 * net_class (/sys/class/net) links to it. Unreadable links are passed over.
 */
void network_each_driver(const char *net_class, void (*visit)(void *data, const char *module),
			 void *data);

#endif
