/* unet_blocks.h: the two kinds of blocks a UNet is made of.
 *
 *   residual     h = conv1(silu(norm1(x))) + time_emb_proj(temb); y = shortcut(x) +
 *                conv2(silu(norm2(h)))
 *   transformer  x + proj_out(blocks(proj_in(norm(x)))), each block: self-attention,
 *                cross-attention over the text, gated feed-forward, every one behind a LayerNorm
 *                and with a residual */
#pragma once

#include "engine/tape/attention_guide.h"
#include "engine/network/reader.h"

struct residual_block {
    struct norm norm1, norm2;
    struct weight conv1, conv2, time_projection, shortcut;
    bool has_time, has_shortcut;
};

/* in channels are those of x and the skip together. time_width 0: no time embedding (autoencoder).
 */
void residual_block_read(struct reader *r, struct residual_block *b, int in, int out,
                         int time_width, int groups, double epsilon, const char *name);

/* x (with the skip joined to its channels, NULL without one) and time [n, 1, 1, time_width], which
 * went through SiLU already; NULL without a time embedding. */
struct tensor *residual_block(struct tape *t, const struct residual_block *b, struct tensor *x,
                              struct tensor *skip, struct tensor *time);

struct attention_weights {
    struct weight q, k, v, out;
    int heads;
};

struct transformer_layer {
    struct norm norm1, norm2, norm3;
    struct attention_weights self, cross;
    struct weight expand, contract; // ff.net.0.proj, ff.net.2
};

struct transformer_block {
    struct norm norm;
    struct weight proj_in, proj_out;
    int n_layers;
    struct transformer_layer *layers; // owned
};

struct transformer_shape {
    int c, heads, context, layers, groups;
    bool linear_projection;
};

void transformer_block_read(struct reader *r, struct transformer_block *b,
                            struct transformer_shape s, const char *name);
void transformer_block_finish(struct transformer_block *b);

/* What is asked of one block, and what it need not work out: for each of its layers the keys, then the values
 * [n, tokens, c] of its cross-attention; NULL: of the context. */
struct block_guide {
    const struct attention_guide *guide; // NULL: nothing
    bool watched;                        // the unmix loss is taken here
    int layer; // number of the block's first cross-attention among the watched
    const cell *keys;
    int n, tokens; // of the keys: texts, and of each
};

// cells of keys and values of n texts of so many tokens; and these, written behind each other
int64_t transformer_block_key_cells(const struct transformer_block *b, int n, int tokens);
void transformer_block_make_keys(struct tape *t, const struct transformer_block *b,
                                 struct tensor *context, cell *keys);

/* x for n texts, which is the same for several of them while there are fewer: [n, h, w, c]. */
struct tensor *for_texts(struct tape *t, struct tensor *x, int n);

/* x [n, h, w, c], or what is the same for several texts, as for_texts has it; context [n, 1, tokens, width] or
 * NULL where there are keys; guide may be NULL. Returns [n, h, w, c]. */
struct tensor *transformer_block(struct tape *t, const struct transformer_block *b,
                                 struct tensor *x, struct tensor *context,
                                 const struct block_guide *guide);
