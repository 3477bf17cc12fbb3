/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMLOAD_FLEET_H
#define KVMLOAD_FLEET_H

#include "base/error.h"
#include "options.h"

/*
 * Starts the VMs, lets them work and stops them; prints the truth to standard output. None of
 * them outlives the call, nor the process. Returns 0 or the error.
 */
int fleet_run(const struct options *options, struct error *error);

#endif
