/* estimate.h: how much memory and how long a run takes, told before it starts.
 *
 * The true code runs once on a table that computes nothing (kernels_count) and tells the exact
 * bytes and products; the time is the products over the speed that this machine shows in a few
 * products of the model's own shapes. */
#pragma once

#include "engine/svdiff.h"

/* Whether the machine has the memory that learning takes at least, weights kept in factors and
 * segments run again on the way back. False with what is needed and what is there; also where the
 * options or the pictures are wrong. */
bool estimate_check_learn(svdiff *s, const struct svdiff_learn_options *options, GError **error);
