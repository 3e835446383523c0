/* The autoencoder, both ways; see autoencoder.h.
 *
 *   encoder  conv_in; per level layers_per_block residual blocks and (but for the last) a
 *            convolution of stride 2 that pads right and below only; middle; norm, SiLU, conv_out;
 *            quant_conv gives the moments
 *   decoder  post_quant_conv; conv_in; middle; per level layers_per_block + 1 residual blocks and
 *            (but for the last) nearest upsampling with a convolution; norm, SiLU, conv_out
 *   middle   residual, attention of one head over all positions, residual
 *
 * Epsilon of all group norms is 1e-6. */
#include "engine/network/autoencoder.h"

#include "engine/network/unet_blocks.h"

#define EPSILON 1e-6

struct stage {
    int n_blocks;
    struct residual_block *residuals; // [n_blocks], owned
    struct weight sampler;
    bool has_sampler;
};

struct middle {
    struct residual_block residuals[2];
    struct norm norm;
    struct attention_weights attention;
    bool attends;
};

// the encoder or the decoder: their parts are the same, in another order
struct half {
    struct weight conv_in, conv_out, quant; // quant: 1x1, outside of both
    struct stage stages[VAE_MAX_LEVELS];
    struct middle middle;
    struct norm norm_out;
    bool has_quant;
};

struct autoencoder {
    struct network net;
    struct vae_config config;
    struct half encoder, decoder;
};

int autoencoder_factor(const struct vae_config *config)
{
    return 1 << (config->n_levels - 1);
}

/* ---- reading ---- */

static void read_middle(struct reader *r, const struct vae_config *c, struct middle *m,
                        const char *side)
{
    const int width = c->block_out_channels[c->n_levels - 1], groups = c->norm_num_groups;

    // without attention no such tensors are in the file
    m->attends = c->mid_block_add_attention;
    for (int i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("%s.mid_block.resnets.%d", side, i);
        residual_block_read(r, &m->residuals[i], width, width, 0, groups, EPSILON, name);
    }
    if (!m->attends) {
        return;
    }
    // of the whole width, as diffusers' AutoencoderKL has it; no config says it
    m->attention.heads = 1;
    read_norm(r, &m->norm, width, groups, EPSILON, "%s.mid_block.attentions.0.group_norm", side);
    read_linear(r, &m->attention.q, width, width, true, "%s.mid_block.attentions.0.to_q", side);
    read_linear(r, &m->attention.k, width, width, true, "%s.mid_block.attentions.0.to_k", side);
    read_linear(r, &m->attention.v, width, width, true, "%s.mid_block.attentions.0.to_v", side);
    read_linear(r, &m->attention.out, width, width, true, "%s.mid_block.attentions.0.to_out.0",
                side);
}

/* n_blocks residual blocks, the first of which goes from `before` to `out` channels; no time
 * embedding. name: what all its modules begin with. */
static void read_stage(struct reader *r, const struct vae_config *c, struct stage *s, int before,
                       int out, int n_blocks, const char *name)
{
    s->n_blocks = n_blocks;
    s->residuals = g_new0(struct residual_block, n_blocks);
    for (int i = 0; i < n_blocks; i++) {
        g_autofree char *block = g_strdup_printf("%s.resnets.%d", name, i);
        residual_block_read(r, &s->residuals[i], i == 0 ? before : out, out, 0, c->norm_num_groups,
                            EPSILON, block);
    }
}

static void read_encoder(struct reader *r, const struct vae_config *c, struct half *e)
{
    const int last = c->block_out_channels[c->n_levels - 1], moments = 2 * c->latent_channels;

    read_conv(r, &e->conv_in, c->in_channels, c->block_out_channels[0], 3, "encoder.conv_in");
    for (int i = 0, before = c->block_out_channels[0]; i < c->n_levels; i++) {
        const int out = c->block_out_channels[i];
        g_autofree char *name = g_strdup_printf("encoder.down_blocks.%d", i);
        read_stage(r, c, &e->stages[i], before, out, c->layers_per_block, name);
        e->stages[i].has_sampler = i + 1 < c->n_levels;
        if (e->stages[i].has_sampler) {
            read_conv(r, &e->stages[i].sampler, out, out, 3, "%s.downsamplers.0.conv", name);
        }
        before = out;
    }
    read_middle(r, c, &e->middle, "encoder");
    read_norm(r, &e->norm_out, last, c->norm_num_groups, EPSILON, "encoder.conv_norm_out");
    // a mean and a logarithm of a variance for each channel of the latents
    read_conv(r, &e->conv_out, last, moments, 3, "encoder.conv_out");
    e->has_quant = c->use_quant_conv;
    if (e->has_quant) {
        read_conv(r, &e->quant, moments, moments, 1, "quant_conv");
    }
}

static void read_decoder(struct reader *r, const struct vae_config *c, struct half *d)
{
    const int last = c->block_out_channels[c->n_levels - 1], latent = c->latent_channels;

    d->has_quant = c->use_post_quant_conv;
    if (d->has_quant) {
        read_conv(r, &d->quant, latent, latent, 1, "post_quant_conv");
    }
    read_conv(r, &d->conv_in, latent, last, 3, "decoder.conv_in");
    read_middle(r, c, &d->middle, "decoder");
    for (int i = 0, before = last; i < c->n_levels; i++) {
        // stages count from the deepest
        const int out = c->block_out_channels[c->n_levels - 1 - i];
        g_autofree char *name = g_strdup_printf("decoder.up_blocks.%d", i);
        read_stage(r, c, &d->stages[i], before, out, c->layers_per_block + 1, name);
        d->stages[i].has_sampler = i + 1 < c->n_levels;
        if (d->stages[i].has_sampler) {
            read_conv(r, &d->stages[i].sampler, out, out, 3, "%s.upsamplers.0.conv", name);
        }
        before = out;
    }
    read_norm(r, &d->norm_out, c->block_out_channels[0], c->norm_num_groups, EPSILON,
              "decoder.conv_norm_out");
    read_conv(r, &d->conv_out, c->block_out_channels[0], c->out_channels, 3, "decoder.conv_out");
}

struct autoencoder *autoencoder_create(const kernels *k, const struct vae_config *config,
                                       unsigned halves, struct weight_source source, GError **error)
{
    struct autoencoder *a = g_new0(struct autoencoder, 1);
    struct reader r = {.net = &a->net, .source = source, .error = error};

    a->config = *config;
    network_init(&a->net, k, "autoencoder");
    // the other half stays zeros: its stages have no blocks, and freeing it is harmless
    if (halves & AUTOENCODER_ENCODER) {
        read_encoder(&r, config, &a->encoder);
    }
    if (halves & AUTOENCODER_DECODER) {
        read_decoder(&r, config, &a->decoder);
    }
    if (!read_end(&r)) {
        autoencoder_free(a);
        return NULL;
    }
    return a;
}

void autoencoder_free(struct autoencoder *a)
{
    if (a == NULL) {
        return;
    }
    network_finish(&a->net);
    for (int i = 0; i < VAE_MAX_LEVELS; i++) {
        g_free(a->encoder.stages[i].residuals);
        g_free(a->decoder.stages[i].residuals);
    }
    g_free(a);
}

const struct vae_config *autoencoder_config(const struct autoencoder *a)
{
    return &a->config;
}

/* ---- segments ---- */

static struct tensor *residual_segment(struct tape *t, const void *context,
                                       struct tensor *const *in)
{
    return residual_block(t, context, in[0], NULL, NULL);
}

static struct tensor *attention_segment(struct tape *t, const void *context,
                                        struct tensor *const *in)
{
    const struct middle *m = context;
    // every place looks at every other: the memory is why large pictures go through in tiles
    struct tensor *h = groupnorm(t, in[0], &m->norm, false);
    struct tensor *q = linear(t, h, &m->attention.q), *k = linear(t, h, &m->attention.k);
    struct tensor *v = linear(t, h, &m->attention.v);

    return add(t, linear(t, attention(t, q, k, v, 1, false), &m->attention.out), in[0]);
}

// rows and columns of zeros are added right and below only
static struct tensor *down_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    const struct tensor *x = in[0];

    return conv(t, in[0], context,
                (struct conv_geometry){.stride = 2, .out_h = x->h / 2, .out_w = x->w / 2});
}

// exactly twice: a picture is factor times as large as its latents, odd or not
static struct tensor *up_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    return conv_same(t, upsample(t, in[0], 2 * in[0]->h, 2 * in[0]->w), context);
}

static struct tensor *out_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    const struct half *h = context;

    return conv_same(t, groupnorm(t, in[0], &h->norm_out, true), &h->conv_out);
}

/* ---- the two ways ---- */

static struct tensor *middle_forward(struct tape *t, const struct middle *m, struct tensor *x)
{
    // chains: nothing reads x again, so that its memory is the next block's
    x = tape_chain(t, residual_segment, &m->residuals[0], x);
    if (m->attends) {
        x = tape_chain(t, attention_segment, m, x);
    }
    return tape_chain(t, residual_segment, &m->residuals[1], x);
}

// sample: what the half does where a stage has a sampler
static struct tensor *stage_forward(struct tape *t, const struct stage *s, segment_function sample,
                                    struct tensor *x)
{
    for (int i = 0; i < s->n_blocks; i++) {
        x = tape_chain(t, residual_segment, &s->residuals[i], x);
    }
    return s->has_sampler ? tape_chain(t, sample, &s->sampler, x) : x;
}

struct tensor *autoencoder_encode(struct tape *t, const struct autoencoder *a, struct tensor *x)
{
    const struct half *e = &a->encoder;

    x = conv_same(t, x, &e->conv_in);
    for (int i = 0; i < a->config.n_levels; i++) {
        x = stage_forward(t, &e->stages[i], down_segment, x);
    }
    x = middle_forward(t, &e->middle, x);
    x = tape_chain(t, out_segment, e, x);
    // outside of the encoder in diffusers, and part of every model here
    return e->has_quant ? conv_same(t, x, &e->quant) : x;
}

struct tensor *autoencoder_decode(struct tape *t, const struct autoencoder *a, struct tensor *z)
{
    const struct half *d = &a->decoder;

    if (d->has_quant) {
        z = conv_same(t, z, &d->quant);
    }
    struct tensor *x = conv_same(t, z, &d->conv_in);
    x = middle_forward(t, &d->middle, x);
    for (int i = 0; i < a->config.n_levels; i++) {
        x = stage_forward(t, &d->stages[i], up_segment, x);
    }
    return tape_chain(t, out_segment, d, x);
}
