/* winograd_cpu.h: the three transforms of conv_winograd_cpu.c, for values of either type.
 *
 * A tile has 16 points, 4 x 4, row by row. In one dimension, written once for scalars and vectors: */
#pragma once

#include "kernels/product_cpu.h"

#define WINOGRAD_POINTS 16
#define WINOGRAD_LANES  64 // outputs of a panel of weights
#define WINOGRAD_DEPTH  32 // channels of weights that are brought in order at a time

// t [4] = Bt d [4]
#define WINOGRAD_BT(t, d0, d1, d2, d3)                                                             \
    ((t)[0] = (d0) - (d2), (t)[1] = (d1) + (d2), (t)[2] = (d2) - (d1), (t)[3] = (d1) - (d3))

// t [4] = G g [3]
#define WINOGRAD_G(t, g0, g1, g2)                                                                  \
    ((t)[0] = (g0), (t)[1] = ((g0) + (g2)) * 0.5f + (g1)*0.5f,                                     \
     (t)[2] = ((g0) + (g2)) * 0.5f - (g1)*0.5f, (t)[3] = (g2))

// y [2] = At m [4]
#define WINOGRAD_AT(y, m0, m1, m2, m3) ((y)[0] = (m0) + (m1) + (m2), (y)[1] = (m1) - (m2) - (m3))

/* Weights of PRODUCT_LANES outputs and `depth` channels, at most WINOGRAD_DEPTH, from w on. Distances
 * in values; one of lane and channel is 1. to [point, channel or pair of them, WINOGRAD_LANES]. */
struct winograd_weights {
    const void *w;
    int64_t lane, channel,
        tap; // a tap: one of the 3 x 3; negative where the kernel is turned around
    int depth;
    uint32_t *to;
    int64_t point; // values of `to` from one point to the next
};

/* weights  G g Gt of some weights.
 * input    Bt d B of a tile: from [16] points of [c] values, to rows of c values, `point` values apart.
 * output   At m A: from [16] points of products, `point` floats apart, of `count` outputs, to four
 *          pixels, with a bias of [count] or NULL; add: to what they are. */
struct winograd_transforms {
    void (*weights)(const struct winograd_weights *w);
    void (*input)(const void *const from[WINOGRAD_POINTS], int c, void *to, int64_t point);
    void (*output)(const float *from, int64_t point, int count, const float *bias, bool add,
                   void *const to[4]);
};

extern const struct winograd_transforms winograd_f32, winograd_bf16;
