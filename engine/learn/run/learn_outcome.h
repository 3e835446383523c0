/* learn_outcome.h: what a step came to: its losses, the length of its gradient, and what it began with.
 *
 * A device with memory of its own goes on with the next step before that is known: it is on its way to
 * the host meanwhile (`late`). Whoever needs it now, since something is written, shown, traced, shared
 * or decided by it, settles the step. */
#pragma once

#include "kernels/kernels.h"

struct learn_run;

// means over the rows of subjects and over those of the prior, 0 where a step has none of these
struct learn_losses {
    double instance, prior;
};

// value, first and second moment, [parameters.count] each; of tables with the host's memory the first
#define LEARN_ARRAYS 3

struct learn_outcome {
    int step;     // whose it is
    bool pending; // nobody knows it yet
    int n;        // micro-batches of this process so far
    int prior;    // rows of the prior in each of them
    int *places;  // [n]: losses that each row has, one or with a map one a place
    real *losses; // [n, most of them], as they were before the step
    double squares;
    float *arrays[LEARN_ARRAYS]; // NULL: not kept
};

/* Whether steps are settled while the next one is computed. */
bool learn_outcome_late(const struct learn_run *r);

/* A step begins; each of its micro-batches was run; all were, and the gradient is complete. */
void learn_outcome_begin(struct learn_run *r);
void learn_outcome_add(struct learn_run *r);
void learn_outcome_end(struct learn_run *r);

/* The losses of the micro-batch that was added last, waited for. */
bool learn_outcome_losses(struct learn_run *r, struct learn_losses *losses, GError **error);
/* Makes the sums over all micro-batches of the step, those of other processes included, its losses: r->loss,
 * r->prior_loss. */
void learn_outcome_sums(struct learn_run *r, const struct learn_losses *sums);

/* Waits for what step `step` came to, if nobody did: its losses, the norm of the gradient, and as good what
 * it began with, if both are numbers. False with an error where they are not, or the device failed.
 * *skipped: the step is to be left out, since its gradient was multiplied by too much (may be NULL). */
bool learn_outcome_settle(struct learn_run *r, int step, bool *skipped, GError **error);
/* All that are pending. */
bool learn_outcome_settle_all(struct learn_run *r, GError **error);

/* What the host takes for values that are kept, where its memory is the device's. */
uint64_t learn_outcome_bytes(const struct learn_run *r);

void learn_outcome_finish(struct learn_run *r);
