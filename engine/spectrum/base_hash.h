/* base_hash.h: the name of a base model: which values the shifts of a subject belong to.
 *
 * SHA-256 over one line for every weight that has a shift, in the order of the names (bytewise):
 *
 *   NAME SHAPE DIGEST\n     "conv_in.weight [320, 4, 3, 3] 9f86d0..."
 *
 * DIGEST is the SHA-256, in hexadecimal, of the values rounded to f16, little-endian, in PyTorch's
 * order; NAME is diffusers' name. So an f32 and an f16 copy of a model, a folder and a single file,
 * are one base, and tensors are hashed side by side in threads. */
#pragma once

#include "engine/model/checkpoint.h"
#include "engine/base/progress.h"

/* The hash, 64 hexadecimal digits; the caller frees it. It is remembered in the user's cache folder
 * by the identity of the files, since all values have to be read (a few seconds for SD 1.5 on two
 * quiet cores), and then nothing is read; that it cannot be remembered is no error. `progress` may
 * be NULL. NULL with a sentence when the files cannot be read, SVDIFF_ERROR_CANCELLED when progress
 * says so. */
char *base_hash(const struct checkpoint *model, progress_function progress, void *user,
                GError **error);

// the same, always computed and not remembered
char *base_hash_compute(const struct checkpoint *model, progress_function progress, void *user,
                        GError **error);
