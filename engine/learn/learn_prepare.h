/* learn_prepare.h: everything that is done once before the first step of learning, and the samples
 * that are drawn on the way. */
#pragma once

#include "engine/learn/learner.h"

/* Checks the options, encodes the pictures, reads the networks, makes them spectral, and sizes the
 * tape. Owned by the caller. */
struct learner *learner_create(svdiff *s, const struct svdiff_learn_options *o,
                               progress_function progress, void *user, GError **error);
void learner_free(struct learner *l); // accepts NULL

/* Draws the sample prompt with the shifts as they are and writes OUTPUT-STEP.png. */
bool learner_sample(struct learner *l, GError **error);
