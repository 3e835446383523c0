/* The UNet's weights, named as diffusers names its modules; see unet.h. */
#include "engine/network/unet_levels.h"

// a config tells heads, and from them and the channels follows how wide each is
static struct transformer_shape transformer_shape(const struct unet_config *c, int level)
{
    return (struct transformer_shape){.c = c->block_out_channels[level],
                                      .heads = c->heads[level],
                                      .context = c->cross_attention_dim,
                                      .layers = c->transformer_layers[level],
                                      .groups = c->norm_num_groups,
                                      .linear_projection = c->use_linear_projection};
}

/* One level of one side. level: whose channels and heads it has; index: its number in the names,
 * which the up side counts from below. in [n_blocks]: channels of each block's input, skips
 * included. */
static void read_level(struct reader *r, const struct unet_config *c, struct level *l, int level,
                       bool attends, int n_blocks, const int *in, const char *side, int index)
{
    const int out = c->block_out_channels[level];

    l->n_blocks = n_blocks;
    l->residuals = g_new0(struct residual_block, n_blocks);
    l->transformers = attends ? g_new0(struct transformer_block, n_blocks) : NULL;
    // attention first: in this order diffusers registers its modules
    for (int i = 0; attends && i < n_blocks; i++) {
        g_autofree char *name = g_strdup_printf("%s_blocks.%d.attentions.%d", side, index, i);
        transformer_block_read(r, &l->transformers[i], transformer_shape(c, level), name);
    }
    for (int i = 0; i < n_blocks; i++) {
        g_autofree char *name = g_strdup_printf("%s_blocks.%d.resnets.%d", side, index, i);
        // the time embedding is 4 times as wide as the first level
        residual_block_read(r, &l->residuals[i], in[i], out, 4 * c->block_out_channels[0],
                            c->norm_num_groups, c->norm_eps, name);
    }
}

static void read_down(struct reader *r, struct unet *u)
{
    const struct unet_config *c = &u->config;

    for (int i = 0, before = c->block_out_channels[0]; i < c->n_levels; i++) {
        const int out = c->block_out_channels[i];
        g_autofree int *in = g_new(int, c->layers_per_block);
        for (int j = 0; j < c->layers_per_block; j++) {
            // the first block of a level widens to it
            in[j] = j == 0 ? before : out;
        }
        read_level(r, c, &u->down[i], i, c->down_cross[i], c->layers_per_block, in, "down", i);
        // the deepest level has no smaller one to go to
        u->down[i].has_sampler = i + 1 < c->n_levels;
        if (u->down[i].has_sampler) {
            read_conv(r, &u->down[i].sampler, out, out, 3, "down_blocks.%d.downsamplers.0.conv", i);
        }
        before = out;
    }
}

static void read_mid(struct reader *r, struct unet *u)
{
    const struct unet_config *c = &u->config;
    const int last = c->n_levels - 1, width = c->block_out_channels[last];

    // some distilled models are without
    if (!c->has_mid) {
        return;
    }
    transformer_block_read(r, &u->mid_transformer, transformer_shape(c, last),
                           "mid_block.attentions.0");
    for (int i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("mid_block.resnets.%d", i);
        residual_block_read(r, &u->mid_residuals[i], width, width, 4 * c->block_out_channels[0],
                            c->norm_num_groups, c->norm_eps, name);
    }
}

/* The channels that block j of up level i gets: what comes from below and the skip, which the down
 * path left in reverse order. */
static int up_channels(const struct unet_config *c, int i, int j)
{
    const int level = c->n_levels - 1 - i;
    const int *width = c->block_out_channels;
    // the deepest up level follows the middle, which is as wide as it
    const int below = i == 0 ? width[level] : width[level + 1];
    const int x = j == 0 ? below : width[level];
    // the last block takes what entered the level: the smaller level's width, or conv_in's
    const int skip = j < c->layers_per_block ? width[level] : width[MAX(level - 1, 0)];

    return x + skip;
}

static void read_up(struct reader *r, struct unet *u)
{
    const struct unet_config *c = &u->config;

    for (int i = 0; i < c->n_levels; i++) {
        const int level = c->n_levels - 1 - i, out = c->block_out_channels[level];
        // one block more than on the way down, for the skip that the downsampling left
        const int n_blocks = c->layers_per_block + 1;
        g_autofree int *in = g_new(int, n_blocks);
        for (int j = 0; j < n_blocks; j++) {
            in[j] = up_channels(c, i, j);
        }
        read_level(r, c, &u->up[i], level, c->up_cross[i], n_blocks, in, "up", i);
        u->up[i].has_sampler = i + 1 < c->n_levels;
        if (u->up[i].has_sampler) {
            read_conv(r, &u->up[i].sampler, out, out, 3, "up_blocks.%d.upsamplers.0.conv", i);
        }
    }
}

/* In the order in which diffusers registers the modules (up before mid): the list of weights is in
 * it, and so are the tensors of what lists or hashes them. */
static void read_all(struct reader *r, struct unet *u)
{
    const struct unet_config *c = &u->config;
    const int width = c->block_out_channels[0];

    read_conv(r, &u->conv_in, c->in_channels, width, 3, "conv_in");
    read_linear(r, &u->time1, width, 4 * width, true, "time_embedding.linear_1");
    read_linear(r, &u->time2, 4 * width, 4 * width, true, "time_embedding.linear_2");
    read_down(r, u);
    read_up(r, u);
    read_mid(r, u);
    read_norm(r, &u->norm_out, width, c->norm_num_groups, c->norm_eps, "conv_norm_out");
    read_conv(r, &u->conv_out, width, c->out_channels, 3, "conv_out");
}

struct unet *unet_create(const kernels *k, const struct unet_config *config,
                         struct weight_source source, GError **error)
{
    struct unet *u = g_new0(struct unet, 1);
    struct reader r = {.net = &u->net, .source = source, .error = error};

    u->config = *config;
    network_init(&u->net, k, "UNet");
    read_all(&r, u);
    if (!read_end(&r)) {
        unet_free(u);
        return NULL;
    }
    return u;
}

static void finish_level(struct level *l)
{
    for (int i = 0; l->transformers != NULL && i < l->n_blocks; i++) {
        transformer_block_finish(&l->transformers[i]);
    }
    g_free(l->transformers);
    g_free(l->residuals);
}

void unet_free(struct unet *u)
{
    if (u == NULL) {
        return;
    }
    // the list of weights points into the blocks: it goes first
    network_finish(&u->net);
    for (int i = 0; i < UNET_MAX_LEVELS; i++) {
        finish_level(&u->down[i]);
        finish_level(&u->up[i]);
    }
    transformer_block_finish(&u->mid_transformer);
    g_free(u);
}

struct network *unet_network(struct unet *u)
{
    return &u->net;
}
