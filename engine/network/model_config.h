/* model_config.h: what the configs of a diffusers folder say about a model.
 *
 * The configs alone decide sizes and kinds. A parser refuses, by name, every feature that would
 * change results and that the engine does not have; keys that change nothing are ignored. A key
 * that is absent has the default of diffusers 0.42 (transformers 5 for the text encoder).
 *
 * Each parser reads one file of at most 1 MiB, returns false with a sentence that names the file
 * and the key, and then leaves *config undefined. The scheduler's is in
 * schedule_config.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define UNET_MAX_LEVELS 8
#define VAE_MAX_LEVELS  8

/* unet/config.json, UNet2DConditionModel. Levels count from the largest picture down. */
struct unet_config {
    int in_channels, out_channels;
    int sample_size; // latents a side at the model's own size
    int n_levels, layers_per_block;
    int block_out_channels[UNET_MAX_LEVELS];
    bool down_cross[UNET_MAX_LEVELS];        // CrossAttnDownBlock2D, by down block
    bool up_cross[UNET_MAX_LEVELS];          // CrossAttnUpBlock2D, by up block: 0 is the deepest
    bool has_mid;                            // UNetMidBlock2DCrossAttn
    int transformer_layers[UNET_MAX_LEVELS]; // per level
    int heads[UNET_MAX_LEVELS];              // per level; the config's attention_head_dim
    int cross_attention_dim;
    int norm_num_groups;
    double norm_eps;
    bool use_linear_projection;
    bool flip_sin_to_cos;
    double freq_shift;
};

/* text_encoder/config.json, CLIPTextModel */
struct text_config {
    int vocabulary, width, layers, heads, intermediate, positions;
    bool quick_gelu; // otherwise the exact GELU
    double layer_norm_eps;
    int bos, eos, pad; // as the config says; the tokenizer's files decide
    /* Width of what is compared with pictures. 0: the encoder of a Stable Diffusion model has none,
     * and text_config_read sets none. */
    int projection;
};

/* "vision_config" of a whole CLIP model's config.json, with its "projection_dim" */
struct vision_config {
    int width, layers, heads, intermediate;
    int size, patch; // pixels a side, of a picture and of what becomes a token
    int projection;
    bool quick_gelu; // otherwise the exact GELU
    double layer_norm_eps;
};

/* vae/config.json, AutoencoderKL */
struct vae_config {
    int in_channels, out_channels, latent_channels;
    int sample_size;
    int n_levels, layers_per_block;
    int block_out_channels[VAE_MAX_LEVELS];
    int norm_num_groups;
    double scaling_factor, shift_factor;
    bool use_quant_conv, use_post_quant_conv, mid_block_add_attention;
};

bool unet_config_read(const char *path, struct unet_config *config, GError **error);
bool text_config_read(const char *path, struct text_config *config, GError **error);
bool vision_config_read(const char *path, struct vision_config *config, GError **error);
bool vae_config_read(const char *path, struct vae_config *config, GError **error);
