/* learn_data.h: learning pictures as moments of the autoencoder, encoded once.
 *
 * A picture is scaled so that its short side is the learning size, cut to a square around what its
 * masks mark, and encoded to mean and standard deviation [h, w, c], both times the scaling factor;
 * a step draws its latents from them: mean + deviation * noise. Flips and random crops are further
 * entries of the same picture, so that steps never encode. */
#pragma once

#include "engine/network/autoencoder.h"
#include "engine/picture/picture.h"

/* Where a subject is in a picture. */
struct learn_mask {
    int subject;
    float *share; // [variants, h, w]: how much of each latent's area is the subject
};

struct learn_picture {
    int variants;            // flips and crops of one picture
    float *mean, *deviation; // [variants, h, w, c]
    struct learn_mask *masks;
    int n_masks; // 0: all of the picture is the subject
};

struct learn_pictures {
    int h, w, c;
    GArray *list; // struct learn_picture
    /* The first squares as they are encoded, with alpha where masks mark; NULL: they are not kept
     * (learn_pictures_keep). */
    GPtrArray *squares; // picture
    guint n_squares;    // at most
};

struct learn_framing {
    int size;  // pixels a side
    bool flip; // with each picture its mirror image
    int crops; // 0: one square; n: n random ones
    uint64_t seed;
    bool find; // without masks the square moves to what stands out (learn_find.h)
};

/* A picture (3 channels) and the masks (1 channel, of its size) of the subjects in it. */
struct learn_source {
    const picture *image;
    int n_masks;
    const picture *const *masks; // [n_masks]
    const int *subjects;         // [n_masks]
};

struct learn_pictures *learn_pictures_create(void);
void learn_pictures_free(struct learn_pictures *p); // accepts NULL

/* Keeps the square of each of the first n pictures that are added from now on. */
void learn_pictures_keep(struct learn_pictures *p, guint n);

/* Encodes one picture and appends it. index numbers the picture for its crops. */
bool learn_pictures_add(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                        const struct learn_source *source, const struct learn_framing *f, int index,
                        GError **error);

/* Appends n pictures whose latents [n, h, w, c] are known, of the sizes of `like`; their deviation
 * is 0. */
void learn_pictures_add_latents(struct learn_pictures *p, const struct learn_pictures *like,
                                const float *latents, int n);

const struct learn_picture *learn_pictures_at(const struct learn_pictures *p, int index);

/* Latents [h, w, c] of picture `index`, variant v: mean, or with noise [h, w, c] a sample. */
void learn_pictures_latents(const struct learn_pictures *p, int index, int variant,
                            const float *noise, float *latents);

/* How much of the picture is the mask's subject, the mean over variant v. */
double learn_mask_share(const struct learn_pictures *p, const struct learn_mask *mask, int variant);

/* The same, the mean over all variants. */
double learn_mask_mean(const struct learn_pictures *p, const struct learn_mask *mask, int variants);
