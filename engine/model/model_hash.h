/* model_hash.h: which model it is, by the values of its weights, from one pass over them.
 *
 *   base      which values the shifts of a subject belong to: SHA-256 over one line for every
 * weight that has a shift, in the order of the names (bytewise),
 *
 *               NAME SHAPE DIGEST\n     "conv_in.weight [320, 4, 3, 3] 9f86d0..."
 *
 *             DIGEST is the SHA-256, in hexadecimal, of the values rounded to f16, in PyTorch's
 *             order. So an f32 and an f16 copy of a model are one base.
 *   spectra   what the spectra were made of: SHA-256 of, for each of them that is a matrix, in the
 *             order of the modules' names,
 *
 *               MODULE, 0, rows, columns (64-bit), SHA-256 of the values as f32
 *
 *             in the engine's order of columns.
 *
 * Numbers are little-endian. Copies that differ in files or order have the same names, a folder and
 * a single file of the same types too. */
#pragma once

#include "engine/base/progress.h"
#include "engine/model/checkpoint.h"

#define MODEL_HASH_DIGITS 64

// either hash, or both: each costs its own time
enum model_hash {
    MODEL_HASH_BASE = 1,
    MODEL_HASH_SPECTRA = 2,
    MODEL_HASHES = MODEL_HASH_BASE | MODEL_HASH_SPECTRA,
};

// empty: not asked for so far
struct model_hashes {
    char base[MODEL_HASH_DIGITS + 1], spectra[MODEL_HASH_DIGITS + 1];
};

/* Adds those of the wanted hashes (enum model_hash) that `hashes` lacks. They are
 * remembered in the user's cache folder by the identity of the files, since all values have to be
 * read (the base of SD 1.5 in f16 takes about a second of a processor that has instructions for
 * SHA-256, both hashes three), and then nothing is read; that they cannot be remembered is no
 * error. threads 0: all processors. `progress` may be NULL. False with a sentence when the files
 * cannot be read, SVDIFF_ERROR_CANCELLED when progress says so. */
bool model_hashes(const struct checkpoint *model, unsigned wanted, int threads,
                  progress_function progress, void *user, struct model_hashes *hashes,
                  GError **error);

// the same, whatever is remembered, which stays as it is
bool model_hashes_compute(const struct checkpoint *model, unsigned wanted, int threads,
                          progress_function progress, void *user, struct model_hashes *hashes,
                          GError **error);
