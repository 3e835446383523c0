/* progress.h: how long work tells where it is, and how it is asked to stop.
 *
 * The engine prints nothing. Whoever starts work hands in a function; it is called often (at every
 * segment of a network), on the thread that works, and its answer false cancels. */
#pragma once

#include <stdbool.h>

enum progress_event {
    PROGRESS_STEP,       // work goes on
    PROGRESS_SAMPLE,     // a picture was written to `file`
    PROGRESS_CHECKPOINT, // what is needed to go on later was written to `file`
};

struct progress {
    enum progress_event event;
    const char *phase;   // what is being done, one word: "spectrum", "learn", "generate"
    int step, steps;     // done and all; steps 0: not known
    double loss;         // negative: there is none
    double seconds_left; // of this phase; negative: not known yet
    const char *file;    // of a sample or checkpoint, else NULL
};

/* Valid during the call only. false: stop as soon as possible, with SVDIFF_ERROR_CANCELLED. */
typedef bool (*progress_function)(void *user, const struct progress *p);

/* Estimates what time is left, from a mean of the seconds a step in which the last ten count most.
 * The first step is forgotten once there is a second: it pays for preparations. Begin with {0}. */
struct progress_clock {
    bool running;
    int step, intervals;
    double time;        // when `step` was reached
    double sum, weight; // of the mean
};

/* Seconds left at step of steps; negative before anything can be said. now: seconds of any clock
 * that does not jump. A step smaller than before begins anew. */
double progress_clock_left(struct progress_clock *clock, int step, int steps, double now);
