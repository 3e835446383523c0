/* progress.h: how long work tells where it is, and how it is asked to stop.
 *
 * The engine prints nothing. Whoever starts work hands in a function; it is called often (at every
 * segment of a network), on the thread that works, and its answer false cancels. */
#pragma once

#include "engine/svdiff.h"

/* Estimates what time is left, from a mean of the seconds a step in which the last ten count most.
 * The first step is forgotten once there is a second: it pays for preparations. Begin with {0}. */
struct progress_clock {
    bool running;
    int step, intervals;
    double time;        // when `step` was reached
    double sum, weight; // of the mean
};

/* Seconds left at step of steps; negative before anything can be said. A step smaller than before
 * begins anew. */
double progress_clock_left(struct progress_clock *clock, int step, int steps);

/* The same at a time in seconds. */
double progress_clock_left_at(struct progress_clock *clock, int step, int steps, double now);
