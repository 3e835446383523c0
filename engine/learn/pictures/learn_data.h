/* learn_data.h: learning pictures as moments of the autoencoder, encoded once.
 *
 * A picture is scaled so that its short side is the learning size, cut to a square around what its
 * masks mark, and encoded to mean and standard deviation [h, w, c], both times the scaling factor;
 * a step draws its latents from them: mean + deviation * noise. Flips and random crops are further
 * entries of the same picture, so that steps never encode. */
#pragma once

#include "engine/network/autoencoder.h"
#include "engine/picture/picture_scale.h"

/* Where a subject is in a picture. */
struct learn_mask {
    int subject, places; // h w
    float *share;        // [variants, h, w]: how much of each latent's area is the subject
};

struct learn_picture {
    int h, w;                // of its latents
    int variants;            // flips and crops of one picture
    float *mean, *deviation; // [variants, h, w, c]
    int64_t place;           // learn_pictures_place
    struct learn_mask *masks;
    int n_masks;     // 0: all of the picture is the subject
    GChecksum *seen; // of the pixels that were encoded, the same on every device; NULL before
    /* Until it is encoded: the picture, scaled, its squares [crops] in that, and what is marked of
     * it, scaled, too (NULL: all). */
    picture *image, *marked;
    struct picture_frame *squares;
    int crops;
};

struct learn_pictures {
    int h, w, c;  // of the square; others (learn_bucket.h) have no more places
    int factor;   // pixels of a latent, a side
    GArray *list; // struct learn_picture
};

struct learn_framing {
    int width, height; // pixels of what is cut
    bool flip;         // with each picture its mirror image
    int crops;         // 0: one square; n: n random ones
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

// whether a list of int has this one
bool learn_list_has(const GArray *list, int value);

/* For pictures of `size` pixels a side as this autoencoder has them. */
struct learn_pictures *learn_pictures_create(const struct vae_config *vae, int size);
void learn_pictures_free(struct learn_pictures *p); // accepts NULL

/* Appends one picture, to be encoded. index numbers the picture for its crops. */
bool learn_pictures_add(struct learn_pictures *p, const struct learn_source *source,
                        const struct learn_framing *f, int index, GError **error);

/* The first square of a picture that is not encoded yet, with alpha where masks mark. Owned by the
 * caller. */
picture *learn_pictures_square(const struct learn_pictures *p, int index, GError **error);

/* Encodes what is not yet; its pixels are gone afterwards. */
bool learn_pictures_encode(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                           GError **error);

/* Appends n pictures whose latents [n, h, w, c] are known; their deviation is 0. */
void learn_pictures_add_latents(struct learn_pictures *p, const float *latents, int n);

const struct learn_picture *learn_pictures_at(const struct learn_pictures *p, int index);

/* The first of the pictures whose latents have this shape, a number for it; 0 where there is none. */
guint learn_pictures_shape(const struct learn_pictures *p, int h, int w);

/* All moments on a device: places the pictures' from value `from` on, behind each other, and returns where the next ones
 * would be; then sends them to the array with these places. */
int64_t learn_pictures_place(struct learn_pictures *p, int64_t from);
void learn_pictures_send(const struct learn_pictures *p, const kernels *k, real *moments);

/* Where the mean and the deviation of picture `index`, variant v, are there. */
int64_t learn_pictures_mean(const struct learn_pictures *p, int index, int variant);
int64_t learn_pictures_deviation(const struct learn_pictures *p, int index, int variant);

/* How much of the picture is the mask's subject, the mean over variant v. */
double learn_mask_share(const struct learn_mask *mask, int variant);

/* The same, the mean over all variants. */
double learn_mask_mean(const struct learn_mask *mask, int variants);
