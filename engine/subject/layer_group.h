/* layer_group.h: groups of a model's layers, by the names of their shifts. A layer is in one group of places
 * and in one of kinds; the first whose pattern is in its name. */
#pragma once

enum layer_group {
    LAYERS_ALL,
    // places
    LAYERS_TEXT, // text_model.
    LAYERS_DOWN, // down_blocks.
    LAYERS_MID,  // mid_block.
    LAYERS_UP,   // up_blocks.
    LAYERS_ENDS, // of the UNet all else: conv_in, conv_out and its norm, the time embedding
    // kinds
    LAYERS_SELF,    // .attn1. or .self_attn.
    LAYERS_CROSS,   // .attn2.
    LAYERS_FORWARD, // .ff. or .mlp.
    LAYERS_NORMS,   // norm
    LAYERS_CONVS,   // conv
    LAYERS_OTHER,   // projections into and out of transformers, of the time, embeddings
    LAYER_GROUPS
};

// "cross-attention"
const char *layer_group_name(enum layer_group g);

enum layer_group layer_group_place(const char *shift);
enum layer_group layer_group_kind(const char *shift);
