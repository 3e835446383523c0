/* Learning: opens the networks, makes their weights spectral, runs the loop, writes the subject.
 *
 *   per step: draw -> (targets of the prior) -> forward and backward, accumulated -> clip over all
 *   shifts together -> AdamW -> gains
 *
 * The order of what happens when: the loss of a step is that of the shifts before it; shifts whose
 * loss was a number are kept as the last good ones. */

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/group/group.h"
#include "engine/learn/estimate.h"
#include "engine/learn/learn_devices.h"
#include "engine/learn/learn_files.h"
#include "engine/learn/methods/method.h"
#include "engine/learn/run/learn_run.h"
#include "engine/learn/run/learn_share.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"

#include <glib/gstdio.h>
#include <math.h>

// as PyTorch's AdamW has them
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

/* Forward and backward of micro-batch m, whose gradient is complete then, and its losses where steps are
 * settled at once. False with an error; r->cancelled when it was stopped, with a gradient that is of no
 * use then. */
static bool micro_batch(struct learn_run *r, int64_t m, struct learn_losses *losses, GError **error)
{
    learn_draw(r->lesson, m, r->batch);
    r->batch->scale = r->scale.value;
    learn_trace_drawn(r, (int)m);
    const bool several = r->unmix != NULL && learn_batch_shown(r->batch) > 1;
    if ((several && !learn_unmix_fill(r->unmix, error)) || !learn_run_batch(r, several, error)) {
        return false;
    }
    r->cancelled = tape_cancelled(r->tape);
    if (r->cancelled) {
        return true;
    }
    learn_outcome_add(r);
    learn_trace_run(r, (int)m);
    return learn_outcome_late(r) || learn_outcome_losses(r, losses, error);
}

/* The step's micro-batches, those of other processes included; then the gradient is their sum. */
static bool accumulate(struct learn_run *r, GError **error)
{
    const int batches = r->lesson->options->accumulate;
    struct learn_losses sums = {0};

    learn_share_begin(r);
    learn_outcome_begin(r);
    for (int i = learn_share_rank(r); i < batches && !r->cancelled; i += learn_share_size(r)) {
        struct learn_losses losses = {0};
        const bool good = micro_batch(r, (int64_t)r->step * batches + i, &losses, error);
        if (!learn_share_add(r, good, &losses, &sums, error)) {
            return false;
        }
    }
    learn_share_end(r);
    if (!r->cancelled && !learn_outcome_late(r)) {
        learn_outcome_sums(r, &sums);
    }
    return true;
}

/* AdamW with the gradient clipped over all shifts together. */
static bool update(void *user)
{
    struct learn_run *r = user;
    const struct svdiff_learn_options *o = r->lesson->options;
    const double factor = rate_factor(o, r->step);
    const double rates[] = {[SHIFT_RATE] = factor * o->rate,
                            [SHIFT_RATE_1D] = factor * o->rate_1d,
                            [SHIFT_RATE_ROWS] = factor * o->placeholder_rate};
    const struct adamw_options a = {.rates = rates,
                                    .n_rates = G_N_ELEMENTS(rates),
                                    .beta1 = BETA1,
                                    .beta2 = BETA2,
                                    .epsilon = EPSILON,
                                    .decay = o->weight_decay,
                                    .clip = o->clip,
                                    .divisor = r->scale.value};

    // its moments know nothing of steps that were left out
    parameters_step(r->learner->parameters, &a, r->step + 1 - r->scale.skipped);
    learner_follow(r->learner);
    return true;
}

// the first step that is taken is traced
static void take(struct learn_run *r)
{
    const kernels *k = r->learner->session->k;
    const struct kernels_work work = {.run = update, .user = r};

    if (r->step == r->scale.skipped) {
        learn_trace_parameters(r, r->learner->parameters->gradient, 1 / r->scale.value, "gradient");
        if (method_of(r->lesson->options)->chosen) {
            learn_trace_parameters(r, r->learner->parameters->value, 1, "initial");
        }
    }
    k->repeat(k, &r->updating, &work);
    loss_scale_took(&r->scale);
}

/* False with an error on failure; r->cancelled when it was stopped. Where a step is settled late, the one
 * before it is once this one has been asked for. */
static bool one_step(struct learn_run *r, GError **error)
{
    const bool late = learn_outcome_late(r);
    bool skips = false;

    if (!accumulate(r, error)) {
        return false;
    }
    // the others are told what became of it
    if (r->cancelled || !learn_share_leads(r)) {
        return true;
    }
    learn_outcome_end(r);
    if (!late && !learn_outcome_settle(r, r->step, &skips, error)) {
        return false;
    }
    if (!skips) {
        take(r);
    }
    r->step++;
    return learn_outcome_settle(r, r->step - 2, NULL, error);
}

/* ---- the loop ---- */

// where the run is; false: it is to stop
static bool report(void *user)
{
    struct learn_run *r = user;

    return learn_run_tell(r, PROGRESS_STEP, r->loss, NULL);
}

// a sample of the shifts as they are; cancelling it cancels the run, whose shifts are good
static bool sample(struct learn_run *r, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (learn_sample(r, &problem)) {
        return true;
    }
    r->cancelled = error_is_cancel(problem);
    if (!r->cancelled) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return r->cancelled;
}

static bool save_state(struct learn_run *r, GError **error)
{
    g_autofree char *path = learn_file_state(r->lesson->options->output);

    if (!learn_save_state(r, error)) {
        return false;
    }
    r->cancelled = !learn_run_tell(r, PROGRESS_CHECKPOINT, r->loss, path);
    return true;
}

// whether something that is done every so many steps (0: never) is due after this one
static bool is_due(const struct learn_run *r, int every)
{
    return every > 0 && r->step % every == 0;
}

// also before the first step, of the model as it was; by the process that writes
static bool look_at_shifts(struct learn_run *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const bool looks = is_due(r, o->validate_every) || is_due(r, o->checkpoint_every) ||
                       is_due(r, o->sample_every);

    if (!learn_share_leads(r) || !looks) {
        return true;
    }
    return learn_outcome_settle_all(r, error) &&
           (!is_due(r, o->validate_every) || learn_validate(r, error)) &&
           (r->step == 0 || !is_due(r, o->checkpoint_every) || save_state(r, error)) &&
           (!is_due(r, o->sample_every) || sample(r, error));
}

static bool after_step(struct learn_run *r, GError **error)
{
    if (!look_at_shifts(r, error)) {
        return false;
    }
    r->cancelled = r->cancelled || !report(r);
    return true;
}

// good: whether the shifts that it begins with are there
static bool loop(struct learn_run *r, bool good, GError **error)
{
    // asked at every segment, so that stopping takes no whole step
    tape_set_tick(r->tape, report, r);
    good = good && (r->step > 0 || look_at_shifts(r, error));
    good = learn_share_follow(r, good, error);
    while (good && r->step < r->lesson->options->steps && !r->cancelled) {
        good = one_step(r, error) && (r->cancelled || after_step(r, error));
        good = learn_share_follow(r, good, error);
    }
    return good && learn_outcome_settle_all(r, error);
}

/* ---- what is written at the end ---- */

// ",LOSS", or "," where there is none
static void append_loss(GString *csv, double loss)
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
    const bool preserved = lesson_prior_rows(r->lesson) > 0;
    g_autoptr(GString) csv = g_string_new("step,loss");

    g_string_append_printf(csv, "%s%s\n", preserved ? ",prior_loss" : "",
                           validated ? ",validation_loss" : "");

    // row 0, before the first step, has a validation loss alone
    for (int i = validated ? 0 : 1; i <= (int)r->losses->len; i++) {
        g_string_append_printf(csv, "%d", i);
        append_loss(csv, i > 0 ? g_array_index(r->losses, float, i - 1) : -1);
        if (preserved) {
            append_loss(csv, i > 0 ? g_array_index(r->prior_losses, float, i - 1) : -1);
        }
        if (validated) {
            append_loss(csv, learn_validation(r, i));
        }
        g_string_append_c(csv, '\n');
    }
    return atomic_file_store(path, csv->str, csv->len, error);
}

// the shifts as they are now, in the order in which a failure costs least
static bool write_results(struct learn_run *r, GError **error)
{
    g_autofree float *values = g_new(float, r->learner->parameters->count);

    parameters_download(r->learner->parameters, r->learner->parameters->value, values);
    return transfer_sync(r->lesson->session->k, error) &&
           learn_write_result(r, values, r->step, error) && write_losses(r, error) &&
           learn_plot(r, error) && learn_trace_write(r, error);
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

/* A run that failed after good steps writes the last good shifts, and where a device with memory of its
 * own failed, the checkpoint to go on from. Always false: the error is that of the failure, what goes
 * wrong here is a warning. */
static bool end_failed(struct learn_run *r)
{
    g_autoptr(GError) second = NULL;

    if (r->good_step > 0 &&
        (!learn_write_result(r, r->good[0], r->good_step, &second) || !write_losses(r, &second) ||
         (!r->diverged && !learn_save_good(r, &second)) || !learn_plot(r, &second))) {
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

// the process that leads writes and tells
static bool end_follower(const struct learn_run *r, bool good, GError **error)
{
    if (good && r->cancelled) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "Cancelled.");
    }
    return good && !r->cancelled;
}

static bool run(struct learn_run *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const bool kept = (o->resume || o->resume_own) && learn_share_leads(r);

    if (!learn_share_agree(r, error)) {
        return false;
    }
    // the shifts of a checkpoint, or zeros, act from here on
    bool good = !kept || learn_load_state(r, error);
    learner_follow(r->learner);
    good = loop(r, good, error);
    if (!learn_share_leads(r)) {
        return end_follower(r, good, error);
    }
    if (!good) {
        return end_failed(r);
    }
    return r->cancelled ? end_cancelled(r, error) : end_done(r, error);
}

bool learn_alone(svdiff *s, const struct svdiff_learn_options *options, progress_function progress,
                 void *user, GError **error)
{
    struct svdiff_learn_options o = *options;

    if (!learn_share_options(&o, error)) {
        return false;
    }
    g_autoptr(owned_lesson) l = lesson_create(s, &o, progress, user, error);
    g_autoptr(learn_run) r =
        l != NULL && estimate_check_memory(l, error) ? learn_run_prepare(l, error) : NULL;

    if (r == NULL && o.group != NULL) {
        // the others wait for something else than that this one leaves
        o.group->parted = true;
    }
    return r != NULL && run(r, error);
}

bool svdiff_learn(svdiff *s, const struct svdiff_learn_options *options, progress_function progress,
                  void *user, GError **error)
{
    return s->options.n_more_devices > 0 ? learn_on_devices(s, options, progress, user, error)
                                         : learn_alone(s, options, progress, user, error);
}
