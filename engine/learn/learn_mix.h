/* learn_mix.h: two subjects cut and mixed into one picture of latents.
 *
 *   z = w_1 z_1 + w_2 z_2,  w_1 + w_2 = 1
 *
 * z_i is a picture of subject i that was placed in its region before encoding, so that the subject
 * is whole, and w_i the region; what regions of the user leave free belongs to one of them. Where
 * pictures have masks, mixed pictures are composed before encoding instead (learn_compose.h). */
#pragma once

#include "engine/learn/learn_choice.h"
#include "engine/base/noise.h"

// of one row; arrays are the caller's
struct learn_mixture {
    float *sources; // [2, h, w, c]: z_i
    float *weights; // [2, h, w]: w_i
    float *regions; // [2, h, w]
    float *map;     // [h, w]: weights of the loss, as in learn_batch; NULL when not wanted
};

/* The random numbers of a row: which pictures, and the samples of the autoencoder. */
struct learn_mix_streams {
    enum noise_stream order, latent[2];
};

/* The latents [h, w, c] of a picture: with --latent mean its mean, else a sample of the
 * autoencoder, by this number's noise of the stream. */
void learner_take_latents(const struct learner *l, uint64_t number, enum noise_stream stream,
                          const struct learn_pictures *pictures, int index, int variant,
                          float *out);

/* [2, h, w]: where the two subjects of a mixed choice go. */
void learner_mixed_regions(const struct learner *l, const struct learn_choice *c, float *regions);

/* Mixes the subjects of a choice. class_pictures: pictures of the class that the model made, cut to
 * their region (they have no masks); map is 1 then. */
void learner_mix(const struct learner *l, uint64_t number, const struct learn_choice *c,
                 const struct learn_mix_streams *s, bool class_pictures, struct learn_mixture *m,
                 float *latents);

/* Weight of each place's loss of `count` places from how much of each is the subject (in place):
 * 1 there, mask_weight elsewhere, 0 where another subject is that the prompt does not name (others,
 * how much of each is; NULL: none), over their mean. */
void learner_loss_map(const struct learner *l, const float *others, float *map, int count);
