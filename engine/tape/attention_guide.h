/* attention_guide.h: what is asked of a UNet's cross-attention besides its text. */
#pragma once

#include "engine/svdiff.h"
#include "engine/tape/tape.h"

/* The unmix loss of Cut-Mix-Unmix (Han et al. 2023, section 3.3): the attention of each subject's
 * own words in the regions of the others, drawn to zero. For the layers l of one level and the
 * subjects i of a row,
 *   A_i = attention probabilities, averaged over heads, then over the subject's tokens
 *   s_i = 1, the mean of A_i, or its largest value
 *   L   = mean over l, i of (sum over x of M_i (A_i / s_i)^2) / (sum over x of M_i)
 * with M_i the largest region of the others at x. Rows that show one subject have no part in it. */
struct unmix {
    int level;               // of the UNet that is watched
    enum unmix_layers sides; // its down block, its up block, or both
    int layers;              // cross-attentions there
    enum unmix_maps maps;
    int n, slots;       // rows, subjects a row has room for
    int places, tokens; // h * w of the level's grid; of the text
    // on the device
    const int32_t *shown; // [n]: subjects of each row; 0 and 1 take no part
    const real *others;   // [n, slots, places]: M
    const real *words;    // [n, tokens, slots]: shares of the subjects' tokens in their mean
    const double *factor; // [n]: of a subject's loss in what is differentiated
    double *losses;       // [layers, n, slots]: receives the loss of each subject
    double *map;          // [n, slots, places]: of the last layer
    // on the host
    double *seen; // [layers, n, slots, places]: A is added; NULL: for forward runs alone
};

/* Texts that act in regions: the keys are those of n + 1 texts of the same length, the first for
 * everywhere, each other one with the factor m of its region, which is 0 outside of it. */
struct attention_regions {
    int n;
    int h, w;           // grid of the masks, that of the latents
    const float *masks; // [n, h, w], 0..1; their area mean on the grid of an attention is m
};

struct attention_guide {
    const struct unmix *unmix;               // NULL: none
    const struct attention_regions *regions; // NULL: none; for forward runs alone
};

/* Computes the probabilities of queries q [n, .., heads * d] on keys k [n, 1, tokens, heads * d]
 * once more for the words alone, writes losses of the layer and starts the way back from there: the
 * gradient flows to q and k through the attention. */
void unmix_attention(struct tape *t, struct tensor *q, struct tensor *k, int heads,
                     const struct unmix *u, int layer);

/* Attention of queries q [n, h, w, heads * d] on the texts' keys and values; without a gradient. */
struct tensor *regional_attention(struct tape *t, struct tensor *q, struct tensor *k,
                                  struct tensor *v, int heads, const struct attention_regions *r);
