/* The tensors of a model, by name and shape; see model_tensors.h.
 *
 * Each function lists one module under its prefix, in the order in which PyTorch registers them. */
#include "engine/model/model_tensors.h"

#include <stdarg.h>

struct list {
    GPtrArray *tensors;
    enum model_component component;
};

const char *model_component_folder(enum model_component component)
{
    static const char *const names[] = {"unet", "text_encoder", "vae"};

    return names[component];
}

const char *model_component_title(enum model_component component)
{
    static const char *const names[] = {"UNet", "text encoder", "autoencoder"};

    return names[component];
}

int64_t model_tensor_values(const struct model_tensor *tensor)
{
    int64_t values = 1;

    for (int i = 0; i < tensor->n_dims; i++) {
        values *= tensor->shape[i];
    }
    return values;
}

static void free_tensor(void *data)
{
    struct model_tensor *tensor = data;

    g_free(tensor->name);
    g_free(tensor);
}

static struct list begin(enum model_component component)
{
    return (struct list){g_ptr_array_new_with_free_func(free_tensor), component};
}

// `shape` ends with the first 0
static void add(struct list *l, const char *module, const char *leaf, const int shape[4])
{
    struct model_tensor *tensor = g_new0(struct model_tensor, 1);

    tensor->component = l->component;
    tensor->name = g_strconcat(module, ".", leaf, NULL);
    while (tensor->n_dims < 4 && shape[tensor->n_dims] != 0) {
        tensor->shape[tensor->n_dims] = shape[tensor->n_dims];
        tensor->n_dims++;
    }
    tensor->shifts = l->component != MODEL_VAE && leaf[0] == 'w';
    g_ptr_array_add(l->tensors, tensor);
}

static void add_linear(struct list *l, int in, int out, bool bias, const char *prefix,
                       const char *module)
{
    g_autofree char *name = g_strconcat(prefix, module, NULL);

    add(l, name, "weight", (const int[4]){out, in});
    if (bias) {
        add(l, name, "bias", (const int[4]){out});
    }
}

static void add_conv(struct list *l, int in, int out, int kernel, const char *prefix,
                     const char *module)
{
    g_autofree char *name = g_strconcat(prefix, module, NULL);

    add(l, name, "weight", (const int[4]){out, in, kernel, kernel});
    add(l, name, "bias", (const int[4]){out});
}

static void add_norm(struct list *l, int c, const char *prefix, const char *module)
{
    g_autofree char *name = g_strconcat(prefix, module, NULL);

    add(l, name, "weight", (const int[4]){c});
    add(l, name, "bias", (const int[4]){c});
}

// a residual block; `time` is the width of the time embedding, 0 for the autoencoder's
static void add_residual(struct list *l, int in, int out, int time, const char *prefix)
{
    add_norm(l, in, prefix, "norm1");
    add_conv(l, in, out, 3, prefix, "conv1");
    if (time > 0) {
        add_linear(l, time, out, true, prefix, "time_emb_proj");
    }
    add_norm(l, out, prefix, "norm2");
    add_conv(l, out, out, 3, prefix, "conv2");
    if (in != out) {
        add_conv(l, in, out, 1, prefix, "conv_shortcut");
    }
}

static void add_attention(struct list *l, int c, int context, const char *prefix)
{
    add_linear(l, c, c, false, prefix, "to_q");
    add_linear(l, context, c, false, prefix, "to_k");
    add_linear(l, context, c, false, prefix, "to_v");
    add_linear(l, c, c, true, prefix, "to_out.0");
}

static void add_transformer_layer(struct list *l, int c, int context, const char *prefix)
{
    g_autofree char *own = g_strconcat(prefix, "attn1.", NULL);
    g_autofree char *cross = g_strconcat(prefix, "attn2.", NULL);

    add_norm(l, c, prefix, "norm1");
    add_attention(l, c, c, own);
    add_norm(l, c, prefix, "norm2");
    add_attention(l, c, context, cross);
    add_norm(l, c, prefix, "norm3");
    add_linear(l, c, 8 * c, true, prefix, "ff.net.0.proj");
    add_linear(l, 4 * c, c, true, prefix, "ff.net.2");
}

static void add_transformer(struct list *l, const struct unet_config *config, int level,
                            const char *prefix)
{
    const int c = config->block_out_channels[level];

    add_norm(l, c, prefix, "norm");
    if (config->use_linear_projection) {
        add_linear(l, c, c, true, prefix, "proj_in");
    } else {
        add_conv(l, c, c, 1, prefix, "proj_in");
    }
    for (int k = 0; k < config->transformer_layers[level]; k++) {
        g_autofree char *inner = g_strdup_printf("%stransformer_blocks.%d.", prefix, k);
        add_transformer_layer(l, c, config->cross_attention_dim, inner);
    }
    if (config->use_linear_projection) {
        add_linear(l, c, c, true, prefix, "proj_out");
    } else {
        add_conv(l, c, c, 1, prefix, "proj_out");
    }
}

static void add_unet_down(struct list *l, const struct unet_config *config, int i)
{
    const int *width = config->block_out_channels;
    int in = width[MAX(i - 1, 0)];

    for (int j = 0; config->down_cross[i] && j < config->layers_per_block; j++) {
        g_autofree char *prefix = g_strdup_printf("down_blocks.%d.attentions.%d.", i, j);
        add_transformer(l, config, i, prefix);
    }
    for (int j = 0; j < config->layers_per_block; j++, in = width[i]) {
        g_autofree char *prefix = g_strdup_printf("down_blocks.%d.resnets.%d.", i, j);
        add_residual(l, in, width[i], 4 * width[0], prefix);
    }
    if (i + 1 < config->n_levels) {
        g_autofree char *prefix = g_strdup_printf("down_blocks.%d.downsamplers.0.", i);
        add_conv(l, width[i], width[i], 3, prefix, "conv");
    }
}

static void add_unet_mid(struct list *l, const struct unet_config *config)
{
    const int last = config->n_levels - 1, c = config->block_out_channels[last];
    const int time = 4 * config->block_out_channels[0];

    if (config->has_mid) {
        add_transformer(l, config, last, "mid_block.attentions.0.");
        add_residual(l, c, c, time, "mid_block.resnets.0.");
        add_residual(l, c, c, time, "mid_block.resnets.1.");
    }
}

// up block i is at the level n - 1 - i; its blocks get what comes from below and a skip
static void add_unet_up(struct list *l, const struct unet_config *config, int i)
{
    const int *width = config->block_out_channels;
    const int n = config->n_levels, level = n - 1 - i;
    int in = width[MIN(level + 1, n - 1)];

    for (int j = 0; config->up_cross[i] && j <= config->layers_per_block; j++) {
        g_autofree char *prefix = g_strdup_printf("up_blocks.%d.attentions.%d.", i, j);
        add_transformer(l, config, level, prefix);
    }
    for (int j = 0; j <= config->layers_per_block; j++, in = width[level]) {
        g_autofree char *prefix = g_strdup_printf("up_blocks.%d.resnets.%d.", i, j);
        int skip = j < config->layers_per_block ? width[level] : width[MAX(level - 1, 0)];
        add_residual(l, in + skip, width[level], 4 * width[0], prefix);
    }
    if (i + 1 < n) {
        g_autofree char *prefix = g_strdup_printf("up_blocks.%d.upsamplers.0.", i);
        add_conv(l, width[level], width[level], 3, prefix, "conv");
    }
}

GPtrArray *model_tensors_of_unet(const struct unet_config *config)
{
    struct list list = begin(MODEL_UNET), *l = &list;
    const int c = config->block_out_channels[0];

    add_conv(l, config->in_channels, c, 3, "", "conv_in");
    add_linear(l, c, 4 * c, true, "time_embedding.", "linear_1");
    add_linear(l, 4 * c, 4 * c, true, "time_embedding.", "linear_2");
    for (int i = 0; i < config->n_levels; i++) {
        add_unet_down(l, config, i);
    }
    for (int i = 0; i < config->n_levels; i++) {
        add_unet_up(l, config, i);
    }
    add_unet_mid(l, config);
    add_norm(l, c, "", "conv_norm_out");
    add_conv(l, c, config->out_channels, 3, "", "conv_out");
    return list.tensors;
}

GPtrArray *model_tensors_of_text_encoder(const struct text_config *config)
{
    struct list list = begin(MODEL_TEXT_ENCODER), *l = &list;
    const int c = config->width;

    add_linear(l, c, config->vocabulary, false, "embeddings.", "token_embedding");
    add_linear(l, c, config->positions, false, "embeddings.", "position_embedding");
    for (int i = 0; i < config->layers; i++) {
        g_autofree char *prefix = g_strdup_printf("encoder.layers.%d.", i);
        add_linear(l, c, c, true, prefix, "self_attn.k_proj");
        add_linear(l, c, c, true, prefix, "self_attn.v_proj");
        add_linear(l, c, c, true, prefix, "self_attn.q_proj");
        add_linear(l, c, c, true, prefix, "self_attn.out_proj");
        add_norm(l, c, prefix, "layer_norm1");
        add_linear(l, c, config->intermediate, true, prefix, "mlp.fc1");
        add_linear(l, config->intermediate, c, true, prefix, "mlp.fc2");
        add_norm(l, c, prefix, "layer_norm2");
    }
    add_norm(l, c, "", "final_layer_norm");
    return list.tensors;
}

static void add_vae_mid(struct list *l, const struct vae_config *config, const char *side)
{
    const int c = config->block_out_channels[config->n_levels - 1];
    g_autofree char *first = g_strconcat(side, ".mid_block.resnets.0.", NULL);
    g_autofree char *second = g_strconcat(side, ".mid_block.resnets.1.", NULL);
    g_autofree char *attention = g_strconcat(side, ".mid_block.attentions.0.", NULL);

    if (config->mid_block_add_attention) {
        add_norm(l, c, attention, "group_norm");
        add_linear(l, c, c, true, attention, "to_q");
        add_linear(l, c, c, true, attention, "to_k");
        add_linear(l, c, c, true, attention, "to_v");
        add_linear(l, c, c, true, attention, "to_out.0");
    }
    add_residual(l, c, c, 0, first);
    add_residual(l, c, c, 0, second);
}

static void add_vae_encoder(struct list *l, const struct vae_config *config)
{
    const int *width = config->block_out_channels;
    const int last = config->n_levels - 1;

    add_conv(l, config->in_channels, width[0], 3, "encoder.", "conv_in");
    for (int i = 0; i <= last; i++) {
        int in = width[MAX(i - 1, 0)];
        for (int j = 0; j < config->layers_per_block; j++, in = width[i]) {
            g_autofree char *prefix = g_strdup_printf("encoder.down_blocks.%d.resnets.%d.", i, j);
            add_residual(l, in, width[i], 0, prefix);
        }
        if (i < last) {
            g_autofree char *prefix = g_strdup_printf("encoder.down_blocks.%d.downsamplers.0.", i);
            add_conv(l, width[i], width[i], 3, prefix, "conv");
        }
    }
    add_vae_mid(l, config, "encoder");
    add_norm(l, width[last], "encoder.", "conv_norm_out");
    add_conv(l, width[last], 2 * config->latent_channels, 3, "encoder.", "conv_out");
}

static void add_vae_decoder(struct list *l, const struct vae_config *config)
{
    const int *width = config->block_out_channels;
    const int last = config->n_levels - 1;

    add_conv(l, config->latent_channels, width[last], 3, "decoder.", "conv_in");
    for (int i = 0; i <= last; i++) {
        int out = width[last - i], in = width[MIN(last - i + 1, last)];
        for (int j = 0; j <= config->layers_per_block; j++, in = out) {
            g_autofree char *prefix = g_strdup_printf("decoder.up_blocks.%d.resnets.%d.", i, j);
            add_residual(l, in, out, 0, prefix);
        }
        if (i < last) {
            g_autofree char *prefix = g_strdup_printf("decoder.up_blocks.%d.upsamplers.0.", i);
            add_conv(l, out, out, 3, prefix, "conv");
        }
    }
    add_vae_mid(l, config, "decoder");
    add_norm(l, width[0], "decoder.", "conv_norm_out");
    add_conv(l, width[0], config->out_channels, 3, "decoder.", "conv_out");
}

GPtrArray *model_tensors_of_vae(const struct vae_config *config)
{
    struct list list = begin(MODEL_VAE), *l = &list;
    const int latent = config->latent_channels;

    add_vae_encoder(l, config);
    add_vae_decoder(l, config);
    if (config->use_quant_conv) {
        add_conv(l, 2 * latent, 2 * latent, 1, "", "quant_conv");
    }
    if (config->use_post_quant_conv) {
        add_conv(l, latent, latent, 1, "", "post_quant_conv");
    }
    return list.tensors;
}
