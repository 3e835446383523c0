/* A model with subjects in it; see painter.h. The text encoder is gone before the UNet comes. */
#include "engine/generate/painter.h"

#include "engine/base/file_stamp.h"
#include "engine/spectrum/model_spectrum.h"

#include <string.h>

// what the weights are made of
static char *describe(const struct svdiff_scaled_subject *subjects, int n)
{
    GString *made = g_string_new(NULL);
    char scale[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < n; i++) {
        g_string_append_printf(made, "%s\n",
                               g_ascii_dtostr(scale, sizeof scale, subjects[i].scale));
        file_stamp(made, subjects[i].file);
    }
    return g_string_free(made, FALSE);
}

bool painter_open(struct painter *p, const struct svdiff_scaled_subject *subjects, int n,
                  bool force, GError **error)
{
    p->made = describe(subjects, n);
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

static char *make_key(const struct painter *p, unsigned halves)
{
    return g_strdup_printf("%u %d %d\n%s", halves, p->h, p->w, p->made);
}

// the networks that were kept, if they are these
static bool take_kept(struct painter *p, unsigned halves)
{
    svdiff *s = p->session;
    g_autofree char *key = make_key(p, halves);

    if (g_strcmp0(key, s->kept.key) != 0 || p->h == 0) {
        session_drop_networks(s);
        return false;
    }
    p->unet = g_steal_pointer(&s->kept.unet);
    p->autoencoder = g_steal_pointer(&s->kept.autoencoder);
    session_drop_networks(s);
    return true;
}

bool painter_networks(struct painter *p, unsigned halves, GError **error)
{
    svdiff *s = p->session;
    struct session_component unet = {s, MODEL_UNET}, vae = {s, MODEL_VAE};

    p->halves = halves;
    if (take_kept(p, halves)) {
        return true;
    }
    p->unet = unet_create(s->k, checkpoint_unet_config(s->checkpoint),
                          source_of(p, &p->bake_unet, "", &unet), error);
    if (p->unet == NULL) {
        return false;
    }
    if (halves == 0) {
        return true;
    }
    p->autoencoder = autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint), halves,
                                        session_source(&vae), error);
    return p->autoencoder != NULL;
}

static void keep(struct painter *p)
{
    struct session_networks *kept = &p->session->kept;

    kept->key = make_key(p, p->halves);
    kept->unet = g_steal_pointer(&p->unet);
    kept->autoencoder = g_steal_pointer(&p->autoencoder);
}

void painter_finish(struct painter *p)
{
    if (p->session->keeps && p->h > 0 && p->unet != NULL && p->autoencoder != NULL) {
        session_drop_networks(p->session);
        keep(p);
    }
    g_free(p->made);
    subject_list_close(&p->subjects);
    model_spectrum_close(p->spectrum);
    unet_free(p->unet);
    autoencoder_free(p->autoencoder);
}
