/* painter.h: a model with adapters and subjects in it, opened for drawing: what generating and editing share.
 *
 *   painter_open     adapters, subjects, and the spectra that putting them into weights needs
 *   painter_embed    texts to conditioning; the text encoders are there only for that long
 *   painter_networks UNet and autoencoder, their weights with the subjects in them */
#pragma once

#include "engine/subject/bake.h"
#include "engine/session/conditioner.h"
#include "engine/subject/subject_list.h"

/* What is put into the weights: shifts of subjects add up, and so do adapters. Borrowed. */
struct painter_parts {
    const struct svdiff_scaled_subject *subjects;
    int n_subjects;
    const struct svdiff_adapter *adapters;
    int n_adapters;
    const struct svdiff_embedding *embeddings; // words with vectors of their own
    int n_embeddings;
    bool force; // subjects of another model, too
};

struct painter {
    svdiff *session; // borrowed
    struct subject_list subjects;
    struct adapter_list adapters;
    struct embedding_list words;
    struct adapter_list basis; // those of them that the subjects were learned on; borrowed items
    struct model_spectrum *spectrum; // NULL without subjects
    struct bake bake;
    int clip_skip;   // of the text encoders' layers (conditioner.h)
    int h, w;        // of the latents; 0: nothing is kept for the next call
    char *made;      // of which files it is made, and how strong they are
    unsigned halves; // of the autoencoder
    struct unet *unet;
    struct autoencoder *autoencoder;
    progress_function progress; // may be NULL
    void *user;
};

/* Opens adapters and subjects. session, progress and user are set by the caller before. */
bool painter_open(struct painter *p, const struct painter_parts *parts, GError **error);

/* What n prompts (prompt_parts.h) become by the text encoders with what was opened; to be cleared by the
 * caller. */
bool painter_embed(struct painter *p, const char *const *texts, int n, struct conditioning *out,
                   GError **error);

/* Opens the UNet and these halves of the autoencoder (autoencoder_half; 0: none of it); where the
 * session keeps networks (session.h), those of the last call, if they have the same subjects in
 * them and are for the same h and w. */
bool painter_networks(struct painter *p, unsigned halves, GError **error);

/* Closes what was opened, or keeps it; after any of the above, failed or not. */
void painter_finish(struct painter *p);
