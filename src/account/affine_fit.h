/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KVMPERF_ACCOUNT_AFFINE_FIT_H
#define KVMPERF_ACCOUNT_AFFINE_FIT_H

#include "account/affine_model.h"
#include "account/work_batch.h"

/*
 * Fits an affine model to batches of network work by least squares, continuously: batches are
 * gathered in windows, and what a window says fades as others follow.
 *
 * A batch's time is batch_ns + sum over classes and directions of packet_ns x packets + byte_ns
 * x bytes. Its scatter grows with its length, so batches weigh as 1 / expected time; those far
 * off (an interrupt in between, a hypervisor that took the CPU) weigh less (Huber, "Robust
 * Estimation of a Location Parameter", 1964). Costs are never negative. What the batches don't
 * tell stays as the model was, in proportion: a class that wasn't seen, or packets and bytes
 * apart where all packets have one size.
 */
struct affine_fit;

/* Starts from the model. NULL without memory. */
struct affine_fit *affine_fit_new(const struct affine_model *start);

/*
 * Adds a batch to the window. Left out are batches of other work, continued ones, those without
 * packets (what a run costs that finds nothing says nothing of packets), and more than the
 * window holds (8192; every so many are taken then).
 */
void affine_fit_add(struct affine_fit *fit, const struct work_batch *batch);

/* What came of the fit. */
struct affine_fit_result {
	uint64_t batches; /* that the model rests on, all windows */
	/*
	 * Of the last window, predicted before it was fitted: the error of the sum of all
	 * batches' times and the mean absolute error of one, as a part of the mean time; < 0:
	 * no window yet.
	 */
	double sum_error;
	double batch_error;
};

/*
 * Ends the window. *model becomes what all windows say, when there were enough batches (100);
 * else it stays. The result is filled either way.
 */
void affine_fit_end_window(struct affine_fit *fit, struct affine_model *model,
			   struct affine_fit_result *result);

void affine_fit_free(struct affine_fit *fit);

#endif
