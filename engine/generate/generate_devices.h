/* generate_devices.h: drawing on one device or on several of a session. */
#pragma once

#include "engine/base/progress.h"
#include "engine/svdiff.h"

/* generate.c: on the session's own device, those pictures that are the session's (struct svdiff, share). */
bool generate_alone(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                    progress_function progress, void *user, GError **error);

/* The same of pictures that are drawn once: hires.h draws with it. */
bool generate_once(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                   progress_function progress, void *user, GError **error);

/* How many of the session's devices these pictures are drawn on: a trace is of the first picture alone. */
int generate_devices(const svdiff *s, const struct svdiff_generate_options *options);

/* Each device of the session draws every so manieth picture; they are taken by the thread that calls, as they come. */
bool generate_on_devices(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                         progress_function progress, void *user, GError **error);
