/* The CLIP text transformer; see text_encoder.h.
 *
 *   x = token_embedding[ids] + position_embedding[0 ..]
 *   per layer: see clip_layer.h
 *   result: final_layer_norm(x), and of the token that ends the text, text_projection of that */
#include "engine/network/text_encoder.h"

#include "engine/network/clip_layer.h"

struct text_encoder {
    struct network net;
    struct text_config config;
    struct weight token, position; // embeddings
    struct clip_layer *layers;     // [config.layers], owned
    struct norm norm;
    struct weight projection; // where the config has one
};

struct text_encoder *text_encoder_create(const kernels *k, const struct text_config *config,
                                         struct weight_source source, GError **error)
{
    struct text_encoder *e = g_new0(struct text_encoder, 1);
    struct reader r = {.net = &e->net, .source = source, .error = error};
    const struct clip_layer_shape shape = {.width = config->width,
                                           .intermediate = config->intermediate,
                                           .heads = config->heads,
                                           .quick_gelu = config->quick_gelu,
                                           .causal = true,
                                           .epsilon = config->layer_norm_eps};

    e->config = *config;
    network_init(&e->net, k, "text encoder");
    read_embedding(&r, &e->token, config->vocabulary, config->width,
                   TEXT_ENCODER_MODULE "embeddings.token_embedding");
    read_embedding(&r, &e->position, config->positions, config->width,
                   TEXT_ENCODER_MODULE "embeddings.position_embedding");
    e->layers = clip_layers_read(&r, &shape, config->layers, TEXT_ENCODER_MODULE "encoder.layers");
    read_norm(&r, &e->norm, config->width, 0, config->layer_norm_eps,
              TEXT_ENCODER_MODULE "final_layer_norm");
    if (config->projection > 0) {
        read_linear(&r, &e->projection, config->width, config->projection, false,
                    "text_projection");
    }
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

struct tensor *text_encoder_forward(struct tape *t, const struct text_encoder *e,
                                    const int32_t *ids, int n, int tokens, int layers)
{
    g_assert(tokens <= e->config.positions && layers <= e->config.layers);
    struct tensor *x = embedding(t, tape_ids(t, ids, n * tokens), n, tokens, &e->token);

    // a table, as the words' one: it is shifted in the same way
    x = add(t, x, clip_positions(t, &e->position, n, tokens));
    return layernorm(t, clip_layers_forward(t, e->layers, layers, x), &e->norm);
}

struct tensor *text_encoder_pool(struct tape *t, const struct text_encoder *e,
                                 const struct tensor *hidden, int token)
{
    const cell *row = kernels_at(tape_kernels(t), hidden->data, (int64_t)token * hidden->c);

    g_assert(hidden->n == 1 && e->config.projection > 0);
    return linear(t, tape_view(t, row, 1, 1, 1, hidden->c), &e->projection);
}
