/* conditioning.h: what texts become for the UNet: the context that its cross-attentions look at
 * and, where a model takes one, a pooled vector of each text.
 *
 * struct conditioning is kept on the host, from one step to the next; struct text_tensors is the
 * same on a tape, where what is learned of the text encoders goes through it. */
#pragma once

#include "engine/tape/ops.h"

struct conditioning {
    int n;             // texts
    int tokens, width; // of each
    float *context;    // [n, tokens, width], owned
    int pooled_width;
    float *pooled; // [n, pooled_width], owned; NULL where the model takes none
};

struct text_tensors {
    struct tensor *context; // [n, 1, tokens, width]
    struct tensor *pooled;  // [n, 1, 1, pooled_width] or NULL
    /* What the UNet made of the context before (unet_make_keys), which is NULL then; NULL: it is made in each forward.
     * n: texts; tokens: of each. */
    const cell *keys;
    int n, tokens;
};

/* Zeros for n texts. To be cleared by the caller. */
void conditioning_init(struct conditioning *c, int n, int tokens, int width, int pooled_width);
void conditioning_clear(struct conditioning *c); // accepts a zeroed one

/* Text `to` of c becomes text `row` of another of the same shape. */
void conditioning_set(struct conditioning *c, int to, const struct conditioning *from, int row);

/* n texts, each of `parts` texts of `all` behind each other: rows [n * parts] says which. Pooled is
 * that of the first of them. To be cleared by the caller. */
void conditioning_join(struct conditioning *c, const struct conditioning *all, const int *rows,
                       int n, int parts);

/* n of the texts, from `first` on, as constants on a tape, or without their context. */
struct text_tensors conditioning_input(struct tape *t, const struct conditioning *c, int first,
                                       int n);
struct text_tensors conditioning_with_keys(struct tape *t, const struct conditioning *c, int first,
                                           int n, const cell *keys);
