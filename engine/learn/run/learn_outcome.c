/* What steps came to; see learn_outcome.h. */
#include "engine/learn/run/learn_run.h"

#include "engine/base/error.h"
#include "engine/learn/run/learn_share.h"
#include "engine/tape/transfer.h"

#include <math.h>
#include <string.h>

bool learn_outcome_late(const struct learn_run *r)
{
    // traces, other processes and a scale that follows the gradient ask in the middle of a step
    return !r->learner->session->k->host_memory && r->trace == NULL &&
           r->lesson->options->group == NULL && !r->scale.follows;
}

// of two, where a step goes on while the one before it is not known
static int place_of(const struct learn_run *r, int step)
{
    return learn_outcome_late(r) ? step % 2 : 0;
}

static struct learn_outcome *outcome_of(const struct learn_run *r, int step)
{
    return r->outcomes[place_of(r, step)];
}

static int losses_each(const struct learn_run *r)
{
    const struct learn_batch *b = r->batch;
    const struct learn_pictures *p = r->lesson->pictures;

    // of the largest batch: with the prior, and the square, which has the most places of all shapes
    return (b->instance + lesson_prior_rows(r->lesson)) * (b->map != NULL ? p->h * p->w : 1);
}

static struct learn_outcome *create(const struct learn_run *r)
{
    struct learn_outcome *o = g_new0(struct learn_outcome, 1);
    const int batches = r->lesson->options->accumulate;
    const bool moments = !r->learner->session->k->host_memory;

    o->places = g_new0(int, batches);
    o->losses = g_new0(real, (size_t)batches * losses_each(r));
    for (int i = 0; i < (moments ? LEARN_ARRAYS : 1); i++) {
        o->arrays[i] = g_new0(float, r->learner->parameters->count);
    }
    return o;
}

void learn_outcome_begin(struct learn_run *r)
{
    struct learn_outcome **o = &r->outcomes[place_of(r, r->step)];

    if (*o == NULL) {
        *o = create(r);
    }
    (*o)->step = r->step;
    (*o)->n = 0;
}

void learn_outcome_add(struct learn_run *r)
{
    const kernels *k = r->learner->session->k;
    struct learn_outcome *o = outcome_of(r, r->step);
    const struct learn_batch *b = r->batch;
    real *losses = o->losses + (size_t)o->n * losses_each(r);

    // a step that is settled late has another batch by then
    o->prior = b->n - b->instance;
    o->places[o->n++] = learn_step_losses(b) / b->n;
    k->bring(k, losses, b->loss, (size_t)learn_step_losses(b) * sizeof(real));
}

void learn_outcome_end(struct learn_run *r)
{
    const kernels *k = r->learner->session->k;
    struct learn_outcome *o = outcome_of(r, r->step);
    struct parameters *p = r->learner->parameters;
    real *const arrays[LEARN_ARRAYS] = {p->value, p->m, p->v};

    parameters_square(p);
    k->bring(k, &o->squares, p->sum, sizeof o->squares);
    for (int i = 0; i < LEARN_ARRAYS && o->arrays[i] != NULL; i++) {
        k->bring(k, o->arrays[i], arrays[i], (size_t)p->count * sizeof(real));
    }
    o->pending = true;
}

// of n rows with so many losses each; 0 of none
static double mean_of_rows(const real *losses, int n, int places)
{
    g_autofree float *rows = g_new(float, n);
    double sum = 0;

    mse_means(losses, n, places, NULL, rows, NULL);
    for (int row = 0; row < n; row++) {
        sum += rows[row];
    }
    return n > 0 ? sum / n : 0;
}

// of micro-batch i, which is there
static bool read_losses(const struct learn_run *r, struct learn_outcome *o, int i,
                        struct learn_losses *means, GError **error)
{
    const int instance = r->batch->instance, places = o->places[i];
    real *losses = o->losses + (size_t)i * losses_each(r);

    if (!transfer_brought(r->learner->session->k, losses, error)) {
        return false;
    }
    means->instance = mean_of_rows(losses, instance, places);
    means->prior = mean_of_rows(losses + (size_t)instance * places, o->prior, places);
    return true;
}

bool learn_outcome_losses(struct learn_run *r, struct learn_losses *losses, GError **error)
{
    struct learn_outcome *o = outcome_of(r, r->step);

    return read_losses(r, o, o->n - 1, losses, error);
}

// of a step's micro-batches all have rows of the prior, or none
static void take_sums(struct learn_run *r, const struct learn_outcome *o,
                      const struct learn_losses *sums)
{
    const int batches = r->lesson->options->accumulate;

    r->loss = sums->instance / batches;
    r->prior_loss = o->prior > 0 ? sums->prior / batches : -1;
}

void learn_outcome_sums(struct learn_run *r, const struct learn_losses *sums)
{
    take_sums(r, outcome_of(r, r->step), sums);
}

// all that is on its way
static bool receive(struct learn_run *r, struct learn_outcome *o, GError **error)
{
    const kernels *k = r->learner->session->k;
    struct learn_losses sums = {0}, one;

    for (int i = 0; i < o->n && learn_outcome_late(r); i++) {
        if (!read_losses(r, o, i, &one, error)) {
            return false;
        }
        sums.instance += one.instance;
        sums.prior += one.prior;
        take_sums(r, o, &sums);
    }
    bool done = transfer_brought(k, &o->squares, error);
    for (int i = 0; i < LEARN_ARRAYS && done && o->arrays[i] != NULL; i++) {
        done = transfer_brought(k, o->arrays[i], error);
    }
    return done;
}

// a gradient overflows before its loss does
static bool check_number(struct learn_run *r, const struct learn_outcome *o, double norm,
                         GError **error)
{
    r->diverged = !isfinite(r->loss) || !isfinite(norm);
    return !r->diverged ||
           error_failed(error,
                        "The loss of step %d is not a number, so learning stopped; the shifts "
                        "after step %d, "
                        "the last good ones, were kept. Try a lower --learning-rate.",
                        o->step + 1, r->good_step);
}

// the loss was a number, so the shifts that it is of are good
static void keep(struct learn_run *r, struct learn_outcome *o)
{
    // as the checkpoint keeps them
    const float loss = (float)r->loss, prior_loss = (float)r->prior_loss;

    for (int i = 0; i < LEARN_ARRAYS; i++) {
        float *const taken = o->arrays[i];
        o->arrays[i] = r->good[i] != NULL || taken == NULL
                           ? r->good[i]
                           : g_new0(float, r->learner->parameters->count);
        r->good[i] = taken;
    }
    r->good_step = o->step;
    g_array_append_val(r->losses, loss);
    g_array_append_val(r->prior_losses, prior_loss);
}

bool learn_outcome_settle(struct learn_run *r, int step, bool *skipped, GError **error)
{
    struct learn_outcome *o = step >= 0 ? outcome_of(r, step) : NULL;

    if (o == NULL || !o->pending || o->step != step) {
        return true;
    }
    o->pending = false;
    if ((!learn_outcome_late(r) && !transfer_sync(r->learner->session->k, error)) ||
        !receive(r, o, error)) {
        return false;
    }
    const double norm = sqrt(o->squares) / r->scale.value;
    const bool skips = isfinite(r->loss) && !isfinite(norm) && loss_scale_skips(&r->scale);
    if (!skips && !check_number(r, o, norm, error)) {
        return false;
    }
    keep(r, o);
    if (skipped != NULL) {
        *skipped = skips;
    }
    return true;
}

bool learn_outcome_settle_all(struct learn_run *r, GError **error)
{
    // of two the older one first
    return learn_outcome_settle(r, r->step - 2, NULL, error) &&
           learn_outcome_settle(r, r->step - 1, NULL, error);
}

uint64_t learn_outcome_bytes(const struct learn_run *r)
{
    // a step's, the last good ones, and a copy while they are written
    const uint64_t copies = 3;

    return copies * (uint64_t)r->learner->parameters->count * sizeof(float);
}

void learn_outcome_finish(struct learn_run *r)
{
    for (int i = 0; i < 2; i++) {
        struct learn_outcome *o = r->outcomes[i];
        for (int j = 0; j < LEARN_ARRAYS && o != NULL; j++) {
            g_free(o->arrays[j]);
        }
        if (o != NULL) {
            g_free(o->places);
            g_free(o->losses);
            g_free(o);
        }
    }
    for (int j = 0; j < LEARN_ARRAYS; j++) {
        g_free(r->good[j]);
    }
}
