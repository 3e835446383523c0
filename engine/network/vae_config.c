/* vae/config.json; see model_config.h. */
#include "engine/network/model_config.h"

#include "engine/base/config_reader.h"

#include <math.h>

#define MAX_CHANNELS 65536

// latents with a mean and deviation of their own, as newer families have, are another scaling
static const struct config_fixed fixed[] = {
    {"_class_name", "AutoencoderKL"},
    {"act_fn", "silu|swish"},
    {"latents_mean", "null"},
    {"latents_std", "null"},
};

static void read_channels(struct config_reader *r, struct vae_config *config)
{
    JsonNode *node = r->failed ? NULL : json_object_get_member(r->object, "block_out_channels");

    config->n_levels = node != NULL && JSON_NODE_HOLDS_ARRAY(node)
                           ? (int)json_array_get_length(json_node_get_array(node))
                           : 1;
    if (config->n_levels < 1 || config->n_levels > VAE_MAX_LEVELS) {
        config_fail(r, "\"block_out_channels\" must be a list of 1 to %d numbers", VAE_MAX_LEVELS);
        config->n_levels = 1;
    }
    config_levels(r, "block_out_channels", 1, MAX_CHANNELS, 64, config->n_levels,
                  config->block_out_channels);
}

// one block a level, all of the one kind
static void check_blocks(struct config_reader *r, const struct vae_config *config, const char *key,
                         const char *kind)
{
    JsonArray *array = NULL;

    if (r->failed || !json_get_array(r->object, r->what, key, JSON_OPTIONAL, &array, r->error)) {
        r->failed = true;
        return;
    }
    if ((array == NULL ? 1 : (int)json_array_get_length(array)) != config->n_levels) {
        config_fail(r, "\"%s\" must have %d entries, one a level", key, config->n_levels);
    }
    for (int i = 0; array != NULL && i < config->n_levels && !r->failed; i++) {
        JsonNode *node = json_array_get_element(array, (guint)i);
        const char *name = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        if (g_strcmp0(name, kind) != 0) {
            config_fail(r, "\"%s\" has %s, only %s is supported", key,
                        name == NULL ? "no text" : name, kind);
        }
    }
}

// defaults are AutoencoderKL's, which is small: SD's files say everything
static void fill(struct config_reader *r, struct vae_config *config)
{
    int sides[2];

    *config = (struct vae_config){0};
    config_check(r, fixed, G_N_ELEMENTS(fixed));
    config->in_channels = config_int(r, "in_channels", 1, 16, 3);
    config->out_channels = config_int(r, "out_channels", 1, 16, 3);
    config->latent_channels = config_int(r, "latent_channels", 1, 1024, 4);
    // a number or a pair: the shorter side of the pictures that it was trained with
    config_levels(r, "sample_size", 1, MAX_CHANNELS, 32, 2, sides);
    config->sample_size = MIN(sides[0], sides[1]);
    read_channels(r, config);
    check_blocks(r, config, "down_block_types", "DownEncoderBlock2D");
    check_blocks(r, config, "up_block_types", "UpDecoderBlock2D");
    config->layers_per_block = config_int(r, "layers_per_block", 1, 64, 1);
    config->norm_num_groups = config_int(r, "norm_num_groups", 1, 4096, 32);
    config->scaling_factor = config_double(r, "scaling_factor", 1e-6, 1e6, 0.18215);
    config->shift_factor = config_double(r, "shift_factor", -1e6, 1e6, 0);
    config->use_quant_conv = config_bool(r, "use_quant_conv", true);
    config->use_post_quant_conv = config_bool(r, "use_post_quant_conv", true);
    config->mid_block_add_attention = config_bool(r, "mid_block_add_attention", true);
    // pictures are read, masked and written as RGB everywhere
    if (!r->failed && (config->in_channels != 3 || config->out_channels != 3)) {
        config_fail(r, "the autoencoder has %d and %d channels of pixels, only 3 are supported",
                    config->in_channels, config->out_channels);
    }
    for (int i = 0; i < config->n_levels && !r->failed; i++) {
        if (config->block_out_channels[i] % config->norm_num_groups != 0) {
            config_fail(r, "\"block_out_channels\" has %d, which %d groups do not divide",
                        config->block_out_channels[i], config->norm_num_groups);
        }
    }
}

bool vae_config_read(const char *path, struct vae_config *config, GError **error)
{
    struct config_reader reader;

    config_reader_open(&reader, path, error);
    fill(&reader, config);
    return config_reader_finish(&reader);
}
