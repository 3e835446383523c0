/* watch.h: how a call shows where it is in GIMP's own progress bar. */
#pragma once

#include "plugin/call.h"

struct watch {
    int64_t told; // microseconds
};

/* Moves GIMP's bar at most ten times a second, and at least once, so that a GIMP that is gone is
 * noticed: the library then ends the process, and the worker follows. */
void watch_progress(struct watch *w, const struct call_progress *p);

/* How far it is, 0 to 1; negative: one cannot say. */
double watch_fraction(const struct call_progress *p);

/* "learn 12 of 500, loss 0.1234, 1:05 left" for people; g_free it. */
char *watch_line(const struct call_progress *p);
