/* learn_devices.h: learning on one device or on several of a session. */
#pragma once

#include "engine/base/progress.h"
#include "engine/svdiff.h"

/* learn.c: on the session's own device, alone or as one of a group. */
bool learn_alone(svdiff *s, const struct svdiff_learn_options *options, progress_function progress,
                 void *user, GError **error);

/* On all devices of the session: what is learned is what one learns with so many times --accumulate. False with
 * the error of the one to which it happened. */
bool learn_on_devices(svdiff *s, const struct svdiff_learn_options *options,
                      progress_function progress, void *user, GError **error);
