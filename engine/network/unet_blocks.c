/* Residual and transformer blocks, forward only; see unet_blocks.h. The names of the modules are
 * diffusers'. */
#include "engine/network/unet_blocks.h"

/* ---- residual ---- */

void residual_block_read(struct reader *r, struct residual_block *b, int in, int out,
                         int time_width, int groups, double epsilon, const char *name)
{
    b->has_time = time_width > 0;
    // where the sizes agree, x itself is added, and files have no such tensor
    b->has_shortcut = in != out;
    read_norm(r, &b->norm1, in, groups, epsilon, "%s.norm1", name);
    read_conv(r, &b->conv1, in, out, 3, "%s.conv1", name);
    if (b->has_time) {
        read_linear(r, &b->time_projection, time_width, out, true, "%s.time_emb_proj", name);
    }
    read_norm(r, &b->norm2, out, groups, epsilon, "%s.norm2", name);
    read_conv(r, &b->conv2, out, out, 3, "%s.conv2", name);
    if (b->has_shortcut) {
        read_conv(r, &b->shortcut, in, out, 1, "%s.conv_shortcut", name);
    }
}

struct tensor *residual_block(struct tape *t, const struct residual_block *b, struct tensor *x,
                              struct tensor *skip, struct tensor *time)
{
    // joined once: the norm and the shortcut both read it
    if (skip != NULL) {
        x = concat(t, x, skip);
    }
    struct tensor *h = conv_same(t, groupnorm(t, x, &b->norm1, true), &b->conv1);
    if (b->has_time) {
        // one row a picture, the same for each of its places
        h = add_row(t, h, linear(t, time, &b->time_projection));
    }
    h = conv_same(t, groupnorm(t, h, &b->norm2, true), &b->conv2);
    return add(t, b->has_shortcut ? conv_same(t, x, &b->shortcut) : x, h);
}

/* ---- transformer ---- */

/* c: of queries and result; context: of what is looked at, c itself or the text's width. Only the
 * last projection has a bias, as CompVis wrote it. */
static void attention_read(struct reader *r, struct attention_weights *a, int c, int context,
                           int heads, const char *name)
{
    a->heads = heads;
    read_linear(r, &a->q, c, c, false, "%s.to_q", name);
    read_linear(r, &a->k, context, c, false, "%s.to_k", name);
    read_linear(r, &a->v, context, c, false, "%s.to_v", name);
    read_linear(r, &a->out, c, c, true, "%s.to_out.0", name);
}

static void layer_read(struct reader *r, struct transformer_layer *l, struct transformer_shape s,
                       const char *name)
{
    g_autofree char *attn1 = g_strconcat(name, ".attn1", NULL);
    g_autofree char *attn2 = g_strconcat(name, ".attn2", NULL);

    // PyTorch's default: no config says it; for the group norm around all layers it is 1e-6
    read_norm(r, &l->norm1, s.c, 0, 1e-5, "%s.norm1", name);
    attention_read(r, &l->self, s.c, s.c, s.heads, attn1);
    read_norm(r, &l->norm2, s.c, 0, 1e-5, "%s.norm2", name);
    attention_read(r, &l->cross, s.c, s.context, s.heads, attn2);
    read_norm(r, &l->norm3, s.c, 0, 1e-5, "%s.norm3", name);
    // twice four times c: geglu's values and gates
    read_linear(r, &l->expand, s.c, 8 * s.c, true, "%s.ff.net.0.proj", name);
    read_linear(r, &l->contract, 4 * s.c, s.c, true, "%s.ff.net.2", name);
}

// in SD 2 a linear layer, before it a convolution of 1x1: the same numbers in another shape
static void projection_read(struct reader *r, struct weight *w, struct transformer_shape s,
                            const char *name, const char *side)
{
    if (s.linear_projection) {
        read_linear(r, w, s.c, s.c, true, "%s.%s", name, side);
    } else {
        read_conv(r, w, s.c, s.c, 1, "%s.%s", name, side);
    }
}

void transformer_block_read(struct reader *r, struct transformer_block *b,
                            struct transformer_shape s, const char *name)
{
    b->n_layers = s.layers;
    // the network's list points into it: freed by transformer_block_finish, after the list
    b->layers = g_new0(struct transformer_layer, s.layers);
    read_norm(r, &b->norm, s.c, s.groups, 1e-6, "%s.norm", name);
    projection_read(r, &b->proj_in, s, name, "proj_in");
    for (int i = 0; i < s.layers; i++) {
        g_autofree char *layer = g_strdup_printf("%s.transformer_blocks.%d", name, i);
        layer_read(r, &b->layers[i], s, layer);
    }
    projection_read(r, &b->proj_out, s, name, "proj_out");
}

void transformer_block_finish(struct transformer_block *b)
{
    g_free(b->layers);
    b->layers = NULL;
}

// queries from x, keys and values from source
static struct tensor *attend(struct tape *t, const struct attention_weights *a, struct tensor *x,
                             struct tensor *source)
{
    struct tensor *q = linear(t, x, &a->q);
    struct tensor *k = linear(t, source, &a->k);
    struct tensor *v = linear(t, source, &a->v);

    return linear(t, attention(t, q, k, v, a->heads, false), &a->out);
}

/* ---- keys and values of a text ---- */

// of one of them
static int64_t key_cells(const struct transformer_block *b, int n, int tokens)
{
    return (int64_t)n * tokens * b->layers[0].cross.k.out;
}

int64_t transformer_block_key_cells(const struct transformer_block *b, int n, int tokens)
{
    return 2 * b->n_layers * key_cells(b, n, tokens);
}

void transformer_block_make_keys(struct tape *t, const struct transformer_block *b,
                                 struct tensor *context, cell *keys)
{
    const int64_t cells = key_cells(b, context->n, context->w);

    for (int i = 0; i < 2 * b->n_layers; i++) {
        const struct attention_weights *a = &b->layers[i / 2].cross;
        const struct tensor *y = linear(t, context, i % 2 == 0 ? &a->k : &a->v);
        const kernels *k = tape_kernels(t);

        k->copy(k, kernels_at(k, keys, i * cells), y->data, tape_bytes(t, cells));
    }
}

// which: 0 the keys, 1 the values of a layer
static struct tensor *take_keys(struct tape *t, const struct attention_weights *a,
                                const struct tensor *x, const struct block_guide *guide, int which)
{
    const int64_t cells = (int64_t)x->n * guide->tokens * a->k.out;

    return tape_view(t, kernels_at(tape_kernels(t), guide->keys, which * cells), x->n, 1,
                     guide->tokens, a->k.out);
}

// number: of this layer in its block
static struct tensor *attend_text(struct tape *t, const struct attention_weights *a,
                                  struct tensor *x, struct tensor *text,
                                  const struct block_guide *guide, int number)
{
    struct tensor *q = linear(t, x, &a->q);
    const bool kept = guide != NULL && guide->keys != NULL;
    struct tensor *k = kept ? take_keys(t, a, x, guide, 2 * number) : linear(t, text, &a->k);
    struct tensor *v = kept ? take_keys(t, a, x, guide, 2 * number + 1) : linear(t, text, &a->v);

    // before attention: a loss beside it, whose gradient reaches q and k through the same records
    if (guide != NULL && guide->watched) {
        unmix_attention(t, q, k, a->heads, guide->guide->unmix, guide->layer + number);
    }
    if (guide != NULL && guide->guide != NULL && guide->guide->regions != NULL) {
        return linear(t, regional_attention(t, q, k, v, a->heads, guide->guide->regions), &a->out);
    }
    return linear(t, attention(t, q, k, v, a->heads, false), &a->out);
}

struct tensor *for_texts(struct tape *t, struct tensor *x, int n)
{
    return x->n < n ? repeat(t, x, n / x->n) : x;
}

static struct tensor *layer_forward(struct tape *t, const struct transformer_layer *l,
                                    struct tensor *x, struct tensor *context,
                                    const struct block_guide *guide, int number)
{
    struct tensor *h = layernorm(t, x, &l->norm1);

    // until it first attends to a text, it is the same for all of them
    x = for_texts(t, add(t, attend(t, &l->self, h, h), x), context != NULL ? context->n : guide->n);
    h = layernorm(t, x, &l->norm2);
    x = add(t, attend_text(t, &l->cross, h, context, guide, number), x);
    h = linear(t, layernorm(t, x, &l->norm3), &l->expand);
    return add(t, linear(t, geglu(t, h), &l->contract), x);
}

// a 1x1 convolution and a linear layer are the same over tokens
static struct tensor *project(struct tape *t, struct tensor *x, const struct weight *w)
{
    return w->kind == WEIGHT_LINEAR ? linear(t, x, w) : conv_same(t, x, w);
}

struct tensor *transformer_block(struct tape *t, const struct transformer_block *b,
                                 struct tensor *x, struct tensor *context,
                                 const struct block_guide *guide)
{
    // places of [n, h, w, c] are tokens already: nothing is moved
    struct tensor *h = project(t, groupnorm(t, x, &b->norm, false), &b->proj_in);

    for (int i = 0; i < b->n_layers; i++) {
        h = layer_forward(t, &b->layers[i], h, context, guide, i);
    }
    return add(t, project(t, h, &b->proj_out), for_texts(t, x, h->n));
}
