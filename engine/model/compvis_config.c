/* The constants of SD 1.x and 2.x; see compvis_config.h. */
#include "engine/model/compvis_config.h"

#include "engine/base/error.h"
#include "engine/model/checkpoint_configs.h"
#include "engine/model/compvis.h"

#include <math.h>

// above: v; between the values that models of both kinds have
#define V_BIAS_DEVIATION 0.09

// CompVis' v1-inference.yaml, in diffusers' words
static const struct unet_config sd1_unet = {
    .in_channels = 4,
    .out_channels = 4,
    .sample_size = 64,
    .n_levels = 4,
    .layers_per_block = 2,
    .block_out_channels = {320, 640, 1280, 1280},
    .down_cross = {true, true, true, false},
    .up_cross = {false, true, true, true},
    .has_mid = true,
    .transformer_layers = {1, 1, 1, 1},
    .heads = {8, 8, 8, 8},
    .cross_attention_dim = 768,
    .norm_num_groups = 32,
    .norm_eps = 1e-5,
    .flip_sin_to_cos = true,
};

// OpenAI's CLIP ViT-L/14
static const struct text_config sd1_text = {
    .vocabulary = 49408,
    .width = 768,
    .layers = 12,
    .heads = 12,
    .intermediate = 3072,
    .positions = 77,
    .quick_gelu = true,
    .layer_norm_eps = 1e-5,
    .bos = 49406,
    .eos = 49407,
    .pad = 49407,
};

// the same autoencoder for both versions
static const struct vae_config sd_vae = {
    .in_channels = 3,
    .out_channels = 3,
    .latent_channels = 4,
    .sample_size = 512,
    .n_levels = 4,
    .layers_per_block = 2,
    .block_out_channels = {128, 256, 512, 512},
    .norm_num_groups = 32,
    .scaling_factor = 0.18215,
    .use_quant_conv = true,
    .use_post_quant_conv = true,
    .mid_block_add_attention = true,
};

static void fill_schedule(struct schedule_config *schedule)
{
    schedule_config_init(schedule);
    // what differs from diffusers' defaults, as its conversion script sets it
    schedule->beta_schedule = BETA_SCALED_LINEAR;
    schedule->beta_start = 0.00085;
    schedule->beta_end = 0.012;
    schedule->steps_offset = 1;
    schedule->timestep_spacing = TIMESTEPS_LEADING;
    schedule->set_alpha_to_one = false;
    schedule->clip_sample = false;
}

// standard deviation of a tensor's values, 0 when there is none
static double deviation(const struct weight_files *weights, const char *name)
{
    struct weight_place place;
    double sum = 0, squares = 0;

    if (!weight_files_find(weights, name, &place) || place.tensor->values == 0 ||
        // the bias has 320: whatever is larger is not it
        place.tensor->values > 65536) {
        return 0;
    }
    int64_t n = place.tensor->values;
    g_autofree float *values = g_new(float, n);
    if (!safetensors_read_f32(place.file, place.tensor, values, NULL)) {
        return 0;
    }
    for (int64_t i = 0; i < n; i++) {
        sum += values[i];
        squares += (double)values[i] * values[i];
    }
    // below 0 by rounding alone
    return sqrt(MAX(0, squares / (double)n - (sum / (double)n) * (sum / (double)n)));
}

// v or epsilon, and a schedule that ends in pure noise: marks that fine-tunes carry
static void infer_schedule(const struct weight_files *weights, bool sd2,
                           struct schedule_config *schedule)
{
    struct weight_place place;

    fill_schedule(schedule);
    if (weight_files_find(weights, "v_pred", &place) ||
        (sd2 &&
         deviation(weights, COMPVIS_UNET_PREFIX
                   "output_blocks.11.1.transformer_blocks.0.norm1.bias") > V_BIAS_DEVIATION)) {
        schedule->prediction_type = PREDICTION_V;
    }
    // tensors without a meaning but their name, which fine-tuners agreed upon
    schedule->rescale_betas_zero_snr = weight_files_find(weights, "ztsnr", &place);
}

// a side of a weight of the UNet, 0 when the file has no such weight
static int side_of(const struct weight_files *weights, const char *name, int n_dims)
{
    struct weight_place place;
    bool found = weight_files_find(weights, name, &place);

    // bounded, because a file may claim sides that no int holds
    return found && place.tensor->n_dims == n_dims ? (int)MIN(place.tensor->shape[1], 65536) : 0;
}

// the second version: OpenCLIP-H reads the text, and heads have 64 channels instead of being 8
static void become_sd2(struct unet_config *unet, struct text_config *text)
{
    unet->cross_attention_dim = text->width = 1024;
    unet->use_linear_projection = true;
    for (int i = 0; i < unet->n_levels; i++) {
        unet->heads[i] = unet->block_out_channels[i] / 64;
    }
    text->layers = 23; // of 24: the last is not used
    text->heads = 16;
    text->intermediate = 4096;
    text->quick_gelu = false;
    text->pad = 0;
}

char *compvis_config_folder(const char *path)
{
    static const char *const endings[] = {".safetensors", ".ckpt", ".pt", ".bin"};
    size_t length = strlen(path);

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (g_str_has_suffix(path, endings[i])) {
            length -= strlen(endings[i]);
            break;
        }
    }
    return g_strdup_printf("%.*s.config", (int)length, path);
}

bool compvis_config_infer(const struct weight_files *weights, struct unet_config *unet,
                          struct text_config *text, struct vae_config *vae,
                          struct schedule_config *schedule, GError **error)
{
    // the text that the first cross attention reads, and the latents that come in
    const int width = side_of(
        weights, COMPVIS_UNET_PREFIX "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", 2);
    const int channels = side_of(weights, COMPVIS_UNET_PREFIX "input_blocks.0.0.weight", 4);
    struct weight_place place;

    // the size and the crop of pictures, which only XL is told
    if (weight_files_find(weights, COMPVIS_UNET_PREFIX "label_emb.0.0.weight", &place)) {
        return checkpoint_refuse(weight_files_path(weights), "a Stable Diffusion XL model", error);
    }
    if ((width != 768 && width != 1024) || channels == 0) {
        return error_failed(
            error,
            "%s: the sizes of this model are not those of Stable Diffusion 1.x or 2.x; put its "
            "configs beside it as in a diffusers folder, in NAME.config for NAME.safetensors.",
            weight_files_path(weights));
    }

    bool sd2 = width == 1024;
    *unet = sd1_unet;
    unet->in_channels = channels; // 9: inpainting, 8: edits by instructions
    *text = sd1_text;
    *vae = sd_vae;
    infer_schedule(weights, sd2, schedule);
    if (sd2) {
        become_sd2(unet, text);
    }
    compvis_config_size(unet, vae, schedule->prediction_type);
    return true;
}

void compvis_config_size(struct unet_config *unet, struct vae_config *vae,
                         enum prediction_type type)
{
    // only 768-v of SD 2 was trained at 768 pixels
    const bool large = unet->cross_attention_dim == 1024 && type == PREDICTION_V;

    unet->sample_size = large ? 96 : 64;
    vae->sample_size = large ? 768 : 512;
}

void compvis_config_sd15(struct unet_config *unet, struct vae_config *vae,
                         struct schedule_config *schedule)
{
    *unet = sd1_unet;
    *vae = sd_vae;
    fill_schedule(schedule);
}
