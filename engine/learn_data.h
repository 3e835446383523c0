/* learn_data.h: learning pictures as moments of the autoencoder, encoded once.
 *
 * A picture is scaled so that its short side is the learning size, cut to a square, and encoded to
 * mean and standard deviation [h, w, c], both times the scaling factor; a step draws its latents
 * from them: mean + deviation * noise. Flips and random crops are further entries of the same
 * picture, so that steps never encode. */
#pragma once

#include "engine/autoencoder.h"
#include "engine/picture.h"

struct learn_picture {
    int variants;            // flips and crops of one picture
    float *mean, *deviation; // [variants, h, w, c]
};

struct learn_pictures {
    int h, w, c;
    GArray *list; // struct learn_picture
};

struct learn_framing {
    int size;  // pixels a side
    bool flip; // with each picture its mirror image
    int crops; // 0: from the middle; n: n random squares
    uint64_t seed;
};

struct learn_pictures *learn_pictures_create(void);
void learn_pictures_free(struct learn_pictures *p); // accepts NULL

/* Encodes one picture (3 channels) and appends it. index numbers the picture for its crops. */
bool learn_pictures_add(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                        const picture *image, const struct learn_framing *f, int index,
                        GError **error);

/* Appends n pictures whose latents [n, h, w, c] are known, of the sizes of `like`; their deviation
 * is 0. */
void learn_pictures_add_latents(struct learn_pictures *p, const struct learn_pictures *like,
                                const float *latents, int n);

/* Latents [h, w, c] of picture `index`, variant v: mean, or with noise [h, w, c] a sample. */
void learn_pictures_latents(const struct learn_pictures *p, int index, int variant,
                            const float *noise, float *latents);
