/* learn_compose.h: mixed pictures whose subjects have masks, put together in pixels before
 * encoding.
 *
 *   x = w f + (1 - w) b
 *
 * f is the picture of the subject in front, placed in its region; w its mask; b the other's.
 * Latents of a cut between two pictures show neither of them there, which matters where a subject
 * is few latents wide; what is cut in pixels is whole, with its soft edges. Where only one of the
 * two has a mask it is in front; where none has, w is the region. */
#pragma once

#include "engine/learn/learn_choice.h"
#include "engine/base/noise.h"

// a picture of learner.composed
struct learn_composed {
    int subjects[2]; // in the order of the picture
    enum layout layout;
    int front; // which of the two
    /* For the trace: the placed pictures, of learner.places, and how much of each pixel is the one
     * in front, owned; NULL where nothing is traced. */
    const picture *placed[2];
    picture *weight;
};

void learn_composed_clear(void *composed); // of an array's element

/* Whether the run's mixed pictures are composed: some picture has a mask. */
bool learner_composes(const struct learner *l);

/* Fills learner.composed from learner.places: for each order, layout and subject in front some
 * pairs of their pictures. Those of learner.places are freed, unless a trace will show them. */
bool learner_compose(struct learner *l, const struct autoencoder *a, GError **error);

/* One of the composed pictures for a mixed choice; which, says the number's draw of the stream. */
int learner_pick_composed(const struct learner *l, uint64_t number, enum noise_stream order,
                          const struct learn_choice *c);
