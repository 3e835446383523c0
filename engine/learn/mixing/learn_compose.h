/* learn_compose.h: two subjects cut and mixed into one picture, put together in pixels before
 * encoding.
 *
 *   x = w f + (1 - w) b
 *
 * f is the picture of the subject in front, placed in its region so that the subject is whole; w
 * its mask; b the other's. Latents of a cut between two pictures show neither of them there, which
 * matters where a subject is few latents wide; what is cut in pixels is whole, with its soft edges.
 * Where only one of the two has a mask it is in front; where none has, w is the region, its edge
 * one latent wide. */
#pragma once

#include "engine/learn/mixing/learn_choice.h"
#include "engine/base/noise.h"

// of one order, layout and front: enough to see each picture beside several, few enough to encode
#define LEARN_PAIRS 16

/* A picture placed for one of the places of its subject, and its mask or NULL. */
struct learn_placed_picture {
    int subject;
    enum place place; // not of a region that the user drew
    picture *image, *mask;
};

// one of the pictures that were composed
struct learn_composed {
    int subjects[2]; // in the order of the picture
    enum layout layout;
    int front; // which of the two
    /* For the trace: the placed pictures, of learn_mixtures.places, and how much of each pixel is
     * the one in front, owned; NULL where nothing is traced. */
    const picture *placed[2];
    picture *weight;
};

struct learn_mixtures {
    GPtrArray *places;               // struct learn_placed_picture
    struct learn_pictures *pictures; // composed of these and encoded
    GArray *list;                    // struct learn_composed: what each of the pictures is
};

struct learn_mixtures *learn_mixtures_create(const struct vae_config *vae, int size);
void learn_mixtures_free(struct learn_mixtures *m); // accepts NULL

/* Composes what was placed: for each order, layout and subject in front some pairs. What was placed
 * is freed, unless a trace will show it. */
bool lesson_compose(const struct lesson *l, struct learn_mixtures *m, const struct autoencoder *a,
                    GError **error);

/* One of the composed pictures for a mixed choice; which, says the number's draw of the stream. */
int lesson_pick_composed(const struct lesson *l, const struct learn_mixtures *m, uint64_t number,
                         enum noise_stream order, const struct learn_choice *c);
