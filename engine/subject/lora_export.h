/* lora_export.h: subjects as a LoRA file, which other programs read, in kohya's or diffusers' names.
 *
 * What a subject does to a weight is a sum of r parts, W' - W = sum of d_i u_i v_i^T with
 * d_i = relu(sigma_i + shift_i) - sigma_i. These parts are orthogonal, so the best approximation of
 * rank k keeps the k largest |d_i|:
 *
 *   up = d_i u_i / scale,  down = v_i^T
 *
 * scale is what programs multiply by (lora_file.h). k is less than asked for where a side of the weight is, and
 * another for 3x3 kernels; alpha is the rank that was asked for. */
#pragma once

#include "engine/subject/lora_file.h"

struct lora_kept {
    int modules;          // weights that got a place and are changed
    double share;         // of the squared norm of the whole change that the file keeps
    double without_place; // share of what has no place, whatever the rank
};

/* Writes the file, whole or not at all. False with a sentence, also when no weight with a place is
 * changed. kept may be NULL. */
bool lora_export(const struct merge *m, const struct lora_options *o, struct lora_kept *kept,
                 GError **error);
