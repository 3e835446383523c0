/* The model that learns; see learner.h. */
#include "engine/learn/learner.h"

#include "engine/learn/methods/method.h"
#include "engine/spectrum/model_spectrum.h"

static struct weight_source source_of(void *learner, enum model_component component)
{
    return bake_source(&((struct learner *)learner)->bake, component);
}

struct learner *learner_open(svdiff *s, const struct lesson *lesson, GError **error)
{
    struct learner *l = g_new0(struct learner, 1);

    l->session = s;
    // no subject is in the weights
    l->bake = (struct bake){.session = s, .adapters = &lesson->adapters};
    l->conditioner = conditioner_create(s, source_of, l, &lesson->words, error);
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

/* ---- what learns ---- */

static bool attach_all(struct learner *l, const struct svdiff_learn_options *o, struct network *net,
                       bool text, struct model_spectrum *spectrum, GError **error)
{
    const struct method *m = method_of(o);

    for (guint i = 0; i < net->weights->len; i++) {
        struct weight *w = net->weights->pdata[i];
        if (m->has(o, text, w) && !m->attach(l, o, net, w, spectrum, error)) {
            return false;
        }
    }
    return true;
}

bool learner_attach(struct learner *l, const struct lesson *lesson, struct model_spectrum *spectrum,
                    GError **error)
{
    const struct svdiff_learn_options *o = lesson->options;
    const struct method *m = method_of(o);
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);
    bool words = false;

    l->parameters = parameters_create(l->session->k);
    l->text_learns = m->text && o->text_encoder;
    bool done = attach_all(l, o, unet_network(l->unet), false, spectrum, error);
    for (guint i = 0; i < encoders->len && l->text_learns; i++) {
        done = done &&
               attach_all(l, o, text_encoder_network(encoders->pdata[i]), true, spectrum, error);
    }
    if (!done || (m->spectra && !model_spectrum_finish(spectrum, error)) ||
        (m->attach_words != NULL && !m->attach_words(l, lesson, &words, error)) ||
        !parameters_allocate(l->parameters, error)) {
        return false;
    }
    l->text_learns = l->text_learns || words;
    if (m->begin != NULL) {
        m->begin(l, lesson);
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
