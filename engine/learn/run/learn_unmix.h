/* learn_unmix.h: the unmix loss (attention_guide.h) of a learning batch. */
#pragma once

#include "engine/learn/run/learn_step.h"

// the plan's arrays on the device
enum {
    UNMIX_SHOWN,
    UNMIX_OTHERS,
    UNMIX_WORDS,
    UNMIX_FACTOR,
    UNMIX_LOSSES,
    UNMIX_MAP,
    UNMIX_ARRAYS
};

struct learn_unmix {
    struct unmix plan;
    struct attention_guide guide;
    const struct learn_batch *batch; // borrowed
    const kernels *k;                // borrowed
    int grid_h, grid_w;
    double weight;
    float *others, *words; // what was uploaded of them
    void *memory[UNMIX_ARRAYS];
    size_t bytes[UNMIX_ARRAYS];
};

/* For batch b on device k, which both must live longer, in the blocks and maps that the options
 * name: of the level whose attention maps are nearest to their grid. weight: of the loss in what is
 * differentiated. *x, owned by the caller, is NULL where no such block attends to text. False with
 * an error when there is no memory. */
bool learn_unmix_create(const kernels *k, const struct learn_batch *b, const struct unet *u,
                        const struct svdiff_learn_options *o, double weight, struct learn_unmix **x,
                        GError **error);
void learn_unmix_free(struct learn_unmix *x); // accepts NULL

/* Takes as many rows as the drawn batch has, which learn_unmix_fill does, too. */
void learn_unmix_follow(struct learn_unmix *x);

/* Takes regions and words of the drawn batch, which learn_unmix_upload brings to the device. */
bool learn_unmix_fill(struct learn_unmix *x, GError **error);
void learn_unmix_upload(const struct learn_unmix *x);

/* The loss after a run: the mean over layers, rows and subjects. Waits for the device. */
double learn_unmix_loss(const struct learn_unmix *x);
