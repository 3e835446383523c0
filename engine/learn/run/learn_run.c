/* A run of learning; see learn_run.h. */
#include "engine/learn/run/learn_run.h"

#include "engine/base/error.h"
#include "engine/learn/methods/method.h"
#include "engine/learn/mixing/learn_compose.h"
#include "engine/learn/run/learn_share.h"
#include "engine/spectrum/model_spectrum.h"

// what the steps draw from, on the device
static bool send_pictures(struct learn_run *r, GError **error)
{
    const struct lesson *l = r->lesson;
    const kernels *k = r->learner->session->k; // which counts where the lesson's does not
    struct learn_pictures *const all[] = {l->pictures, l->prior_pictures, l->mixed->pictures,
                                          l->class_mixed->pictures};

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        r->n_moments = learn_pictures_place(all[i], r->n_moments);
    }
    r->moments = k->alloc(k, (size_t)r->n_moments * sizeof(real));
    if (r->moments == NULL) {
        return error_failed(error, "There is no memory for what the pictures become; give fewer of "
                                   "them, or close other programs.");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        learn_pictures_send(all[i], k, r->moments);
    }
    return true;
}

// the rows of a step: those that show subjects, behind them as many of the prior
static bool prepare_batch(struct learn_run *r, GError **error)
{
    const struct lesson *l = r->lesson;
    const struct conditioner *text = r->learner->conditioner;
    const struct learn_pictures *p = l->pictures;
    const int instance = l->options->batch;

    r->batch = learn_batch_create(instance + lesson_prior_rows(l), instance, p->h, p->w, p->c,
                                  conditioner_tokens(text), conditioner_width(text));
    r->batch->moments = r->moments;
    learn_batch_set_slots(r->batch, lesson_slots(l));
    if (r->batch->slots > 1 && l->options->unmix_weight > 0) {
        // gradients of the micro-batches add up, so each has its part
        const double weight = l->options->unmix_weight / l->options->accumulate;
        if (!learn_unmix_create(l->session->k, r->batch, r->learner->unet, l->options, weight,
                                &r->unmix, error)) {
            return false;
        }
    }
    // without masks every place counts alike, and no map is uploaded
    if (lesson_has_masks(l)) {
        learn_batch_set_map(r->batch);
    }
    return true;
}

// without a text encoder that learns, what the texts become is in the batch already
static void run_batch(const struct learn_run *r, struct tape *t,
                      const struct attention_guide *guide)
{
    const struct learner *l = r->learner;

    learn_step_run(t, l->unet, l->text_learns ? l->conditioner : NULL, r->batch, guide);
}

struct piece {
    struct learn_run *run;
    bool unmix;
};

// what a device may keep: the same calls for all batches with as many rows
static void run_piece(void *user, struct tape *t)
{
    const struct piece *p = user;
    struct learn_run *r = p->run;

    parameters_zero_gradient(r->learner->parameters);
    learn_prior_teach(r);
    if (p->unmix) {
        learn_unmix_upload(r->unmix);
    }
    run_batch(r, t, p->unmix ? &r->unmix->guide : NULL);
}

bool learn_run_batch(struct learn_run *r, bool unmix, GError **error)
{
    struct piece p = {r, unmix};
    const bool prior = r->batch->n > r->batch->instance;

    if (!learn_prior_prepare(r, error)) {
        return false;
    }
    const guint shape = learn_pictures_shape(r->lesson->pictures, r->batch->h, r->batch->w);
    tape_repeat(r->tape, 4 * shape + 2 * prior + unmix, run_piece, &p);
    return true;
}

void learn_run_each_shape(const struct learn_run *r, struct tape *t,
                          void (*run)(void *user, struct tape *t), void *user)
{
    const struct learn_pictures *p = r->lesson->pictures;
    const int h = r->batch->h, w = r->batch->w;

    for (guint i = 0; i < p->list->len; i++) {
        const struct learn_picture *one = learn_pictures_at(p, (int)i);
        if (learn_pictures_shape(p, one->h, one->w) == i) {
            r->batch->h = one->h;
            r->batch->w = one->w;
            tape_reset(t);
            run(user, t);
        }
    }
    r->batch->h = h;
    r->batch->w = w;
}

// the largest batch that can come: with the unmix loss, though not every batch has it
static void run_largest(void *user, struct tape *t)
{
    const struct learn_run *r = user;

    run_batch(r, t, r->unmix != NULL ? &r->unmix->guide : NULL);
}

static void measure(void *user, struct tape *t)
{
    learn_run_each_shape(user, t, run_largest, user);
}

bool learn_run_replay(struct learn_run *r, bool replay, GError **error)
{
    const struct tape_options o = {.training = true, .replay = replay};

    g_clear_pointer(&r->tape, tape_free);
    r->tape = tape_create_measured(r->learner->session->k, o, measure, r, error);
    return r->tape != NULL;
}

struct learn_run *learn_run_create(const struct lesson *lesson, struct learner *learner,
                                   GError **error)
{
    struct learn_run *r = g_new0(struct learn_run, 1);

    r->lesson = lesson;
    r->learner = learner;
    r->scale = loss_scale_begin(lesson->session->k->activation);
    r->losses = g_array_new(FALSE, FALSE, sizeof(float));
    r->prior_losses = g_array_new(FALSE, FALSE, sizeof(float));
    r->validations = g_array_new(FALSE, FALSE, sizeof(float));
    // a NULL trace takes everything and keeps nothing
    r->trace = lesson->options->trace != NULL ? trace_create() : NULL;
    r->loss = r->prior_loss = -1;
    // keeping every segment may take too much: they are run again on the way back
    if (!send_pictures(r, error) || !prepare_batch(r, error) ||
        (r->share = learn_share_create(r, error)) == NULL ||
        (!learn_run_replay(r, false, NULL) && !learn_run_replay(r, true, error))) {
        g_clear_pointer(&r, learn_run_free);
    }
    return r;
}

// the components whose weights are there at once
#define LEARNING (1u << MODEL_UNET | 1u << MODEL_TEXT_ENCODER)

/* All that needs no shift, while the spectra are being computed; then the weights get theirs, in the
 * order in which they come. */
static struct learner *prepare_learner(struct lesson *lesson, struct model_spectrum *spectrum,
                                       GError **error)
{
    if (!lesson_encode(lesson, error)) {
        return NULL;
    }
    g_autoptr(owned_learner) l = learner_open(lesson->session, lesson, error);
    // the shifts that learner_attach adds are all 0: texts after it become what they do before it
    if (l == NULL || !lesson_tell_apart(lesson, l->conditioner, error) ||
        !lesson_make_class_pictures(lesson, l, error) ||
        !learner_attach(l, lesson, spectrum, error) ||
        !lesson_add_texts(lesson, l->conditioner, error)) {
        return NULL;
    }
    return g_steal_pointer(&l);
}

/* The order keeps memory low: the autoencoder is gone before the UNet comes, and W of a weight goes
 * as soon as its factors are there. */
struct learn_run *learn_run_prepare(struct lesson *lesson, GError **error)
{
    svdiff *s = lesson->session;

    const bool spectra = method_of(lesson->options)->spectra;

    if (!session_check_memory(s, LEARNING, spectra, error) ||
        session_hashes(s, MODEL_HASHES, lesson->progress, lesson->user, error) == NULL ||
        (spectra && !learn_share_spectra(lesson, error))) {
        return NULL;
    }
    struct model_spectrum *spectrum =
        spectra ? model_spectrum_begin(s, &lesson->adapters, lesson->progress, lesson->user, error)
                : NULL;
    struct learner *l =
        spectrum != NULL || !spectra ? prepare_learner(lesson, spectrum, error) : NULL;

    // the factors are on the device now
    model_spectrum_close(spectrum);
    return l != NULL ? learn_run_create(lesson, l, error) : NULL;
}

void learn_run_free(struct learn_run *r)
{
    if (r == NULL) {
        return;
    }
    const kernels *k = r->learner->session->k;

    tape_free(r->tape);
    learn_outcome_finish(r);
    k->forget(k, r->updating);
    learn_prior_finish(r);
    k->release(k, r->moments, (size_t)r->n_moments * sizeof(real));
    learn_batch_free(r->batch);
    learn_unmix_free(r->unmix);
    learn_share_free(r->share);
    trace_free(r->trace);
    learner_free(r->learner);
    g_array_unref(r->losses);
    g_array_unref(r->prior_losses);
    g_array_unref(r->validations);
    g_free(r);
}

bool learn_run_tell(struct learn_run *r, enum progress_event event, double loss, const char *file)
{
    const int steps = r->lesson->options->steps;
    struct progress p = {.event = event,
                         .phase = "learn",
                         .step = r->step,
                         .steps = steps,
                         .loss = loss,
                         .seconds_left = -1,
                         .file = file};

    if (event == PROGRESS_STEP) { // files are told between two steps, which the clock counts
        p.seconds_left = progress_clock_left(&r->clock, r->step, steps);
    }
    return lesson_tell(r->lesson, &p);
}
