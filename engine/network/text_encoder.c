/* The CLIP text transformer; see text_encoder.h.
 *
 *   x = token_embedding[ids] + position_embedding[0 ..]
 *   per layer: x += out(attention(q, k, v of norm1(x), causal)); x += fc2(act(fc1(norm2(x))))
 *   result: final_layer_norm(x)
 *
 * Each layer is one segment of the tape. */
#include "engine/network/text_encoder.h"

struct text_layer {
    struct norm norm1, norm2;
    struct weight q, k, v, out, fc1, fc2;
    int heads;
    enum activation activation;
};

struct text_encoder {
    struct network net;
    struct text_config config;
    struct weight token, position; // embeddings
    struct text_layer *layers;     // [config.layers], owned
    struct norm norm;
};

static void read_layer(struct reader *r, const struct text_config *c, struct text_layer *l, int i)
{
    const int width = c->width;
    const double epsilon = c->layer_norm_eps;

    l->heads = c->heads;
    l->activation = c->quick_gelu ? ACTIVATION_QUICK_GELU : ACTIVATION_GELU;
    read_norm(r, &l->norm1, width, 0, epsilon, TEXT_ENCODER_MODULE "encoder.layers.%d.layer_norm1",
              i);
    // k, v, q: in this order transformers registers them
    read_linear(r, &l->k, width, width, true,
                TEXT_ENCODER_MODULE "encoder.layers.%d.self_attn.k_proj", i);
    read_linear(r, &l->v, width, width, true,
                TEXT_ENCODER_MODULE "encoder.layers.%d.self_attn.v_proj", i);
    read_linear(r, &l->q, width, width, true,
                TEXT_ENCODER_MODULE "encoder.layers.%d.self_attn.q_proj", i);
    read_linear(r, &l->out, width, width, true,
                TEXT_ENCODER_MODULE "encoder.layers.%d.self_attn.out_proj", i);
    read_norm(r, &l->norm2, width, 0, epsilon, TEXT_ENCODER_MODULE "encoder.layers.%d.layer_norm2",
              i);
    read_linear(r, &l->fc1, width, c->intermediate, true,
                TEXT_ENCODER_MODULE "encoder.layers.%d.mlp.fc1", i);
    read_linear(r, &l->fc2, c->intermediate, width, true,
                TEXT_ENCODER_MODULE "encoder.layers.%d.mlp.fc2", i);
}

struct text_encoder *text_encoder_create(const kernels *k, const struct text_config *config,
                                         struct weight_source source, GError **error)
{
    struct text_encoder *e = g_new0(struct text_encoder, 1);
    struct reader r = {.net = &e->net, .source = source, .error = error};

    e->config = *config;
    // all at once: the network's list keeps the addresses of their weights
    e->layers = g_new0(struct text_layer, config->layers);
    network_init(&e->net, k, "text encoder");
    read_embedding(&r, &e->token, config->vocabulary, config->width,
                   TEXT_ENCODER_MODULE "embeddings.token_embedding");
    read_embedding(&r, &e->position, config->positions, config->width,
                   TEXT_ENCODER_MODULE "embeddings.position_embedding");
    for (int i = 0; i < config->layers; i++) {
        read_layer(&r, config, &e->layers[i], i);
    }
    read_norm(&r, &e->norm, config->width, 0, config->layer_norm_eps,
              TEXT_ENCODER_MODULE "final_layer_norm");
    if (!read_end(&r)) {
        text_encoder_free(e);
        return NULL;
    }
    return e;
}

void text_encoder_free(struct text_encoder *e)
{
    if (e == NULL) {
        return;
    }
    // first the list, which points into the layers
    network_finish(&e->net);
    g_free(e->layers);
    g_free(e);
}

struct weight *text_encoder_words(struct text_encoder *e)
{
    return &e->token;
}

struct network *text_encoder_network(struct text_encoder *e)
{
    return &e->net;
}

const struct text_config *text_encoder_config(const struct text_encoder *e)
{
    return &e->config;
}

static struct tensor *layer_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    const struct text_layer *l = context;
    struct tensor *x = in[0];
    struct tensor *h = layernorm(t, x, &l->norm1);
    struct tensor *q = linear(t, h, &l->q), *k = linear(t, h, &l->k), *v = linear(t, h, &l->v);

    // causal: a token sees those before it, and so a prompt's padding is seen by none of its words
    x = add(t, x, linear(t, attention(t, q, k, v, l->heads, true), &l->out));
    h = activate(t, linear(t, layernorm(t, x, &l->norm2), &l->fc1), l->activation);
    return add(t, x, linear(t, h, &l->fc2));
}

// positions 0 .. tokens - 1, for each of n
static const int32_t *positions(struct tape *t, int n, int tokens)
{
    g_autofree int32_t *ids = g_new(int32_t, (size_t)n * tokens);

    for (int i = 0; i < n * tokens; i++) {
        ids[i] = i % tokens;
    }
    return tape_ids(t, ids, n * tokens);
}

struct tensor *text_encoder_forward(struct tape *t, const struct text_encoder *e,
                                    const int32_t *ids, int n, int tokens, int layers)
{
    g_assert(tokens <= e->config.positions && layers <= e->config.layers);
    struct tensor *x = embedding(t, tape_ids(t, ids, n * tokens), n, tokens, &e->token);

    // a table, as the words' one: it is shifted in the same way
    x = add(t, x, embedding(t, positions(t, n, tokens), n, tokens, &e->position));
    for (int i = 0; i < layers; i++) {
        x = tape_segment(t, layer_segment, &e->layers[i], &x, 1);
    }
    return layernorm(t, x, &e->norm);
}
