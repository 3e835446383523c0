/* A model with subjects in it; see painter.h. The text encoder is gone before the UNet comes. */
#include "engine/painter.h"

#include "engine/model_spectrum.h"

#include <string.h>

bool painter_open(struct painter *p, const struct svdiff_scaled_subject *subjects, int n,
                  bool force, GError **error)
{
    if (!subject_list_open(&p->subjects, p->session, subjects, n, force, error)) {
        return false;
    }
    if (n == 0) {
        return true;
    }
    p->spectrum = model_spectrum_open(p->session, p->progress, p->user, error);
    return p->spectrum != NULL;
}

static struct weight_source source_of(struct painter *p, struct bake *b, const char *prefix,
                                      struct session_component *c)
{
    *b = (struct bake){.k = p->session->k,
                       .inner = session_source(c),
                       .spectrum = p->spectrum,
                       .prefix = prefix,
                       .subjects = p->subjects.items,
                       .n_subjects = p->subjects.n};
    return p->subjects.n > 0 ? bake_source(b) : b->inner;
}

/* ---- text ---- */

struct texts {
    const struct text_encoder *encoder;
    int32_t *ids; // [n, tokens]
    int n;
    float *out; // NULL while measuring
};

static void encode_text(void *user, struct tape *t)
{
    const struct texts *x = user;
    struct tensor *y = text_encoder_forward(t, x->encoder, x->ids, x->n,
                                            text_encoder_config(x->encoder)->positions);

    if (x->out != NULL) {
        tape_download(t, y, x->out);
    }
}

// [n, tokens], owned by the caller
static int32_t *all_ids(const struct painter *p, const char *const *texts, int n, GError **error)
{
    const int tokens = checkpoint_text_config(p->session->checkpoint)->positions;
    g_autofree int32_t *ids = g_new(int32_t, (size_t)n * tokens);

    for (int i = 0; i < n; i++) {
        g_autofree int32_t *one = session_tokens(p->session, texts[i], error);
        if (one == NULL) {
            return NULL;
        }
        memcpy(ids + (size_t)i * tokens, one, (size_t)tokens * sizeof *ids);
    }
    return g_steal_pointer(&ids);
}

float *painter_embed(struct painter *p, const char *const *texts, int n, GError **error)
{
    const struct text_config *c = checkpoint_text_config(p->session->checkpoint);
    struct session_component component = {p->session, MODEL_TEXT_ENCODER};
    g_autofree int32_t *ids = all_ids(p, texts, n, error);

    if (ids == NULL) {
        return NULL;
    }
    struct text_encoder *e = text_encoder_create(
        p->session->k, c, source_of(p, &p->bake_text, "text_model.", &component), error);
    if (e == NULL) {
        return NULL;
    }
    struct texts x = {.encoder = e, .ids = ids, .n = n};
    struct tape *t =
        tape_create_measured(p->session->k, (struct tape_options){0}, encode_text, &x, error);
    if (t != NULL) {
        x.out = g_new(float, (size_t)n * c->positions * c->width);
        encode_text(&x, t);
    }
    tape_free(t);
    text_encoder_free(e);
    return x.out;
}

/* ---- networks ---- */

bool painter_networks(struct painter *p, unsigned halves, GError **error)
{
    svdiff *s = p->session;
    struct session_component unet = {s, MODEL_UNET}, vae = {s, MODEL_VAE};

    p->unet = unet_create(s->k, checkpoint_unet_config(s->checkpoint),
                          source_of(p, &p->bake_unet, "", &unet), error);
    if (p->unet == NULL) {
        return false;
    }
    p->autoencoder = autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint), halves,
                                        session_source(&vae), error);
    return p->autoencoder != NULL;
}

void painter_finish(struct painter *p)
{
    subject_list_close(&p->subjects);
    model_spectrum_close(p->spectrum);
    unet_free(p->unet);
    autoencoder_free(p->autoencoder);
}
