/* lora_file.h: how LoRA files are written, whatever their up and down come of, in kohya's or diffusers'
 * names:
 *
 *   kohya                    diffusers
 *   MODULE.lora_up.weight    MODULE.lora_B.weight   [out, k]  of a convolution [out, k, 1, 1]
 *   MODULE.lora_down.weight  MODULE.lora_A.weight   [k, in]   of a convolution [k, in, kh, kw]
 *   MODULE.alpha                                    a single value, the same for all modules
 *
 * Programs multiply up by down and by alpha / k; kohya's alpha is the same for all modules, because
 * diffusers takes one for all when it reads several of these. In diffusers' names each module's alpha is
 * its rank, as the header says (lora_adapter_metadata) and as programs take it that do not read that.
 *
 * MODULE is lora_unet_ or lora_te_text_model_ and the module's path with `_` in place of `.`, or unet. or
 * text_encoder. and the path. Places are the linear weights and 1x1 kernels of the UNet's transformers and
 * the attention and MLP of the text encoder; with rank_conv also the residual blocks and samplers, and in
 * diffusers' names conv_in, conv_out and the time embedding. Norms have one in kohya's, which is LyCORIS'
 * and which diffusers does not read; embeddings have none. */
#pragma once

#include "engine/subject/adapter_export.h"

struct lora_options {
    const char *output;  // the file
    int rank;            // of linear weights and 1x1 kernels
    int rank_conv;       // of 3x3 kernels in residual blocks and samplers; 0: none of these blocks
    double alpha;        // of kohya's names; 0: the rank
    enum lora_keys keys; // whose names
    bool norms;          // changes of gains as well; kohya's names alone
    const char *base;    // what the model is called, for the metadata
};

/* Whether a module of the UNet, or of a text encoder, has a place in kohya's names, by its own name;
 * conv: with residual blocks and samplers. */
bool lora_has_place(bool text, const char *module, bool conv);

/* The module's name in the file for a weight of the model, newly allocated, and its rank; NULL when
 * it has no place. */
char *lora_module(const struct model_tensor *t, const struct lora_options *o, int *rank);

/* Adds the tensors of a weight that has a place to the entries, and what PEFT wants to know of it to the
 * settings (a JsonObject that is empty at first). rank: of this weight. */
void lora_plan(const struct lora_options *o, const struct model_tensor *t, int rank,
               GArray *entries, JsonObject *settings);

/* What the file says of itself as a network. */
void lora_header(struct adapter_header *h, const struct lora_options *o, JsonObject *settings);

/* What programs multiply up down by. */
double lora_scale(const struct lora_options *o, int rank);

/* up [out, k] and down [k, in, kh, kw] of a weight that was planned. */
bool lora_put(struct safetensors_writer *writer, const struct lora_options *o,
              const struct model_tensor *t, const float *up, const float *down, GError **error);
