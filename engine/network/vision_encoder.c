/* CLIP's vision transformer; see vision_encoder.h.
 *
 *   x = [class_embedding | patch_embedding(picture)] + position_embedding[0 ..];  x = pre_layrnorm(x)
 *   per layer: see clip_layer.h
 *   result: visual_projection(post_layernorm(x of the class)) */
#include "engine/network/vision_encoder.h"

#include "engine/network/clip_layer.h"

#define MODULE "vision_model."

struct vision_encoder {
    struct network net;
    struct vision_config config;
    struct weight class, patches, position; // embeddings
    struct norm before, after;
    struct clip_layer *layers; // [config.layers], owned
    struct weight projection;
};

// patches along a side
static int grid_of(const struct vision_config *c)
{
    return c->size / c->patch;
}

static void read_all(struct reader *r, struct vision_encoder *e)
{
    const struct vision_config *c = &e->config;
    const struct clip_layer_shape shape = {.width = c->width,
                                           .intermediate = c->intermediate,
                                           .heads = c->heads,
                                           .quick_gelu = c->quick_gelu,
                                           .epsilon = c->layer_norm_eps};

    read_row(r, &e->class, c->width, MODULE "embeddings.class_embedding");
    read_patches(r, &e->patches, 3, c->width, c->patch, MODULE "embeddings.patch_embedding");
    read_embedding(r, &e->position, grid_of(c) * grid_of(c) + 1, c->width,
                   MODULE "embeddings.position_embedding");
    // transformers' own spelling, in every file
    read_norm(r, &e->before, c->width, 0, c->layer_norm_eps, MODULE "pre_layrnorm");
    e->layers = clip_layers_read(r, &shape, c->layers, MODULE "encoder.layers");
    read_norm(r, &e->after, c->width, 0, c->layer_norm_eps, MODULE "post_layernorm");
    read_linear(r, &e->projection, c->width, c->projection, false, "visual_projection");
}

struct vision_encoder *vision_encoder_create(const kernels *k, const struct vision_config *config,
                                             struct weight_source source, GError **error)
{
    struct vision_encoder *e = g_new0(struct vision_encoder, 1);
    struct reader r = {.net = &e->net, .source = source, .error = error};

    e->config = *config;
    network_init(&e->net, k, "vision tower");
    read_all(&r, e);
    if (!read_end(&r)) {
        vision_encoder_free(e);
        return NULL;
    }
    return e;
}

void vision_encoder_free(struct vision_encoder *e)
{
    if (e == NULL) {
        return;
    }
    // first the list, which points into the layers
    network_finish(&e->net);
    g_free(e->layers);
    g_free(e);
}

// [1, 1, 1 + patches, width]: the class before the patches, row by row
static struct tensor *embed(struct tape *t, const struct vision_encoder *e, struct tensor *x)
{
    const int grid = grid_of(&e->config);
    const struct conv_geometry g = {.stride = e->config.patch, .out_h = grid, .out_w = grid};

    x = concat_tokens(t, clip_positions(t, &e->class, 1, 1), conv(t, x, &e->patches, g));
    return add(t, x, clip_positions(t, &e->position, 1, grid * grid + 1));
}

struct tensor *vision_encoder_forward(struct tape *t, const struct vision_encoder *e,
                                      struct tensor *x)
{
    g_assert(x->n == 1 && x->h == e->config.size && x->w == e->config.size && x->c == 3);
    x = layernorm(t, embed(t, e, x), &e->before);
    x = clip_layers_forward(t, e->layers, e->config.layers, x);
    // the class alone, the first token
    x = layernorm(t, tape_view(t, x->data, 1, 1, 1, x->c), &e->after);
    return linear(t, x, &e->projection);
}
