/* unet/config.json; see model_config.h. */
#include "engine/network/model_config.h"

#include "engine/base/config_reader.h"

#include <string.h>

#define MAX_CHANNELS 65536

// what would change results and is not there, by diffusers' names
static const struct config_fixed fixed[] = {
    {"_class_name", "UNet2DConditionModel"},
    {"act_fn", "silu|swish"},
    {"addition_embed_type", "null"},
    {"attention_type", "default"},
    {"center_input_sample", "false"},
    {"class_embed_type", "null"},
    {"class_embeddings_concat", "false"},
    {"conv_in_kernel", "3"},
    {"conv_out_kernel", "3"},
    {"cross_attention_norm", "null"},
    {"downsample_padding", "1"},
    {"dual_cross_attention", "false"},
    {"encoder_hid_dim", "null"},
    {"encoder_hid_dim_type", "null"},
    {"mid_block_only_cross_attention", "null|false"},
    {"mid_block_scale_factor", "1"},
    {"mid_block_type", "null|UNetMidBlock2DCrossAttn"},
    {"num_class_embeds", "null"},
    {"only_cross_attention", "false"},
    {"resnet_out_scale_factor", "1"},
    {"resnet_skip_time_act", "false"},
    {"resnet_time_scale_shift", "default"},
    {"reverse_transformer_layers_per_block", "null"},
    {"time_cond_proj_dim", "null"},
    {"time_embedding_act_fn", "null"},
    {"time_embedding_dim", "null"},
    {"time_embedding_type", "positional"},
    {"timestep_post_act", "null"},
};

static void read_channels(struct config_reader *r, struct unet_config *config)
{
    static const int usual[] = {320, 640, 1280, 1280};
    // its length is the number of levels, which all other lists must have
    JsonNode *node = r->failed ? NULL : json_object_get_member(r->object, "block_out_channels");

    if (node == NULL) {
        // absent: diffusers' default, SD's own
        config->n_levels = 4;
        memcpy(config->block_out_channels, usual, sizeof(usual));
        return;
    }
    config->n_levels =
        JSON_NODE_HOLDS_ARRAY(node) ? (int)json_array_get_length(json_node_get_array(node)) : 0;
    if (config->n_levels < 1 || config->n_levels > UNET_MAX_LEVELS) {
        config_fail(r, "\"block_out_channels\" must be a list of 1 to %d numbers", UNET_MAX_LEVELS);
        // some number, for the calls that follow until the failure is told
        config->n_levels = 1;
    }
    config_levels(r, "block_out_channels", 1, MAX_CHANNELS, 0, config->n_levels,
                  config->block_out_channels);
}

/* The kinds of the blocks of one side: true where they attend. Without the key: diffusers' four,
 * of which the deepest does not. */
static void read_blocks(struct config_reader *r, const struct unet_config *config, const char *key,
                        const char *plain, const char *cross, int deepest, bool *attends)
{
    JsonArray *array = NULL;

    if (!r->failed && !json_get_array(r->object, r->what, key, JSON_OPTIONAL, &array, r->error)) {
        r->failed = true;
    }
    int n = array == NULL ? 4 : (int)json_array_get_length(array);
    if (n != config->n_levels) {
        config_fail(r, "\"%s\" must have %d entries, one a level", key, config->n_levels);
    }
    for (int i = 0; i < config->n_levels && !r->failed; i++) {
        JsonNode *node = array == NULL ? NULL : json_array_get_element(array, (guint)i);
        // NULL: an entry that is no text
        const char *kind = node == NULL                   ? (i == deepest ? plain : cross)
                           : !JSON_NODE_HOLDS_VALUE(node) ? NULL
                                                          : json_node_get_string(node);
        attends[i] = g_strcmp0(kind, cross) == 0;
        if (!attends[i] && g_strcmp0(kind, plain) != 0) {
            config_fail(r, "\"%s\" has %s, only %s and %s are supported", key,
                        kind == NULL ? "no text" : kind, plain, cross);
        }
    }
}

// what must divide what, else the layers cannot be
static void check_sizes(struct config_reader *r, const struct unet_config *config)
{
    int n = config->n_levels;

    for (int i = 0; i < n; i++) {
        int channels = config->block_out_channels[i];
        bool attends =
            config->down_cross[i] || config->up_cross[n - 1 - i] || (config->has_mid && i == n - 1);
        if (channels % config->norm_num_groups != 0) {
            config_fail(r, "\"block_out_channels\" has %d, which %d groups do not divide", channels,
                        config->norm_num_groups);
        }
        if (attends && channels % config->heads[i] != 0) {
            config_fail(r, "\"block_out_channels\" has %d, which %d heads do not divide", channels,
                        config->heads[i]);
        }
    }
    if (config->block_out_channels[0] % 2 != 0) { // halves of sines and cosines
        config_fail(r, "\"block_out_channels\" must begin with an even number");
    }
}

// every key in an order in which each list can be held against the number of levels
static void fill(struct config_reader *r, struct unet_config *config)
{
    int sides[2]; // height and width of the latents

    *config = (struct unet_config){0};
    config_check(r, fixed, G_N_ELEMENTS(fixed));
    config->in_channels = config_int(r, "in_channels", 1, MAX_CHANNELS, 4);
    config->out_channels = config_int(r, "out_channels", 1, MAX_CHANNELS, 4);
    config_levels(r, "sample_size", 1, MAX_CHANNELS, 64, 2, sides);
    // the model's own pictures are squares here
    config->sample_size = MIN(sides[0], sides[1]);
    read_channels(r, config);
    int n = config->n_levels;
    config->layers_per_block = config_same(r, "layers_per_block", 1, 64, 2, n);
    read_blocks(r, config, "down_block_types", "DownBlock2D", "CrossAttnDownBlock2D", 3,
                config->down_cross);
    read_blocks(r, config, "up_block_types", "UpBlock2D", "CrossAttnUpBlock2D", 0,
                config->up_cross);
    config->has_mid = !config_is_null(r, "mid_block_type");
    config_levels(r, "transformer_layers_per_block", 1, 64, 1, n, config->transformer_layers);
    // by its name the width of a head; what diffusers makes of it is their number, and files rely
    // on it
    config_levels(r, "attention_head_dim", 1, 1024, 8, n, config->heads);
    if (!r->failed && json_object_has_member(r->object, "num_attention_heads") &&
        !config_is_null(r, "num_attention_heads")) {
        config_levels(r, "num_attention_heads", 1, 1024, 8, n, config->heads);
    }
    config->cross_attention_dim = config_same(r, "cross_attention_dim", 1, MAX_CHANNELS, 1280, n);
    // null passes here as 0, for a sentence of its own below
    config->norm_num_groups =
        config_int(r, "norm_num_groups", 1, 4096, config_is_null(r, "norm_num_groups") ? 0 : 32);
    config->norm_eps = config_double(r, "norm_eps", 0, 1, 1e-5);
    config->use_linear_projection = config_bool(r, "use_linear_projection", false);
    config->flip_sin_to_cos = config_bool(r, "flip_sin_to_cos", true);
    config->freq_shift = config_double(r, "freq_shift", -1, 1, 0);
    if (config->norm_num_groups == 0) {
        config_fail(r, "\"norm_num_groups\" is null, models without normalisation are not "
                       "supported");
    }
    if (!r->failed) {
        check_sizes(r, config);
    }
}

bool unet_config_read(const char *path, struct unet_config *config, GError **error)
{
    struct config_reader reader;

    config_reader_open(&reader, path, error);
    fill(&reader, config);
    return config_reader_finish(&reader);
}
