/* text_encoder.h: CLIP's text transformer (Radford et al. 2021), as transformers' CLIPTextModel
 * computes it: SD 1.x (quick GELU) and the OpenCLIP encoder of SD 2.x (GELU). */
#pragma once

#include "engine/network/model_config.h"
#include "engine/network/reader.h"

struct text_encoder;

/* How the names of all its tensors and shifts begin: transformers' own, which some files of models
 * and subjects leave out. */
#define TEXT_ENCODER_MODULE "text_model."

/* Reads all weights. Owned by the caller. */
struct text_encoder *text_encoder_create(const kernels *k, const struct text_config *config,
                                         struct weight_source source, GError **error);
void text_encoder_free(struct text_encoder *e); // accepts NULL

struct network *text_encoder_network(struct text_encoder *e);
struct weight *text_encoder_words(struct text_encoder *e); // the table of the vocabulary
const struct text_config *text_encoder_config(const struct text_encoder *e);

/* The hidden state behind `layers` of the layers, after the final layer norm, [n, 1, tokens, width]. ids [n *
 * tokens] on the host, each below the vocabulary's size; tokens at most the number of positions. */
struct tensor *text_encoder_forward(struct tape *t, const struct text_encoder *e,
                                    const int32_t *ids, int n, int tokens, int layers);

/* What CLIP compares with pictures, [1, 1, 1, projection], of the hidden state [1, 1, tokens, width] of all layers
 * and the place of the token that ends the text. For configs with a projection. */
struct tensor *text_encoder_pool(struct tape *t, const struct text_encoder *e,
                                 const struct tensor *hidden, int token);
