/* A layer of CLIP's transformers; see clip_layer.h.
 *
 *   x += out(attention(q, k, v of norm1(x)));  x += fc2(act(fc1(norm2(x)))) */
#include "engine/network/clip_layer.h"

static void read_layer(struct reader *r, const struct clip_layer_shape *s, struct clip_layer *l,
                       const char *name)
{
    const int width = s->width;

    l->heads = s->heads;
    l->causal = s->causal;
    l->activation = s->quick_gelu ? ACTIVATION_QUICK_GELU : ACTIVATION_GELU;
    read_norm(r, &l->norm1, width, 0, s->epsilon, "%s.layer_norm1", name);
    // k, v, q: in this order transformers registers them
    read_linear(r, &l->k, width, width, true, "%s.self_attn.k_proj", name);
    read_linear(r, &l->v, width, width, true, "%s.self_attn.v_proj", name);
    read_linear(r, &l->q, width, width, true, "%s.self_attn.q_proj", name);
    read_linear(r, &l->out, width, width, true, "%s.self_attn.out_proj", name);
    read_norm(r, &l->norm2, width, 0, s->epsilon, "%s.layer_norm2", name);
    read_linear(r, &l->fc1, width, s->intermediate, true, "%s.mlp.fc1", name);
    read_linear(r, &l->fc2, s->intermediate, width, true, "%s.mlp.fc2", name);
}

struct clip_layer *clip_layers_read(struct reader *r, const struct clip_layer_shape *shape, int n,
                                    const char *name)
{
    // all at once: the network's list keeps the addresses of their weights
    struct clip_layer *layers = g_new0(struct clip_layer, n);

    for (int i = 0; i < n; i++) {
        g_autofree char *layer = g_strdup_printf("%s.%d", name, i);
        read_layer(r, shape, &layers[i], layer);
    }
    return layers;
}

static struct tensor *layer_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    const struct clip_layer *l = context;
    struct tensor *x = in[0];
    struct tensor *h = layernorm(t, x, &l->norm1);
    struct tensor *q = linear(t, h, &l->q), *k = linear(t, h, &l->k), *v = linear(t, h, &l->v);

    // causal: a prompt's padding is seen by none of its words
    x = add(t, x, linear(t, attention(t, q, k, v, l->heads, l->causal), &l->out));
    h = activate(t, linear(t, layernorm(t, x, &l->norm2), &l->fc1), l->activation);
    return add(t, x, linear(t, h, &l->fc2));
}

struct tensor *clip_layers_forward(struct tape *t, const struct clip_layer *layers, int count,
                                   struct tensor *x)
{
    for (int i = 0; i < count; i++) {
        x = tape_segment(t, layer_segment, &layers[i], &x, 1);
    }
    return x;
}

struct tensor *clip_positions(struct tape *t, const struct weight *table, int n, int tokens)
{
    g_autofree int32_t *ids = g_new(int32_t, (size_t)n * tokens);

    for (int i = 0; i < n * tokens; i++) {
        ids[i] = i % tokens;
    }
    return embedding(t, tape_ids(t, ids, n * tokens), n, tokens, table);
}
