/* edit_models.h: the models that an edit draws with: one with what was learned of the picture, and
 * the plain one for what comes beside it, where a target names places (edit_target.h).
 *
 *   edit_models_open      what was learned, and the spectra that putting it into weights needs
 *   edit_models_embed     texts to embeddings; the text encoders are there only for that long
 *   edit_models_networks  UNets and autoencoder */
#pragma once

#include "engine/edit/edit_target.h"
#include "engine/generate/denoise.h"

enum { EDIT_LEARNED, EDIT_PLAIN, EDIT_MODELS };

struct edit_models {
    struct painter painters[EDIT_MODELS];
    int n;                                  // that are open
    struct conditioning embed[EDIT_MODELS]; // of all texts
};

/* What one target is drawn, or its picture inverted, with. */
struct edit_run {
    struct denoise_part parts[EDIT_MODELS];
    int n_parts;
    struct conditioning text[EDIT_MODELS]; // without, then with the prompt
    const struct attention_guide *guide;   // NULL: none
};

/* painter: what each begins as. places: whether a target names some. shift: the file of what was
 * learned; force: of another model, too. To be finished in any case. */
bool edit_models_open(struct edit_models *m, const struct painter *painter, bool places,
                      const char *shift, bool force, GError **error);
void edit_models_finish(struct edit_models *m); // accepts a zeroed one

bool edit_models_embed(struct edit_models *m, const GPtrArray *texts, GError **error);
bool edit_models_networks(struct edit_models *m, GError **error);

/* The autoencoder, once the networks are there. */
struct autoencoder *edit_models_autoencoder(const struct edit_models *m);

/* The first of the embedded texts is the negative prompt. r borrows the models and the target; to
 * be cleared by the caller. */
void edit_run_prepare(struct edit_run *r, const struct edit_models *m, const struct edit_target *t,
                      enum edit_role role);
void edit_run_clear(struct edit_run *r); // accepts a zeroed one
