/* ops.h: the differentiable operations that networks are written with.
 *
 * Each runs at once on the tape's device, returns a new tensor of the arena in use, and records
 * itself where a gradient is wanted. Shapes are [n, h, w, c] as everywhere; the caller guarantees
 * that they fit (checked by assertions). Forward and backward of an op stand together in its
 * file. */
#pragma once

#include "engine/tape/weight.h"

// op_linear.c
/* y [n, h, w, out] = W x + b over the channels of x. */
struct tensor *linear(struct tape *t, struct tensor *x, const struct weight *w);
/* y [n, out_h, out_w, out]; what lies outside of x is zero, or, on a tape that wraps, the other side of
 * x. Padding below and right follows from the output's size. */
struct conv_geometry {
    int stride, pad_top, pad_left, out_h, out_w;
};
struct tensor *conv(struct tape *t, struct tensor *x, const struct weight *w,
                    struct conv_geometry g);
/* The same size as x: stride 1, padding of half the kernel. */
struct tensor *conv_same(struct tape *t, struct tensor *x, const struct weight *w);

// op_embedding.c
/* y [n, 1, t, width]: rows of the table. ids [n * t] on the device, kept by the caller. */
struct tensor *embedding(struct tape *t, const int32_t *ids, int n, int tokens,
                         const struct weight *table);

// op_norm.c
struct norm {
    struct weight gain; // WEIGHT_NORM, with the bias [c]
    int groups;         // group normalisation
    double epsilon;
};
struct tensor *groupnorm(struct tape *t, struct tensor *x, const struct norm *norm, bool silu);
struct tensor *layernorm(struct tape *t, struct tensor *x, const struct norm *norm);

// op_attention.c
/* y = softmax(q k^T / sqrt(d)) v for each of heads; q [n, .., heads * d] of tq tokens, k and v of
 * tk tokens. */
struct tensor *attention(struct tape *t, struct tensor *q, struct tensor *k, struct tensor *v,
                         int heads, bool causal);

// op_elementwise.c
struct tensor *activate(struct tape *t, struct tensor *x, enum activation a);
/* x [.., 2 c] = [value | gate]; y [.., c] = value * gelu(gate) */
struct tensor *geglu(struct tape *t, struct tensor *x);
struct tensor *add(struct tape *t, struct tensor *a, struct tensor *b);
/* row [n, 1, 1, c] is added to every token of x [n, h, w, c] */
struct tensor *add_row(struct tape *t, struct tensor *x, struct tensor *row);

// op_shape.c
/* Channels of a, then channels of b. */
struct tensor *concat(struct tape *t, struct tensor *a, struct tensor *b);
/* Tokens of a, then tokens of b, for each of n: [n, 1, ta + tb, c]. */
struct tensor *concat_tokens(struct tape *t, struct tensor *a, struct tensor *b);
/* x with lines above, columns left ... that are those of its other side:
 * [n, top + h + bottom, left + w + right, c]; none of the four is larger than x. */
struct wrap_margins {
    int top, left, bottom, right;
};
struct tensor *wrap(struct tape *t, struct tensor *x, struct wrap_margins m);
struct tensor *upsample(struct tape *t, struct tensor *x, int out_h, int out_w);
/* All of x, so many times one after the other: [times n, h, w, c]. */
struct tensor *repeat(struct tape *t, struct tensor *x, int times);

// op_loss.c
/* Mean squared error: adds the gradient of sum over n of weight [n] * loss [n], where loss [n] is
 * the mean over h, w and c of (x - target)^2, or with a map [n, h, w] of map * (x - target)^2. weight
 * and map are on the host. Returns the losses on the device: one a row, or with a map one a place. */
real *mse_loss(struct tape *t, struct tensor *x, const real *target, const float *weight,
               const float *map);
/* Of such losses on the host, n rows of `places` (1 without a map): losses [n] without the map,
 * weighted [n] (or NULL) with it. */
void mse_means(const real *loss, int n, int places, const float *map, float *losses,
               float *weighted);
