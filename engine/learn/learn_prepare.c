/* Preparing a run of learning; see learn_prepare.h. The order keeps memory low: the autoencoder is
 * gone before the UNet comes, and W of a weight goes as soon as its factors are there. */
#include "engine/learn/learn_prepare.h"

#include "engine/base/error.h"
#include "engine/learn/learn_check.h"
#include "engine/learn/learn_compose.h"
#include "engine/base/machine.h"
#include "engine/spectrum/model_spectrum.h"

#include <string.h>

// the components whose weights are there at once
#define LEARNING (1u << MODEL_UNET | 1u << MODEL_TEXT_ENCODER)

/* ---- networks ---- */

static bool open_networks(struct learner *l, GError **error)
{
    svdiff *s = l->session;

    l->conditioner = conditioner_create(s, NULL, NULL, error);
    if (l->conditioner == NULL) {
        return false;
    }
    l->unet = unet_create(s->k, checkpoint_unet_config(s->checkpoint),
                          session_source(s, MODEL_UNET), error);
    return l->unet != NULL;
}

// whole: or those that the subset has
static bool attach_all(struct learner *l, struct network *net, struct model_spectrum *spectrum,
                       bool whole, GError **error)
{
    for (guint i = 0; i < net->weights->len; i++) {
        struct weight *w = net->weights->pdata[i];
        if (!whole && !shift_subset_has(l->options->subset, w)) {
            continue;
        }
        if (!shift_attach(net, w, l->options->scalar_norms, model_spectrum_provider(spectrum),
                          l->parameters, error)) {
            return false;
        }
    }
    return true;
}

/* The words that stand for [V], where they learn: only those that were chosen for it, since no
 * other text should mean something else afterwards. ids [number of subjects] may be NULL; how many.
 */
static int learning_words(const struct learner *l, int32_t *ids)
{
    int n = 0;

    for (guint i = 0; i < l->subjects->len && l->options->placeholder_rate > 0; i++) {
        const struct learner_subject *one = &g_array_index(l->subjects, struct learner_subject, i);
        if (one->placeholder != NULL && ids != NULL) {
            ids[n] = tokenizer_id(l->session->tokenizer, one->placeholder);
        }
        n += one->placeholder != NULL;
    }
    return n;
}

static bool attach_words(struct learner *l, GError **error)
{
    g_autofree int32_t *ids = g_new(int32_t, l->subjects->len);
    const int n = learning_words(l, ids);
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);

    for (guint i = 0; i < encoders->len && n > 0; i++) {
        struct text_encoder *e = encoders->pdata[i];
        if (!shift_attach_rows(text_encoder_network(e), text_encoder_words(e), ids, n,
                               l->parameters, error)) {
            return false;
        }
    }
    return true;
}

static bool make_spectral(struct learner *l, GError **error)
{
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);
    struct model_spectrum *spectrum = model_spectrum_open(l->session, l->progress, l->user, error);
    bool done = spectrum != NULL;

    l->parameters = parameters_create(l->session->k);
    done = done && attach_all(l, unet_network(l->unet), spectrum, false, error);
    for (guint i = 0; i < encoders->len && l->options->text_encoder; i++) {
        done =
            done && attach_all(l, text_encoder_network(encoders->pdata[i]), spectrum, true, error);
    }
    model_spectrum_close(spectrum);
    return done && attach_words(l, error) && parameters_allocate(l->parameters, error);
}

struct learn_networks learner_networks(const struct learner *l)
{
    const bool text = l->options->text_encoder || learning_words(l, NULL) > 0;

    return (struct learn_networks){
        .k = l->session->k, .unet = l->unet, .conditioner = text ? l->conditioner : NULL};
}

/* ---- tape ---- */

static void measure_step(void *user, struct tape *t)
{
    struct learner *l = user;
    const struct learn_networks networks = learner_networks(l);

    learn_step_run(t, &networks, l->batch, l->unmix != NULL ? &l->unmix->guide : NULL);
}

// the most subjects that a row can show
static int count_slots(const struct learner *l)
{
    int most = 1;

    for (guint i = 0; i < l->pictures->list->len; i++) {
        most = MAX(most, learn_pictures_at(l->pictures, (int)i)->n_masks);
    }
    for (int i = 0; i < (int)l->subjects->len; i++) {
        most = learner_mixes(l, i) ? MAX(most, 2) : most;
    }
    return MIN(most, CHOICE_MAX);
}

static bool has_masks(const struct learner *l)
{
    for (guint i = 0; i < l->pictures->list->len; i++) {
        if (learn_pictures_at(l->pictures, (int)i)->n_masks > 0) {
            return true;
        }
    }
    return false;
}

struct learn_unmix_options learner_unmix_options(const struct learner *l)
{
    const struct svdiff_learn_options *o = l->options;

    return (struct learn_unmix_options){.grid = o->unmix_grid,
                                        .sides = o->unmix_layers,
                                        .maps = o->unmix_maps,
                                        .weight = o->unmix_weight / o->accumulate};
}

static bool prepare_tape(struct learner *l, GError **error)
{
    const int prior = learner_prior_rows(l);
    const struct learn_pictures *p = l->pictures;

    l->batch =
        learn_batch_create(l->options->batch + prior, l->options->batch, p->h, p->w, p->c,
                           conditioner_tokens(l->conditioner), conditioner_width(l->conditioner));
    learn_batch_set_slots(l->batch, count_slots(l));
    if (l->batch->slots > 1 && l->options->unmix_weight > 0) {
        const struct learn_unmix_options o = learner_unmix_options(l);
        l->unmix = learn_unmix_create(l->batch, l->unet, &o);
    }
    if (has_masks(l)) {
        l->batch->map = g_new0(float, (size_t)l->batch->n * p->h * p->w);
    }
    l->tape = tape_create_measured(l->session->k, (struct tape_options){.training = true},
                                   measure_step, l, NULL);
    if (l->tape != NULL) {
        return true;
    }
    // keeping every segment takes too much: run them again on the way back
    l->tape =
        tape_create_measured(l->session->k, (struct tape_options){.training = true, .replay = true},
                             measure_step, l, error);
    return l->tape != NULL;
}

/* ---- all of it ---- */

static bool prepare(struct learner *l, GError **error)
{
    svdiff *s = l->session;
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));

    if (!learn_check(l->options, factor, error) || !session_check_plain(s, error) ||
        !session_check_memory(s, LEARNING, true, error) || session_base_hash(s, error) == NULL) {
        return false;
    }
    l->schedule = schedule_create(checkpoint_schedule_config(s->checkpoint), error);
    if (l->schedule == NULL || !learner_encode_images(l, error) || !open_networks(l, error) ||
        !learner_prepare_prompts(l, error) || !learner_prior_pictures(l, error) ||
        !make_spectral(l, error) || !prepare_tape(l, error)) {
        return false;
    }
    l->good = g_new0(float, l->parameters->count);
    return true;
}

struct learner *learner_create(svdiff *s, const struct svdiff_learn_options *o,
                               progress_function progress, void *user, GError **error)
{
    struct learner *l = g_new0(struct learner, 1);

    l->session = s;
    l->options = o;
    l->progress = progress;
    l->user = user;
    l->prior_weight = o->prior_weight;
    l->pictures = learn_pictures_create();
    if (s->dry) {
        learn_pictures_keep(l->pictures, SVDIFF_SQUARES);
    }
    l->prior_pictures = learn_pictures_create();
    l->mixed = learn_mixtures_create();
    l->class_mixed = learn_mixtures_create();
    l->subjects = g_array_new(FALSE, TRUE, sizeof(struct learner_subject));
    l->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, learner_text_free);
    l->losses = g_array_new(FALSE, FALSE, sizeof(float));
    l->validations = g_array_new(FALSE, FALSE, sizeof(float));
    l->trace = o->trace != NULL ? trace_create() : NULL;
    if (!prepare(l, error)) {
        learner_free(l);
        return NULL;
    }
    return l;
}

void learner_free(struct learner *l)
{
    if (l == NULL) {
        return;
    }
    tape_free(l->tape);
    tape_free(l->teacher_tape);
    learn_batch_free(l->batch);
    learn_unmix_free(l->unmix);
    parameters_free(l->parameters);
    unet_free(l->unet);
    conditioner_free(l->conditioner);
    schedule_free(l->schedule);
    learn_pictures_free(l->pictures);
    learn_pictures_free(l->prior_pictures);
    learn_mixtures_free(l->mixed);
    learn_mixtures_free(l->class_mixed);
    for (guint i = 0; i < l->subjects->len; i++) {
        learner_subject_finish(&g_array_index(l->subjects, struct learner_subject, i));
    }
    g_array_unref(l->subjects);
    g_hash_table_unref(l->texts);
    g_array_unref(l->losses);
    g_array_unref(l->validations);
    trace_free(l->trace);
    g_free(l->thumbnail);
    g_free(l->good);
    g_free(l);
}
