/* A model with adapters and subjects in it; see painter.h. The text encoder is gone before the UNet comes. */
#include "engine/generate/painter.h"

#include "engine/base/file_stamp.h"
#include "engine/spectrum/model_spectrum.h"
#include "engine/subject/subject_basis.h"

#include <string.h>

static void describe_one(GString *made, double strength, const char *file)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    // all digits: 0.5 and 0.50000001 are different weights
    g_string_append_printf(made, "%s\n", g_ascii_dtostr(number, sizeof number, strength));
    file_stamp(made, file);
}

// what the weights are made of
static char *describe(const struct painter_parts *parts)
{
    GString *made = g_string_new(NULL);

    for (int i = 0; i < parts->n_subjects; i++) {
        const char *part = parts->subjects[i].part;
        describe_one(made, parts->subjects[i].scale, parts->subjects[i].file);
        g_string_append_printf(made, "%s\n", part != NULL ? part : "");
    }
    g_string_append(made, "adapters\n");
    for (int i = 0; i < parts->n_adapters; i++) {
        describe_one(made, parts->adapters[i].strength, parts->adapters[i].file);
    }
    return g_string_free(made, FALSE);
}

static void tell(void *user, const char *sentence)
{
    session_warn(user, "%s", sentence);
}

// those that are given, then those that lie in adapters' files
static bool open_words(struct painter *p, const struct painter_parts *parts, GError **error)
{
    const struct text_config *config = checkpoint_text_config(p->session->checkpoint);

    embedding_list_create(&p->words, config->vocabulary, config->width);
    for (int i = 0; i < parts->n_embeddings; i++) {
        if (!embedding_list_add(&p->words, &parts->embeddings[i], error)) {
            return false;
        }
    }
    for (int i = 0; i < p->adapters.n; i++) {
        if (!embedding_list_add_bundle(&p->words, adapter_tensors(p->adapters.items[i].adapter),
                                       tell, p->session, error)) {
            return false;
        }
    }
    return true;
}

bool painter_open(struct painter *p, const struct painter_parts *parts, GError **error)
{
    svdiff *s = p->session;
    const bool subjects = parts->n_subjects > 0;

    if (s->dry) { // weights are not read, and nothing is put into them
        p->made = g_strdup("");
        p->bake = (struct bake){.session = s};
        return open_words(p, &(struct painter_parts){0}, error);
    }
    p->made = describe(parts);
    // first: whether the subjects are of this model is told by its hashes; both in one pass
    if (!adapter_list_open(&p->adapters, s->checkpoint, parts->adapters, parts->n_adapters, tell, s,
                           error) ||
        !open_words(p, parts, error) ||
        (subjects && session_hashes(s, MODEL_HASHES, p->progress, p->user, error) == NULL) ||
        !subject_list_open(&p->subjects, s, parts->subjects, parts->n_subjects, parts->force,
                           error) ||
        !subject_basis(p->subjects.items, p->subjects.n, &p->adapters, parts->force, &p->basis,
                       error)) {
        return false;
    }
    if (subjects) {
        p->spectrum = model_spectrum_open(s, &p->basis, p->progress, p->user, error);
    }
    p->bake = (struct bake){.session = s,
                            .spectrum = p->spectrum,
                            .subjects = p->subjects.items,
                            .n_subjects = p->subjects.n,
                            .adapters = &p->adapters};
    return !subjects || p->spectrum != NULL;
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
    struct conditioner *c = conditioner_create(p->session, source_of, p, &p->words, error);
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
    g_free(p->basis.items);
    embedding_list_close(&p->words);
    adapter_list_close(&p->adapters);
    unet_free(p->unet);
    autoencoder_free(p->autoencoder);
}
