/* The UNet: time embedding, down blocks, middle, up blocks with skips; see unet.h.
 *
 *   temb = linear_2(silu(linear_1([cos | sin](t / 10000^(i / half)))))
 *   down  per level: layers_per_block times residual (and transformer), then a convolution of
 *         stride 2; every result is kept as a skip
 *   mid   residual, transformer, residual
 *   up    per level: layers_per_block + 1 times residual over [x | skip] (and transformer), then
 *         nearest-neighbour upsampling to the next skip's size and a convolution
 *
 * Each block is one segment of the tape. */
#include "engine/network/unet_levels.h"

#include <math.h>

/* ---- segments ---- */

// in: x, time embedding, and where one is joined the skip
static struct tensor *residual_segment(struct tape *t, const void *context,
                                       struct tensor *const *in)
{
    return residual_block(t, context, in[0], NULL, in[1]);
}

static struct tensor *skip_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    return residual_block(t, context, in[0], in[2], in[1]);
}

// in: x, text
static struct tensor *transformer_segment(struct tape *t, const void *context,
                                          struct tensor *const *in)
{
    return transformer_block(t, context, in[0], in[1], NULL);
}

// a transformer with what a guide asks of it
struct guided_block {
    const struct transformer_block *block;
    struct block_guide guide;
};

static struct tensor *guided_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    const struct guided_block *g = context;

    return transformer_block(t, g->block, in[0], in[1], &g->guide);
}

static struct tensor *down_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    const struct tensor *x = in[0];

    // padding 1, stride 2: odd sizes round up
    return conv(t, in[0], context,
                (struct conv_geometry){.stride = 2,
                                       .pad_top = 1,
                                       .pad_left = 1,
                                       .out_h = (x->h + 1) / 2,
                                       .out_w = (x->w + 1) / 2});
}

// in[1] is the skip that comes next: its size is the one to go to
static struct tensor *up_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    return conv_same(t, upsample(t, in[0], in[1]->h, in[1]->w), context);
}

/* ---- forward ---- */

// [n, width]: cosines then sines (flip_sin_to_cos), frequencies falling from 1 to 1 / 10000
static void timestep_embedding(const struct unet_config *c, const double *timesteps, int n,
                               float *out)
{
    const int width = c->block_out_channels[0], half = width / 2;

    for (int i = 0; i < n; i++) {
        for (int j = 0; j < half; j++) {
            const float exponent =
                (float)(-log(10000.0)) * (float)j / ((float)half - (float)c->freq_shift);
            const float angle = (float)timesteps[i] * expf(exponent);
            const float sine = sinf(angle), cosine = cosf(angle);
            out[i * width + j] = c->flip_sin_to_cos ? cosine : sine;
            out[i * width + half + j] = c->flip_sin_to_cos ? sine : cosine;
        }
    }
}

// computed on the host, n times width numbers; the two layers behind it on the device
static struct tensor *time_forward(struct tape *t, const struct unet *u, const double *timesteps,
                                   int n)
{
    const int width = u->config.block_out_channels[0];
    g_autofree float *values = g_new0(float, (size_t)n *width);

    timestep_embedding(&u->config, timesteps, n, values);
    struct tensor *x = tape_input(t, values, n, 1, 1, width, false);
    x = linear(t, activate(t, linear(t, x, &u->time1), ACTIVATION_SILU), &u->time2);
    // every residual block begins with the SiLU of it: done once
    return activate(t, x, ACTIVATION_SILU);
}

// what all blocks of one forward share
struct pass {
    struct tensor *time, *context;
    const struct attention_guide *guide;
    GPtrArray *skips;
    int watched;      // cross-attentions so far
    const cell *keys; // of the blocks to come; NULL: they are made of the context
    int n, tokens;
};

static struct tensor *residual(struct tape *t, const struct residual_block *b, struct tensor *x,
                               struct pass *p)
{
    p->time = for_texts(t, p->time, x->n);
    return tape_segment(t, residual_segment, b, (struct tensor *[]){x, p->time}, 2);
}

// side: 0 in the middle
static struct tensor *transform(struct tape *t, const struct transformer_block *b, struct tensor *x,
                                struct pass *p, int level, unsigned side)
{
    // also without a guide each transformer is a segment: its output alone is kept
    struct tensor *const in[] = {x, p->context};

    if (p->guide == NULL && p->keys == NULL) {
        return tape_segment(t, transformer_segment, b, in, 2);
    }
    const struct unmix *unmix = p->guide != NULL ? p->guide->unmix : NULL;
    const bool watched = unmix != NULL && unmix->level == level && (unmix->sides & side) != 0;
    struct guided_block g = {b, {p->guide, watched, p->watched, p->keys, p->n, p->tokens}};
    // the next watched block's losses stand behind this one's
    p->watched += g.guide.watched ? b->n_layers : 0;
    if (p->keys != NULL) {
        p->keys =
            kernels_at(tape_kernels(t), p->keys, transformer_block_key_cells(b, p->n, p->tokens));
    }
    // g is on the stack, and the way back runs the segment again
    return tape_segment(t, guided_segment, tape_keep(t, &g, sizeof g), in,
                        p->context != NULL ? 2 : 1);
}

static struct tensor *down_forward(struct tape *t, const struct unet *u, int level,
                                   struct tensor *x, struct pass *p)
{
    const struct level *l = &u->down[level];

    for (int i = 0; i < l->n_blocks; i++) {
        x = residual(t, &l->residuals[i], x, p);
        if (l->transformers != NULL) {
            x = transform(t, &l->transformers[i], x, p, level, UNMIX_DOWN);
        }
        // a tensor of the tape: the list borrows it
        g_ptr_array_add(p->skips, x);
    }
    if (l->has_sampler) {
        x = tape_segment(t, down_segment, &l->sampler, &x, 1);
        g_ptr_array_add(p->skips, x);
    }
    return x;
}

// the one that was kept last
static struct tensor *take_skip(GPtrArray *skips)
{
    return g_ptr_array_steal_index(skips, skips->len - 1);
}

// block: from below, so the last one is level 0
static struct tensor *up_forward(struct tape *t, const struct unet *u, int block, struct tensor *x,
                                 struct pass *p)
{
    const struct level *l = &u->up[block];
    const int level = u->config.n_levels - 1 - block;

    for (int i = 0; i < l->n_blocks; i++) {
        struct tensor *skip = for_texts(t, take_skip(p->skips), x->n);

        p->time = for_texts(t, p->time, x->n);
        x = tape_segment(t, skip_segment, &l->residuals[i], (struct tensor *[]){x, p->time, skip},
                         3);
        if (l->transformers != NULL) {
            x = transform(t, &l->transformers[i], x, p, level, UNMIX_UP);
        }
    }
    if (l->has_sampler) {
        // still in the list: it is taken by the next level's first block
        x = tape_segment(t, up_segment, &l->sampler,
                         (struct tensor *[]){x, p->skips->pdata[p->skips->len - 1]}, 2);
    }
    return x;
}

static struct tensor *mid_forward(struct tape *t, const struct unet *u, struct tensor *x,
                                  struct pass *p)
{
    x = residual(t, &u->mid_residuals[0], x, p);
    // no level and no side: the unmix loss never watches the middle
    x = transform(t, &u->mid_transformer, x, p, -1, 0);
    return residual(t, &u->mid_residuals[1], x, p);
}

// the transformers in the order of a forward; NULL behind the last
static const struct transformer_block *transformer_at(const struct unet *u, int number)
{
    const struct unet_config *c = &u->config;

    for (int i = 0; i < 2 * c->n_levels + 1; i++) {
        const bool mid = i == c->n_levels;
        const struct level *l = i < c->n_levels ? &u->down[i] : &u->up[i - c->n_levels - !mid];
        const struct transformer_block *first = mid ? &u->mid_transformer : l->transformers;
        const int count = mid ? c->has_mid : first != NULL ? l->n_blocks : 0;

        if (number < count) {
            return first + number;
        }
        number -= count;
    }
    return NULL;
}

int64_t unet_key_cells(const struct unet *u, int n, int tokens)
{
    const struct transformer_block *b;
    int64_t cells = 0;

    for (int i = 0; (b = transformer_at(u, i)) != NULL; i++) {
        cells += transformer_block_key_cells(b, n, tokens);
    }
    return cells;
}

void unet_make_keys(struct tape *t, const struct unet *u, struct tensor *context, cell *keys)
{
    const struct transformer_block *b;

    for (int i = 0; (b = transformer_at(u, i)) != NULL; i++) {
        transformer_block_make_keys(t, b, context, keys);
        keys = kernels_at(tape_kernels(t), keys,
                          transformer_block_key_cells(b, context->n, context->w));
    }
}

struct tensor *unet_forward_guided(struct tape *t, const struct unet *u, struct tensor *latents,
                                   const double *timesteps, struct text_tensors text,
                                   const struct attention_guide *guide)
{
    const struct unet_config *c = &u->config;
    // levels * (layers_per_block + 1) of them, which is what the up levels take again
    g_autoptr(GPtrArray) skips = g_ptr_array_new();
    struct pass p = {.time = time_forward(t, u, timesteps, latents->n),
                     .context = text.context,
                     .guide = guide,
                     .skips = skips,
                     .keys = text.keys,
                     .n = text.context != NULL ? text.context->n : text.n,
                     .tokens = text.tokens};
    struct tensor *x = conv_same(t, latents, &u->conv_in);

    g_ptr_array_add(skips, x);
    for (int i = 0; i < c->n_levels; i++) {
        x = down_forward(t, u, i, x, &p);
    }
    if (c->has_mid) {
        x = mid_forward(t, u, x, &p);
    }
    for (int i = 0; i < c->n_levels; i++) {
        x = up_forward(t, u, i, x, &p);
    }
    // a UNet without a transformer is one without text
    x = for_texts(t, x, p.n);
    return conv_same(t, groupnorm(t, x, &u->norm_out, true), &u->conv_out);
}

struct tensor *unet_forward(struct tape *t, const struct unet *u, struct tensor *latents,
                            const double *timesteps, struct text_tensors text)
{
    return unet_forward_guided(t, u, latents, timesteps, text, NULL);
}

// cross-attentions in the down and up blocks of a level, as far as they are asked for
static int attentions_at(const struct unet *u, int level, enum unmix_layers asked)
{
    const struct level *const sides[] = {&u->down[level], &u->up[u->config.n_levels - 1 - level]};
    int n = 0;

    for (int i = 0; i < 2; i++) {
        // UNMIX_DOWN is bit 0 and UNMIX_UP bit 1, as the sides stand here
        const bool counts = (asked & (1u << i)) != 0 && sides[i]->transformers != NULL;
        for (int j = 0; counts && j < sides[i]->n_blocks; j++) {
            n += sides[i]->transformers[j].n_layers;
        }
    }
    return n;
}

int unet_attention_level(const struct unet *u, int h, int w, int wanted, enum unmix_layers sides,
                         int *grid_h, int *grid_w, int *layers)
{
    double nearest = INFINITY;
    int found = -1;

    for (int level = 0; level < u->config.n_levels; level++) {
        // in ratios: 8x8 is as far from 16x16 as 32x32 is
        const double distance = fabs(log((double)h * w / ((double)wanted * wanted)));
        if (attentions_at(u, level, sides) > 0 && distance < nearest) {
            nearest = distance;
            found = level;
            *grid_h = h;
            *grid_w = w;
            *layers = attentions_at(u, level, sides);
        }
        // as down_segment rounds
        h = (h + 1) / 2;
        w = (w + 1) / 2;
    }
    return found;
}
