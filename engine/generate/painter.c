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
        // all digits: 0.5 and 0.50000001 are different weights
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
    // first: whether the subjects are of this model is told by them; both in one pass
    if ((n > 0 && session_hashes(p->session, MODEL_HASHES, p->progress, p->user, error) == NULL) ||
        !subject_list_open(&p->subjects, p->session, subjects, n, force, error)) {
        return false;
    }
    if (n > 0) {
        p->spectrum = model_spectrum_open(p->session, p->progress, p->user, error);
    }
    p->bake = (struct bake){.session = p->session,
                            .spectrum = p->spectrum,
                            .subjects = p->subjects.items,
                            .n_subjects = p->subjects.n};
    return n == 0 || p->spectrum != NULL;
}

// a component's weights, with the subjects in them
static struct weight_source source_of(void *user, enum model_component component)
{
    struct painter *p = user;

    return bake_source(&p->bake, component);
}

bool painter_embed(struct painter *p, const char *const *texts, int n, struct conditioning *out,
                   GError **error)
{
    struct conditioner *c = conditioner_create(p->session, source_of, p, error);
    const bool done = c != NULL && conditioner_skip(c, p->clip_skip, error) &&
                      conditioner_embed_prompts(c, texts, n, out, error);

    conditioner_free(c);
    return done;
}

/* ---- networks ---- */

static char *make_key(const struct painter *p, unsigned halves)
{
    // everything that the networks' weights and tapes depend on
    return g_strdup_printf("%u %d %d\n%s", halves, p->h, p->w, p->made);
}

// the networks that were kept, if they are these
static bool take_kept(struct painter *p, unsigned halves)
{
    svdiff *s = p->session;
    g_autofree char *key = make_key(p, halves);

    if (g_strcmp0(key, s->kept.key) != 0 || p->h == 0) {
        // before new ones are made: two UNets may not fit into memory
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

    p->halves = halves;
    if (take_kept(p, halves)) {
        return true;
    }
    p->unet =
        unet_create(s->k, checkpoint_unet_config(s->checkpoint), source_of(p, MODEL_UNET), error);
    if (p->unet == NULL) {
        return false;
    }
    // only the first set draws and decodes
    if (halves == 0) {
        return true;
    }
    p->autoencoder = autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint), halves,
                                        source_of(p, MODEL_VAE), error);
    return p->autoencoder != NULL;
}

static void keep(struct painter *p)
{
    struct session_networks *kept = &p->session->kept;

    // the next call with the same subjects, size and halves finds them
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
