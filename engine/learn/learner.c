/* The model that learns; see learner.h. */
#include "engine/learn/learner.h"

#include "engine/learn/lesson.h"
#include "engine/spectrum/model_spectrum.h"
#include "engine/subject/shift_set.h"

static struct weight_source source_of(void *learner, enum model_component component)
{
    return bake_source(&((struct learner *)learner)->bake, component);
}

struct learner *learner_open(svdiff *s, const struct adapter_list *adapters, GError **error)
{
    struct learner *l = g_new0(struct learner, 1);

    l->session = s;
    // no subject is in the weights
    l->bake = (struct bake){.session = s, .adapters = adapters};
    l->conditioner = conditioner_create(s, source_of, l, NULL, error);
    if (l->conditioner != NULL) {
        l->unet = unet_create(s->k, checkpoint_unet_config(s->checkpoint), source_of(l, MODEL_UNET),
                              error);
    }
    if (l->unet == NULL) {
        g_clear_pointer(&l, learner_free);
    }
    return l;
}

void learner_free(struct learner *l)
{
    if (l == NULL) {
        return;
    }
    parameters_free(l->parameters);
    unet_free(l->unet);
    conditioner_free(l->conditioner);
    g_free(l);
}

/* ---- shifts ---- */

// subset: NULL for all weights
static bool attach_all(struct learner *l, struct network *net, struct model_spectrum *spectrum,
                       bool scalar, const enum shift_subset *subset, GError **error)
{
    for (guint i = 0; i < net->weights->len; i++) {
        struct weight *w = net->weights->pdata[i];
        if ((subset == NULL || shift_subset_has(*subset, w)) &&
            !shift_attach(net, w, scalar, model_spectrum_provider(spectrum), l->parameters,
                          error)) {
            return false;
        }
    }
    return true;
}

/* The words that stand for [V], where they learn: only those that were chosen for it, since no
 * other text should mean something else afterwards. */
static bool attach_words(struct learner *l, const struct lesson *lesson, GError **error)
{
    g_autofree int32_t *ids = g_new(int32_t, lesson_subjects(lesson));
    const int n = lesson->options->placeholder_rate > 0 ? lesson_placeholders(lesson, ids) : 0;
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);

    for (guint i = 0; i < encoders->len && n > 0; i++) {
        struct text_encoder *e = encoders->pdata[i];
        if (!shift_attach_rows(text_encoder_network(e), text_encoder_words(e), ids, n,
                               l->parameters, error)) {
            return false;
        }
    }
    l->text_learns = l->text_learns || n > 0;
    return true;
}

bool learner_attach(struct learner *l, const struct lesson *lesson, struct model_spectrum *spectrum,
                    GError **error)
{
    const struct svdiff_learn_options *options = lesson->options;
    // the UNet as the subset says, text encoders all or not at all
    const bool scalar = options->scalar_norms;
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);
    bool done;

    l->parameters = parameters_create(l->session->k);
    l->text_learns = options->text_encoder;
    done = attach_all(l, unet_network(l->unet), spectrum, scalar, &options->subset, error);
    for (guint i = 0; i < encoders->len && options->text_encoder; i++) {
        done = done && attach_all(l, text_encoder_network(encoders->pdata[i]), spectrum, scalar,
                                  NULL, error);
    }
    if (!done || !model_spectrum_finish(spectrum, error) || !attach_words(l, lesson, error) ||
        !parameters_allocate(l->parameters, error)) {
        return false;
    }
    learner_follow(l);
    return true;
}

void learner_follow(struct learner *l)
{
    network_refresh(unet_network(l->unet), 1);
    if (l->text_learns) {
        conditioner_refresh(l->conditioner);
    }
}

void learner_set_acting(struct learner *l, bool acting)
{
    // the text encoders are not asked meanwhile: what class prompts become is known
    network_refresh(unet_network(l->unet), acting ? 1 : 0);
}
