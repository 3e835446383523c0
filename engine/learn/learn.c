/* Learning: opens the networks, makes their weights spectral, runs the loop, writes the subject.
 *
 *   per step: draw -> (targets of the prior) -> forward and backward, accumulated -> clip over all
 *   shifts together -> AdamW -> gains
 *
 * The order of what happens when: the loss of a step is that of the shifts before it; shifts whose
 * loss was a number are kept as the last good ones. */

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/learn/learn_count.h"
#include "engine/learn/learn_files.h"
#include "engine/learn/learn_prepare.h"
#include "engine/options/option.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define BETA1   0.9
#define BETA2   0.999
#define EPSILON 1e-8

/* ---- one step ---- */

// what the schedule makes of the rates at this step (from 0), as diffusers' get_scheduler
static double rate_factor(const struct svdiff_learn_options *o, int step)
{
    if (step < o->warm_up) {
        return (double)step / MAX(o->warm_up, 1);
    }
    const double done = (double)(step - o->warm_up) / MAX(o->steps - o->warm_up, 1);
    switch (o->schedule) {
    case SVDIFF_RATE_LINEAR:
        return MAX(0.0, 1 - done);
    case SVDIFF_RATE_COSINE:
        return MAX(0.0, 0.5 * (1 + cos(G_PI * done)));
    case SVDIFF_RATE_CONSTANT:
        break;
    }
    return 1;
}

static double mean_loss(const struct learn_batch *b, int first, int n)
{
    double sum = 0;

    for (int i = first; i < first + n; i++) {
        sum += b->losses[i];
    }
    return n > 0 ? sum / n : 0;
}

static void trace_micro(const struct learn_run *r, int64_t m)
{
    const struct learn_batch *b = r->batch;
    const int prior = b->n - b->instance;
    const size_t size = (size_t)b->h * b->w * b->c;
    const float loss = (float)mean_loss(b, 0, b->instance);
    const float prior_loss = (float)mean_loss(b, b->instance, prior);
    const int64_t one[] = {1};

    if (r->trace == NULL) {
        return;
    }
    trace_add_image(r->trace, b->prediction, b->instance, b->h, b->w, b->c, "prediction.%d",
                    (int)m);
    trace_add(r->trace, &loss, one, 1, "loss.%d", (int)m);
    if (b->map != NULL) {
        trace_add_image(r->trace, b->map, b->instance, b->h, b->w, 1, "loss_weights.%d", (int)m);
    }
    float total = 0;
    for (int i = 0; i < b->n; i++) {
        total += b->weights[i] * b->weighted[i];
    }
    if (r->unmix != NULL && learn_batch_shown(b) > 1) {
        const float unmix = (float)learn_unmix_loss(r->unmix);
        total += (float)(r->unmix->weight * learn_unmix_loss(r->unmix));
        trace_add(r->trace, &unmix, one, 1, "unmix_loss.%d", (int)m);
    }
    trace_add(r->trace, &total, one, 1, "total_loss.%d", (int)m);
    if (prior > 0) {
        trace_add_image(r->trace, b->prediction + b->instance * size, prior, b->h, b->w, b->c,
                        "prior_prediction.%d", (int)m);
        trace_add_image(r->trace, b->target + b->instance * size, prior, b->h, b->w, b->c,
                        "prior_target.%d", (int)m);
        trace_add(r->trace, &prior_loss, one, 1, "prior_loss.%d", (int)m);
    }
}

static void trace_parameters(const struct learn_run *r, const real *array, const char *kind)
{
    const struct parameters *p = r->learner->parameters;
    g_autofree float *values = g_new(float, p->count);

    if (r->trace == NULL) {
        return;
    }
    parameters_download(p, array, values);
    for (guint i = 0; i < p->list->len; i++) {
        const struct parameter *one = &g_array_index(p->list, struct parameter, i);
        trace_add(r->trace, values + one->offset, &one->count, 1, "%s.%s", kind, one->name);
    }
}

static bool accumulate(struct learn_run *r, GError **error)
{
    double sum = 0;

    parameters_zero_gradient(r->learner->parameters);
    for (int i = 0; i < r->lesson->options->accumulate; i++) {
        const int64_t m = (int64_t)r->step * r->lesson->options->accumulate + i;
        learn_draw(r->lesson, m, r->batch, r->trace);
        if (!learn_prior_targets(r, error)) {
            return false;
        }
        const bool several = r->unmix != NULL && learn_batch_shown(r->batch) > 1;
        if (several && !learn_unmix_fill(r->unmix, error)) {
            return false;
        }
        learn_run_batch(r, several ? &r->unmix->guide : NULL);
        if (tape_cancelled(r->tape)) {
            r->cancelled = true;
            return true;
        }
        trace_micro(r, m);
        sum += mean_loss(r->batch, 0, r->batch->instance);
    }
    r->loss = sum / r->lesson->options->accumulate;
    return true;
}

static bool check_number(struct learn_run *r, double norm, GError **error)
{
    if (isfinite(r->loss) && isfinite(norm)) {
        return true;
    }
    g_set_error(
        error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
        "The loss of step %d is not a number, so learning stopped; the shifts after step %d, "
        "the last good ones, were kept. Try a lower --learning-rate.",
        r->step + 1, r->good_step);
    return false;
}

static void update(struct learn_run *r, double norm)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const double factor = rate_factor(o, r->step);
    const double rates[] = {[SHIFT_RATE] = factor * o->rate,
                            [SHIFT_RATE_1D] = factor * o->rate_1d,
                            [SHIFT_RATE_ROWS] = factor * o->placeholder_rate};
    const struct adamw_options a = {.rates = rates,
                                    .beta1 = BETA1,
                                    .beta2 = BETA2,
                                    .epsilon = EPSILON,
                                    .decay = o->weight_decay};

    parameters_step(r->learner->parameters, &a, r->step + 1,
                    o->clip > 0 ? MIN(1.0, o->clip / (norm + 1e-6)) : 1);
    learner_follow(r->learner);
}

// false with an error on failure; r->cancelled when it was stopped
static bool one_step(struct learn_run *r, GError **error)
{
    if (!accumulate(r, error) || r->cancelled) {
        return !r->cancelled ? false : true;
    }
    const double norm = parameters_gradient_norm(r->learner->parameters);
    if (!transfer_sync(r->lesson->session->k, error) || !check_number(r, norm, error)) {
        return false;
    }
    parameters_download(r->learner->parameters, r->learner->parameters->value, r->good);
    r->good_step = r->step;
    if (r->step == 0) {
        trace_parameters(r, r->learner->parameters->gradient, "gradient");
    }
    update(r, norm);
    r->step++;
    return true;
}

/* ---- the loop ---- */

static bool report(struct learn_run *r, const char *file)
{
    const int steps = r->lesson->options->steps;
    const struct progress p = {.phase = "learn",
                               .step = r->step,
                               .steps = steps,
                               .loss = r->step > 0 ? r->loss : -1,
                               .seconds_left = progress_clock_left(&r->clock, r->step, steps),
                               .file = file};

    return r->progress == NULL || r->progress(r->user, &p);
}

static bool tick(void *user)
{
    return report(user, NULL);
}

// a sample of the shifts as they are; cancelling it cancels the run, whose shifts are good
static bool sample(struct learn_run *r, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (learn_sample(r, &problem)) {
        return true;
    }
    if (g_error_matches(problem, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED)) {
        r->cancelled = true;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool validate(struct learn_run *r, GError **error)
{
    const int every = r->lesson->options->validate_every;

    return every == 0 || r->step % every != 0 || learn_validate(r, error);
}

static bool save_state(struct learn_run *r, GError **error)
{
    g_autofree char *path = learn_file_state(r->lesson->options->output);
    const struct progress p = {.event = PROGRESS_CHECKPOINT,
                               .phase = "learn",
                               .step = r->step,
                               .steps = r->lesson->options->steps,
                               .loss = r->loss,
                               .seconds_left = -1,
                               .file = path};

    if (!learn_save_state(r, error)) {
        return false;
    }
    r->cancelled = r->progress != NULL && !r->progress(r->user, &p);
    return true;
}

static bool after_step(struct learn_run *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const float loss = (float)r->loss;

    g_array_append_val(r->losses, loss);
    if (!validate(r, error)) {
        return false;
    }
    if (o->checkpoint_every > 0 && r->step % o->checkpoint_every == 0 && !save_state(r, error)) {
        return false;
    }
    if (o->sample_every > 0 && r->step % o->sample_every == 0 && !sample(r, error)) {
        return false;
    }
    r->cancelled = r->cancelled || !report(r, NULL);
    return true;
}

static bool loop(struct learn_run *r, GError **error)
{
    tape_set_tick(r->tape, tick, r);
    if (r->step == 0 && !validate(r, error)) {
        return false;
    }
    if (r->lesson->options->sample_every > 0 && r->step == 0 && !sample(r, error)) {
        return false;
    }
    while (r->step < r->lesson->options->steps && !r->cancelled) {
        if (!one_step(r, error) || (!r->cancelled && !after_step(r, error))) {
            return false;
        }
    }
    return true;
}

/* ---- what is written at the end ---- */

// what PyTorch has to know to repeat the run
static void note_options(const struct learn_run *r)
{
    trace_note(r->trace, "steps", "%d", r->lesson->options->steps);
    for (size_t i = 0; i < options_of_learn.n; i++) {
        const struct option *o = &options_of_learn.rows[i];
        if (o->flags & (OPTION_COUNTS | OPTION_SEVERAL)) {
            g_autofree char *key = option_key(o), *text = option_text(o, r->lesson->options);
            trace_note(r->trace, key, "%s", text);
        }
    }
    trace_note(r->trace, "prior", "%s",
               lesson_prior_rows(r->lesson) == 0       ? "none"
               : lesson_prior_by_prediction(r->lesson) ? "prediction"
                                                       : "images");
}

static bool write_trace(struct learn_run *r, GError **error)
{
    if (r->trace == NULL) {
        return true;
    }
    trace_parameters(r, r->learner->parameters->value, "shift");
    note_options(r);
    return trace_write(r->trace, r->lesson->options->trace, error);
}

static void append_validation(GString *csv, double loss)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_c(csv, ',');
    if (loss >= 0) {
        g_string_append(csv, g_ascii_formatd(number, sizeof number, "%.8g", loss));
    }
}

// the losses of all steps, those before a resume included
static bool write_losses(const struct learn_run *r, GError **error)
{
    g_autofree char *path = learn_file_losses(r->lesson->options->output);
    const bool validated = r->lesson->options->validate_every > 0;
    g_autoptr(GString) csv =
        g_string_new(validated ? "step,loss,validation_loss\n" : "step,loss\n");
    char loss[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = validated ? 0 : 1; i <= (int)r->losses->len; i++) {
        g_string_append_printf(csv, "%d", i);
        g_string_append_c(csv, ',');
        if (i > 0) {
            g_string_append(csv, g_ascii_formatd(loss, sizeof loss, "%.8g",
                                                 g_array_index(r->losses, float, i - 1)));
        }
        if (validated) {
            append_validation(csv, learn_validation(r, i));
        }
        g_string_append_c(csv, '\n');
    }
    return atomic_file_store(path, csv->str, csv->len, error);
}

static bool write_results(struct learn_run *r, GError **error)
{
    g_autofree float *values = g_new(float, r->learner->parameters->count);

    parameters_download(r->learner->parameters, r->learner->parameters->value, values);
    return transfer_sync(r->lesson->session->k, error) &&
           learn_write_subject(r, values, r->step, error) && write_losses(r, error) &&
           write_trace(r, error);
}

// a run that ends early keeps what was learned and the checkpoint to go on from
static bool end_cancelled(struct learn_run *r, GError **error)
{
    if (r->step == 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                    "Cancelled before the first step; nothing was written.");
        return false;
    }
    if (!learn_save_state(r, error) || !write_results(r, error)) {
        return false;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                "Cancelled after step %d of %d; %s holds what was learned, and --resume goes on "
                "from there.",
                r->step, r->lesson->options->steps, r->lesson->options->output);
    return false;
}

static bool end_failed(struct learn_run *r)
{
    g_autoptr(GError) second = NULL;

    if (r->good_step > 0 &&
        (!learn_write_subject(r, r->good, r->good_step, &second) || !write_losses(r, &second))) {
        session_warn(r->lesson->session, "%s", second->message);
    }
    return false;
}

/* The state stays for --resume with more steps; a run that finds out by itself whether to go on is
 * only about one that was cut short. The subject is whole without. */
static void keep_state(struct learn_run *r)
{
    g_autofree char *path = learn_file_state(r->lesson->options->output);
    g_autoptr(GError) problem = NULL;

    if (r->lesson->options->resume_own) {
        g_unlink(path);
    } else if (!learn_save_state(r, &problem)) {
        session_warn(r->lesson->session, "%s --resume cannot add steps to this run.",
                     problem->message);
    }
}

static bool end_done(struct learn_run *r, GError **error)
{
    if (!write_results(r, error)) {
        return false;
    }
    keep_state(r);
    return learn_apart(r, error);
}

static bool run(struct learn_run *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;

    if ((o->resume || o->resume_own) && !learn_load_state(r, error)) {
        return false;
    }
    learner_follow(r->learner);
    if (!loop(r, error)) {
        return end_failed(r);
    }
    return r->cancelled ? end_cancelled(r, error) : end_done(r, error);
}

bool svdiff_learn(svdiff *s, const struct svdiff_learn_options *options, progress_function progress,
                  void *user, GError **error)
{
    struct lesson *lesson = lesson_create(s, options, error);
    struct learning x = {0};
    const bool done = lesson != NULL && learn_check_memory(lesson, error) &&
                      learning_prepare(&x, lesson, progress, user, error) && run(x.run, error);

    learning_finish(&x);
    lesson_free(lesson);
    return done;
}
