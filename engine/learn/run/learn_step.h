/* learn_step.h: one forward and backward of DreamBooth's loss (Ruiz et al. 2023; SVDiff eq. 3).
 *
 *   L = mean (prediction(z_t, text) - target)^2 + prior_weight * mean (prediction(z'_t', class) -
 *       target')^2
 *
 * Where a picture has masks, each place of it counts with the weight of a map whose mean is 1.
 * Instance rows come first, prior rows after them, all in one batch. target is the noise, or the
 * velocity for v-models; a prior without pictures has the unshifted model's prediction as target.
 */
#pragma once

#include "engine/tape/ops.h"
#include "engine/network/unet.h"
#include "engine/session/conditioner.h"

struct learn_composed;

struct learn_batch {
    double scale; // what the losses are multiplied by on the way back: loss_scale.h
    int n;        // rows in all; of a step without the prior the instance rows alone
    int instance; // rows of them that show subjects
    int h, w, c;  // of the latents
    int tokens;
    /* What the rows are drawn with [n], and on the device the moments that they are drawn from, whose owner the batch
     * is not. */
    struct latents_row *rows;
    const real *moments;
    double *timesteps; // [n]
    float *weights;    // [n]: factor of each row's mean in the gradient
    float *map;        // [n, h, w]: weight of each place's loss; NULL: 1 everywhere
    /* Rows with several subjects: how many each shows, where they are, and which tokens of the
     * prompt are each one's own; zeros where a row shows one. NULL where slots is 1. */
    int slots;
    int *shown;                             // [n]
    float *regions;                         // [n, slots, h, w]
    float *own;                             // [n, slots, tokens]
    int32_t *ids;                           // [n, tokens]
    struct conditioning text;               // of n texts: used when no text encoder learns
    const struct learn_composed **composed; // [n], for the trace: NULL where a row is not mixed
    /* Of the rows of the prior, [n - instance, h, w, c] on the device, in the place of their targets;
     * NULL where those count. */
    real *taught;
    // of a run, on its tape: the prediction, its targets, and the losses of rows or places
    struct tensor *predicted;
    real *wanted, *loss;
    // results, by learn_step_read
    float *losses;              // [n], unweighted
    float *weighted;            // [n], with the map
    float *prediction, *target; // [n, h, w, c]

    GPtrArray *memory; // of all of these but text
};

struct learn_batch *learn_batch_create(int n, int instance, int h, int w, int c, int tokens,
                                       int width);
/* Room for the regions and words of so many subjects a row. */
void learn_batch_set_slots(struct learn_batch *b, int slots);
/* Room for the map of the losses. */
void learn_batch_set_map(struct learn_batch *b);
/* The most subjects that an instance row shows. */
int learn_batch_shown(const struct learn_batch *b);
/* The mean of the losses of n rows; 0 of none. */
double learn_batch_loss(const struct learn_batch *b, int first, int n);
void learn_batch_free(struct learn_batch *b); // accepts NULL

/* Rows `first` and those behind it as the network sees them, drawn on the device; target [rows, h, w, c] there receives
 * what it should answer (NULL: not wanted). */
struct tensor *learn_step_draw(struct tape *t, const struct learn_batch *batch, int first,
                               real *target);

/* Runs the batch on t, guided or (NULL) not; adds to the gradients of all shifts. Waits for nothing.
 * Where no text encoder learns there is no conditioner (NULL), and what the texts of
 * the batch become is taken. */
void learn_step_run(struct tape *t, const struct unet *unet, const struct conditioner *conditioner,
                    struct learn_batch *batch, const struct attention_guide *guide);

/* How many losses the run leaves: one a row, or with a map one a place. */
int learn_step_losses(const struct learn_batch *batch);

/* Downloads what came of the run. */
void learn_step_read(const struct tape *t, struct learn_batch *batch);
