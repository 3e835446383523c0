/* difference_export.h: subjects as a file of LyCORIS' full form, which holds all of what they change.
 *
 *   MODULE.diff     W' - W, as the weight is shaped       of matrices, kernels and embeddings
 *   MODULE.w_norm   gain' - gain                          of norms, with zeros as MODULE.b_norm
 *
 * in f32, so that W plus it is W' but for rounding; as large as the weights that are changed. MODULE is
 * lora_unet_ or lora_te_ and the module's path with `_` in place of `.`. */
#pragma once

#include "engine/subject/merge.h"

/* Writes the file, whole or not at all; base: what the model is called, for the metadata. *modules
 * receives how many are in it. False with a sentence, also when nothing is changed. */
bool difference_export(const struct merge *m, const char *output, const char *base, int *modules,
                       GError **error);
