/* spectrum.h: the singular value decompositions of all matrices of a model, its spectra.
 *
 *   g_autoptr(spectrum_store) store = spectrum_open(&source, &options, &error);
 *   for each weight: spectrum_get(store, index, u, s, vt, &error)
 *
 * or, with something else to do meanwhile, spectrum_begin in place of spectrum_open, and
 * spectrum_finish at the end.
 *
 * They are computed once and kept in a file of the user's cache folder, under a key that names the
 * values of the weights; see spectrum_cache.h and spectrum_file.h.
 * Several matrices are decomposed at once, a thread each, so that the result does not depend on the
 * number of threads. Memory is bounded by the largest weights, not by the model.
 *
 * Where nothing can be kept (no space, no right to write, not wanted) everything works the same,
 * only that spectrum_get then takes the time of a decomposition. A file that is damaged or of
 * another model is noticed, told and made again. */
#pragma once

#include "engine/spectrum/svd_check.h"
#include "kernels/kernels.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// a weight as a matrix [m, n]; a convolution [out, in, kh, kw] is [out, in * kh * kw]
struct spectrum_weight {
    const char *name; // of its own in the model
    int m, n;
};

// where the weights come from; all of it is borrowed until spectrum_close
struct spectrum_source {
    const struct spectrum_weight *weights;
    size_t count;
    /* Writes the values [m, n] of a weight. Called by several threads at once. False with a
     * sentence that names the weight. */
    bool (*read)(void *user, size_t index, float *values, GError **error);
    void *user;
    const char *key; // 64 hexadecimal digits that name these very values (model_hash.h)
};

enum spectrum_phase {
    SPECTRUM_PHASE_COMPUTE, // decomposing
    SPECTRUM_PHASE_CHECK,   // proving
};

struct spectrum_options {
    const char *folder; // NULL: spectrum_cache_default_folder
    uint64_t limit;     // bytes that all files in the folder may have together; 0: 10 GB
    bool never_keep;    // leave no file behind
    int threads;        // 0: all processors
    const kernels *k; // the device that computes them, borrowed; NULL, or one that cannot: the host
    /* Further devices of k's kind that take their shares of the weights where it can take any, and what opens one of
     * them, in a thread of its own, when there is something to compute: NULL with an error, else owned by who asked. */
    int n_more;
    kernels *(*open)(void *user, int i, GError **error);
    /* Called often, by one thread at a time but not always by the same. False cancels. Each
     * callback may be NULL. */
    bool (*progress)(void *user, enum spectrum_phase phase, double done);
    // before anything is written: how many bytes and where. False: do not keep them
    bool (*announce)(void *user, uint64_t bytes, const char *folder);
    // a sentence that a person should know
    void (*warn)(void *user, const char *sentence);
    void *user;
};

struct spectrum_store;

// bytes of the factors of all weights
uint64_t spectrum_bytes(const struct spectrum_weight *weights, size_t count);

/* Finds the spectra of a model or computes and keeps them. NULL with a sentence that names the
 * weight when one cannot be read or decomposed or when there is no memory, or with
 * SVDIFF_ERROR_CANCELLED. Options are copied, what they point to is borrowed. Free with
 * spectrum_close. */
struct spectrum_store *spectrum_open(const struct spectrum_source *source,
                                     const struct spectrum_options *options, GError **error);

/* The same, but returns while they are being computed by threads of its own. spectrum_get then waits
 * for the weight it is asked for, in whose order they come; what would be wrong with opening is told
 * by it or by spectrum_finish, which waits for all and puts the file in its place. options->progress
 * is told while somebody waits, in the thread that does. */
struct spectrum_store *spectrum_begin(const struct spectrum_source *source,
                                      const struct spectrum_options *options);
bool spectrum_finish(struct spectrum_store *store, GError **error);

// ends what spectrum_begin began; what is not whole is lost
void spectrum_close(struct spectrum_store *store); // NULL is allowed
typedef struct spectrum_store spectrum_store;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(spectrum_store, spectrum_close)

/* Writes u [m, r], s [r] descending and vt [r, n] of a weight, r = min(m, n), into the caller's
 * memory; each may be NULL. What is read is verified by its checksum. One thread at a time. */
bool spectrum_get(struct spectrum_store *store, size_t index, float *u, float *s, float *vt,
                  GError **error);

// the file in use, or NULL when nothing is kept or not all is there; belongs to the store
const char *spectrum_path(const struct spectrum_store *store);

/* Proves the spectra against the weights: accuracy [count] says how far each is off. */
bool spectrum_check(struct spectrum_store *store, struct svd_accuracy *accuracy, GError **error);
