/* learn_unmix.h: the unmix loss (attention_guide.h) of a learning batch. */
#pragma once

#include "engine/learn/run/learn_step.h"

// what the plan's arrays are made of
struct learn_unmix {
    struct unmix plan;
    struct attention_guide guide;
    int grid_h, grid_w;
    float *others, *words;
    double *losses;
};

struct learn_unmix_options {
    int grid;                // side of the attention maps: the level nearest to it is watched
    enum unmix_layers sides; // of that level
    enum unmix_maps maps;
    double weight; // in what is differentiated
};

/* For batches with b's slots. NULL when no such block attends to text. Owned by the caller. */
struct learn_unmix *learn_unmix_create(const struct learn_batch *b, const struct unet *u,
                                       const struct learn_unmix_options *o);
void learn_unmix_free(struct learn_unmix *x); // accepts NULL

/* Takes regions and words of the drawn batch. */
bool learn_unmix_fill(struct learn_unmix *x, const struct learn_batch *b, GError **error);

/* The loss after a run: the mean over the layers. */
double learn_unmix_loss(const struct learn_unmix *x);
