/* learn_prepare.h: everything that is done once before the first step of learning. */
#pragma once

#include "engine/learn/run/learn_run.h"

struct learning {
    struct lesson *lesson;
    struct learner *learner;
    struct learn_run *run;
};

/* Checks the options, encodes the pictures, reads the networks, makes them spectral, and sizes the
 * tape. To be finished by the caller in any case. */
bool learning_prepare(struct learning *x, svdiff *s, const struct svdiff_learn_options *o,
                      progress_function progress, void *user, GError **error);
void learning_finish(struct learning *x); // accepts a zeroed one
