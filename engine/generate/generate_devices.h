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

/* How many of the session's devices `count` pictures, or columns of a strip, are drawn on: a trace is of the first
 * picture alone. */
int generate_devices(const svdiff *s, const struct svdiff_generate_options *options, int count);

/* What several devices draw, each as much of it as is its session's (struct svdiff, share). */
struct generate_work {
    bool (*draw)(svdiff *s, const void *what, svdiff_take take, progress_function progress,
                 void *user, GError **error);
    const void *what; // read by several threads
};

/* On so many devices of the session, 1 or more; what they draw is taken by the thread that calls, as it comes. */
bool generate_on_devices(svdiff *s, int devices, const struct generate_work *work, svdiff_take take,
                         progress_function progress, void *user, GError **error);
