/* lora_export.h: subjects as a LoRA file, which other programs read, in kohya's or diffusers' names.
 *
 * What a subject does to a weight is a sum of r parts, W' - W = sum of d_i u_i v_i^T with
 * d_i = relu(sigma_i + shift_i) - sigma_i. These parts are orthogonal, so the best approximation of
 * rank k keeps the k largest |d_i|:
 *
 *   kohya                    diffusers
 *   MODULE.lora_up.weight    MODULE.lora_B.weight   [out, k]: d_i u_i / scale   of a convolution [out, k, 1, 1]
 *   MODULE.lora_down.weight  MODULE.lora_A.weight   [k, in]:  v_i^T             of a convolution [k, in, kh, kw]
 *   MODULE.alpha                                    a single value, the rank that was asked for
 *
 * Programs multiply up by down and by scale = alpha / k. k is less than asked for where a side of the
 * weight is, and another for 3x3 kernels. kohya's alpha is the same for all modules, because diffusers
 * takes one for all when it reads several of these; in diffusers' names each module's is its rank, as the
 * header says (lora_adapter_metadata) and as programs take it that do not read that.
 *
 * MODULE is lora_unet_ or lora_te_text_model_ and the module's path with `_` in place of `.`, or unet. or
 * text_encoder. and the path. Places are the linear weights and 1x1 kernels of the UNet's transformers and
 * the attention and MLP of the text encoder; with rank_conv also the residual blocks and samplers, and in
 * diffusers' names conv_in, conv_out and the time embedding. Norms have one in kohya's, which is LyCORIS'
 * and which diffusers does not read; embeddings have none. */
#pragma once

#include "engine/subject/merge.h"

enum lora_keys { LORA_KEYS_KOHYA, LORA_KEYS_DIFFUSERS };

struct lora_options {
    const char *output;  // the file
    int rank;            // of linear weights and 1x1 kernels
    int rank_conv;       // of 3x3 kernels in residual blocks and samplers; 0: none of these blocks
    enum lora_keys keys; // whose names
    bool norms;          // changes of gains as well; kohya's names alone
    const char *base;    // what the model is called, for the metadata
};

struct lora_kept {
    int modules;          // weights that got a place and are changed
    double share;         // of the squared norm of the whole change that the file keeps
    double without_place; // share of what has no place, whatever the rank
};

/* Writes the file, whole or not at all. False with a sentence, also when no weight with a place is
 * changed. kept may be NULL. */
bool lora_export(const struct merge *m, const struct lora_options *o, struct lora_kept *kept,
                 GError **error);

/* The module's name in the file for a weight of the model, newly allocated, and its rank; NULL when
 * it has no place. */
char *lora_module(const struct model_tensor *t, const struct lora_options *o, int *rank);
