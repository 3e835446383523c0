/* Learning: opens the networks, makes their weights spectral, runs the loop, writes the subject.
 *
 *   per step: draw -> (targets of the prior) -> forward and backward, accumulated -> clip over all
 *   shifts together -> AdamW -> gains
 *
 * The order of what happens when: the loss of a step is that of the shifts before it; shifts whose
 * loss was a number are kept as the last good ones. */
#include "engine/learn/learner.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/estimate.h"
#include "engine/learn/learn_files.h"
#include "engine/learn/learn_prepare.h"
#include "engine/subject/shift_set.h"

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

static void trace_micro(const struct learner *l, int64_t m)
{
    const struct learn_batch *b = l->batch;
    const int prior = b->n - b->instance;
    const size_t size = (size_t)b->h * b->w * b->c;
    const float loss = (float)mean_loss(b, 0, b->instance);
    const float prior_loss = (float)mean_loss(b, b->instance, prior);
    const int64_t one[] = {1};

    if (l->trace == NULL) {
        return;
    }
    trace_add_image(l->trace, b->prediction, b->instance, b->h, b->w, b->c, "prediction.%d",
                    (int)m);
    trace_add(l->trace, &loss, one, 1, "loss.%d", (int)m);
    if (b->map != NULL) {
        trace_add_image(l->trace, b->map, b->instance, b->h, b->w, 1, "loss_weights.%d", (int)m);
    }
    float total = 0;
    for (int i = 0; i < b->n; i++) {
        total += b->weights[i] * b->weighted[i];
    }
    if (l->unmix != NULL && learn_batch_shown(b) > 1) {
        const float unmix = (float)learn_unmix_loss(l->unmix);
        total += (float)(l->unmix->plan.weight * learn_unmix_loss(l->unmix));
        trace_add(l->trace, &unmix, one, 1, "unmix_loss.%d", (int)m);
    }
    trace_add(l->trace, &total, one, 1, "total_loss.%d", (int)m);
    if (prior > 0) {
        trace_add_image(l->trace, b->prediction + b->instance * size, prior, b->h, b->w, b->c,
                        "prior_prediction.%d", (int)m);
        trace_add_image(l->trace, b->target + b->instance * size, prior, b->h, b->w, b->c,
                        "prior_target.%d", (int)m);
        trace_add(l->trace, &prior_loss, one, 1, "prior_loss.%d", (int)m);
    }
}

static void trace_parameters(const struct learner *l, const real *array, const char *kind)
{
    const struct parameters *p = l->parameters;
    g_autofree float *values = g_new(float, p->count);

    if (l->trace == NULL) {
        return;
    }
    parameters_download(p, array, values);
    for (guint i = 0; i < p->list->len; i++) {
        const struct parameter *one = &g_array_index(p->list, struct parameter, i);
        trace_add(l->trace, values + one->offset, &one->count, 1, "%s.%s", kind, one->name);
    }
}

static bool accumulate(struct learner *l, GError **error)
{
    const struct learn_networks networks = learner_networks(l);
    double sum = 0;

    parameters_zero_gradient(l->parameters);
    for (int i = 0; i < l->options->accumulate; i++) {
        const int64_t m = (int64_t)l->step * l->options->accumulate + i;
        if (!learner_draw(l, m, error) || !learner_prior_targets(l, error)) {
            return false;
        }
        const bool several = l->unmix != NULL && learn_batch_shown(l->batch) > 1;
        if (several && !learn_unmix_fill(l->unmix, l->batch, error)) {
            return false;
        }
        tape_reset(l->tape);
        learn_step_run(l->tape, &networks, l->batch, several ? &l->unmix->guide : NULL);
        if (tape_cancelled(l->tape)) {
            l->cancelled = true;
            return true;
        }
        trace_micro(l, m);
        sum += mean_loss(l->batch, 0, l->batch->instance);
    }
    l->loss = sum / l->options->accumulate;
    return true;
}

static bool check_number(struct learner *l, double norm, GError **error)
{
    if (isfinite(l->loss) && isfinite(norm)) {
        return true;
    }
    g_set_error(
        error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
        "The loss of step %d is not a number, so learning stopped; the shifts after step %d, "
        "the last good ones, were kept. Try a lower --learning-rate.",
        l->step + 1, l->good_step);
    return false;
}

static void update(struct learner *l, double norm)
{
    const struct svdiff_learn_options *o = l->options;
    const double factor = rate_factor(o, l->step);
    const double rates[] = {[SHIFT_RATE] = factor * o->rate,
                            [SHIFT_RATE_1D] = factor * o->rate_1d,
                            [SHIFT_RATE_ROWS] = factor * o->placeholder_rate};
    const struct adamw_options a = {.rates = rates,
                                    .beta1 = BETA1,
                                    .beta2 = BETA2,
                                    .epsilon = EPSILON,
                                    .decay = o->weight_decay};

    parameters_step(l->parameters, &a, l->step + 1,
                    o->clip > 0 ? MIN(1.0, o->clip / (norm + 1e-6)) : 1);
    network_refresh(unet_network(l->unet), 1);
    if (learner_networks(l).conditioner != NULL) {
        conditioner_refresh(l->conditioner, 1);
    }
}

// false with an error on failure; l->cancelled when it was stopped
static bool one_step(struct learner *l, GError **error)
{
    if (!accumulate(l, error) || l->cancelled) {
        return !l->cancelled ? false : true;
    }
    const double norm = parameters_gradient_norm(l->parameters);
    if (!check_number(l, norm, error)) {
        return false;
    }
    parameters_download(l->parameters, l->parameters->value, l->good);
    l->good_step = l->step;
    if (l->step == 0) {
        trace_parameters(l, l->parameters->gradient, "gradient");
    }
    update(l, norm);
    l->step++;
    return true;
}

/* ---- the loop ---- */

static bool report(struct learner *l, const char *file)
{
    const int done = l->step - l->started_at;
    const double elapsed = (double)(g_get_monotonic_time() - l->started) / 1e6;
    const int left = l->options->steps - l->step;
    const struct progress p = {.phase = "learn",
                               .step = l->step,
                               .steps = l->options->steps,
                               .loss = l->step > 0 ? l->loss : -1,
                               .seconds_left = done > 0 ? elapsed / done * left : -1,
                               .file = file};

    return l->progress == NULL || l->progress(l->user, &p);
}

static bool tick(void *user)
{
    return report(user, NULL);
}

// a sample of the shifts as they are; cancelling it cancels the run, whose shifts are good
static bool sample(struct learner *l, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (learner_sample(l, &problem)) {
        return true;
    }
    if (g_error_matches(problem, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED)) {
        l->cancelled = true;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool validate(struct learner *l, GError **error)
{
    const int every = l->options->validate_every;

    return every == 0 || l->step % every != 0 || learner_validate(l, error);
}

static bool save_state(struct learner *l, GError **error)
{
    g_autofree char *path = learn_file_state(l->options->output);
    const struct progress p = {.event = PROGRESS_CHECKPOINT,
                               .phase = "learn",
                               .step = l->step,
                               .steps = l->options->steps,
                               .loss = l->loss,
                               .seconds_left = -1,
                               .file = path};

    if (!learner_save_state(l, error)) {
        return false;
    }
    l->cancelled = l->progress != NULL && !l->progress(l->user, &p);
    return true;
}

static bool after_step(struct learner *l, GError **error)
{
    const struct svdiff_learn_options *o = l->options;
    const float loss = (float)l->loss;

    g_array_append_val(l->losses, loss);
    if (!validate(l, error)) {
        return false;
    }
    if (o->checkpoint_every > 0 && l->step % o->checkpoint_every == 0 && !save_state(l, error)) {
        return false;
    }
    if (o->sample_every > 0 && l->step % o->sample_every == 0 && !sample(l, error)) {
        return false;
    }
    l->cancelled = l->cancelled || !report(l, NULL);
    return true;
}

static bool loop(struct learner *l, GError **error)
{
    l->started = g_get_monotonic_time();
    l->started_at = l->step;
    tape_set_tick(l->tape, tick, l);
    if (l->step == 0 && !validate(l, error)) {
        return false;
    }
    if (l->options->sample_every > 0 && l->step == 0 && !sample(l, error)) {
        return false;
    }
    while (l->step < l->options->steps && !l->cancelled) {
        if (!one_step(l, error) || (!l->cancelled && !after_step(l, error))) {
            return false;
        }
    }
    return true;
}

/* ---- what is written at the end ---- */

static void note_options(const struct learner *l)
{
    const struct svdiff_learn_options *o = l->options;
    static const char *const unmix_layers_words[] = {"down", "up", "both"};
    static const char *const unmix_maps_words[] = {"plain", "mean", "max"};
    char number[8][G_ASCII_DTOSTR_BUF_SIZE];

    trace_note(l->trace, "learning_rate", "%s", g_ascii_dtostr(number[0], 39, o->rate));
    trace_note(l->trace, "learning_rate_1d", "%s", g_ascii_dtostr(number[1], 39, o->rate_1d));
    trace_note(l->trace, "weight_decay", "%s", g_ascii_dtostr(number[2], 39, o->weight_decay));
    trace_note(l->trace, "clip", "%s", g_ascii_dtostr(number[3], 39, o->clip));
    trace_note(l->trace, "prior_weight", "%s", g_ascii_dtostr(number[4], 39, o->prior_weight));
    trace_note(l->trace, "min_snr", "%s", g_ascii_dtostr(number[5], 39, o->min_snr));
    trace_note(l->trace, "unmix_weight", "%s", g_ascii_dtostr(number[6], 39, o->unmix_weight));
    trace_note(l->trace, "placeholder_rate", "%s",
               g_ascii_dtostr(number[7], 39, o->placeholder_rate));
    trace_note(l->trace, "unmix_grid", "%d", o->unmix_grid);
    trace_note(l->trace, "unmix_layers", "%s", unmix_layers_words[o->unmix_layers - UNMIX_DOWN]);
    trace_note(l->trace, "unmix_maps", "%s", unmix_maps_words[o->unmix_maps]);
    trace_note(l->trace, "norms", "%s", o->scalar_norms ? "scalar" : "elementwise");
    trace_note(l->trace, "latent", "%s", o->latent_mean ? "mean" : "sample");
    trace_note(l->trace, "text_encoder", "%s", o->text_encoder ? "true" : "false");
    trace_note(l->trace, "steps", "%d", o->steps);
    trace_note(l->trace, "accumulate", "%d", o->accumulate);
    trace_note(l->trace, "prior", "%s",
               learner_prior_rows(l) == 0       ? "none"
               : learner_prior_by_prediction(l) ? "prediction"
                                                : "images");
}

static bool write_trace(struct learner *l, GError **error)
{
    if (l->trace == NULL) {
        return true;
    }
    trace_parameters(l, l->parameters->value, "shift");
    note_options(l);
    return trace_write(l->trace, l->options->trace, error);
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
static bool write_losses(const struct learner *l, GError **error)
{
    g_autofree char *path = learn_file_losses(l->options->output);
    const bool validated = l->options->validate_every > 0;
    g_autoptr(GString) csv =
        g_string_new(validated ? "step,loss,validation_loss\n" : "step,loss\n");
    char loss[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = validated ? 0 : 1; i <= (int)l->losses->len; i++) {
        g_string_append_printf(csv, "%d", i);
        g_string_append_c(csv, ',');
        if (i > 0) {
            g_string_append(csv, g_ascii_formatd(loss, sizeof loss, "%.8g",
                                                 g_array_index(l->losses, float, i - 1)));
        }
        if (validated) {
            append_validation(csv, learner_validation(l, i));
        }
        g_string_append_c(csv, '\n');
    }
    return atomic_file_store(path, csv->str, csv->len, error);
}

static bool write_results(struct learner *l, GError **error)
{
    g_autofree float *values = g_new(float, l->parameters->count);

    parameters_download(l->parameters, l->parameters->value, values);
    return learner_write_subject(l, values, l->step, error) && write_losses(l, error) &&
           write_trace(l, error);
}

// a run that ends early keeps what was learned and the checkpoint to go on from
static bool end_cancelled(struct learner *l, GError **error)
{
    if (l->step == 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                    "Cancelled before the first step; nothing was written.");
        return false;
    }
    if (!learner_save_state(l, error) || !write_results(l, error)) {
        return false;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                "Cancelled after step %d of %d; %s holds what was learned, and --resume goes on "
                "from there.",
                l->step, l->options->steps, l->options->output);
    return false;
}

static bool end_failed(struct learner *l)
{
    g_autoptr(GError) second = NULL;

    if (l->good_step > 0 &&
        (!learner_write_subject(l, l->good, l->good_step, &second) || !write_losses(l, &second))) {
        session_warn(l->session, "%s", second->message);
    }
    return false;
}

/* The state stays for --resume with more steps; a run that finds out by itself whether to go on is
 * only about one that was cut short. The subject is whole without. */
static void keep_state(struct learner *l)
{
    g_autofree char *path = learn_file_state(l->options->output);
    g_autoptr(GError) problem = NULL;

    if (l->options->resume_own) {
        g_unlink(path);
    } else if (!learner_save_state(l, &problem)) {
        session_warn(l->session, "%s --resume cannot add steps to this run.", problem->message);
    }
}

static bool end_done(struct learner *l, GError **error)
{
    if (!write_results(l, error)) {
        return false;
    }
    keep_state(l);
    return learner_apart(l, error);
}

bool svdiff_learn(svdiff *s, const struct svdiff_learn_options *options, progress_function progress,
                  void *user, GError **error)
{
    struct learner *l = NULL;
    bool done = false;

    if (estimate_check_learn(s, options, error)) {
        l = learner_create(s, options, progress, user, error);
    }
    if (l == NULL) {
        return false;
    }
    if ((options->resume || options->resume_own) && !learner_load_state(l, error)) {
        learner_free(l);
        return false;
    }
    network_refresh(unet_network(l->unet), 1);
    conditioner_refresh(l->conditioner, 1);
    if (!loop(l, error)) {
        done = end_failed(l);
    } else if (l->cancelled) {
        done = end_cancelled(l, error);
    } else {
        done = end_done(l, error);
    }
    learner_free(l);
    return done;
}
