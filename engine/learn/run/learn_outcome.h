/* learn_outcome.h: what a step came to: its losses, the length of its gradient, and what it began with.
 *
 * A device with memory of its own goes on with the next step before that is known: it is on its way to
 * the host meanwhile (`late`). Whoever needs it now, since something is written, shown, traced, shared
 * or decided by it, settles the step. */
#pragma once

#include "kernels/kernels.h"

struct learn_run;

// value, first and second moment, [parameters.count] each; of tables with the host's memory the first
#define LEARN_ARRAYS 3

struct learn_outcome {
    int step;     // whose it is
    bool pending; // nobody knows it yet
    int n;        // micro-batches of this process so far
    real *losses; // [n, rows or places], as they were before the step
    double squares;
    float *arrays[LEARN_ARRAYS]; // NULL: not kept
};

/* Whether steps are settled while the next one is computed. */
bool learn_outcome_late(const struct learn_run *r);

/* A step begins; each of its micro-batches was run; all were, and the gradient is complete. */
void learn_outcome_begin(struct learn_run *r);
void learn_outcome_add(struct learn_run *r);
void learn_outcome_end(struct learn_run *r);

/* The loss of the micro-batch that was added last, waited for: the mean over its instance rows. */
bool learn_outcome_loss(struct learn_run *r, double *loss, GError **error);

/* Waits for what step `step` came to, if nobody did: r->loss, the norm of the gradient, and as good what
 * it began with, if both are numbers. False with an error where they are not, or the device failed.
 * *skipped: the step is to be left out, since its gradient was multiplied by too much (may be NULL). */
bool learn_outcome_settle(struct learn_run *r, int step, bool *skipped, GError **error);
/* All that are pending. */
bool learn_outcome_settle_all(struct learn_run *r, GError **error);

/* What the host takes for values that are kept, where its memory is the device's. */
uint64_t learn_outcome_bytes(const struct learn_run *r);

void learn_outcome_finish(struct learn_run *r);
