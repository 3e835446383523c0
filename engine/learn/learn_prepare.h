/* learn_prepare.h: everything that is done once before the first step of learning, but reading. */
#pragma once

#include "engine/learn/run/learn_run.h"

struct learning {
    struct learner *learner;
    struct learn_run *run;
};

/* Makes the lesson complete, reads the networks, makes them spectral, and sizes the tape. To be
 * finished by the caller in any case, before the lesson is freed. */
bool learning_prepare(struct learning *x, struct lesson *lesson, progress_function progress,
                      void *user, GError **error);
void learning_finish(struct learning *x); // accepts a zeroed one
