/* unet_levels.h: the parts of a UNet, for unet_read.c, which reads them, and unet.c, which runs them. */
#pragma once

#include "engine/network/unet.h"
#include "engine/network/unet_blocks.h"

struct level {
    int n_blocks;
    struct residual_block *residuals;       // [n_blocks]
    struct transformer_block *transformers; // [n_blocks], NULL without cross-attention
    struct weight sampler;                  // down- or upsampling convolution
    bool has_sampler;
};

struct unet {
    struct network net;
    struct unet_config config;
    struct weight time1, time2, conv_in, conv_out; // time1, time2: the embedding's layers
    struct norm norm_out;
    struct level down[UNET_MAX_LEVELS], up[UNET_MAX_LEVELS]; // up[0]: the deepest
    struct residual_block mid_residuals[2];
    struct transformer_block mid_transformer;
};
