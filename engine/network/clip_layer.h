/* clip_layer.h: the layer that both of CLIP's transformers, of texts and of pictures, are made of. */
#pragma once

#include "engine/network/reader.h"

struct clip_layer {
    struct norm norm1, norm2;
    struct weight q, k, v, out, fc1, fc2;
    int heads;
    enum activation activation;
    bool causal; // a token sees those before it alone
};

struct clip_layer_shape {
    int width, intermediate, heads;
    bool quick_gelu; // otherwise the exact GELU
    bool causal;
    double epsilon;
};

/* n layers, those of the module `name`. Freed by the caller (g_free), after the network, whose list
 * points into them. */
struct clip_layer *clip_layers_read(struct reader *r, const struct clip_layer_shape *shape, int n,
                                    const char *name);

/* x [n, 1, tokens, width] through the first `count` of them, each a segment of the tape. */
struct tensor *clip_layers_forward(struct tape *t, const struct clip_layer *layers, int count,
                                   struct tensor *x);

/* Rows 0 .. tokens - 1 of a table of positions, for each of n: [n, 1, tokens, width]. */
struct tensor *clip_positions(struct tape *t, const struct weight *table, int n, int tokens);
